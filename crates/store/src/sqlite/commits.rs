//! Commits: compared and written in one transaction, and settled if their answer was lost.

use super::leases;
use super::rows::{Columns, nanos, place, signed};
use super::shards::mark;
use super::tx::{Connection, Ending, Session};
use super::{Sqlite, batches, chain, heads, messages, parks, rejects, tasks, wakes};
use crate::{Backfill, ClockMode, Commit, CommitError, Committed, Failure, Role, ShardMark};
use model::teeth;
use std::sync::Arc;

/// A shard's row as a commit finds it.
pub(crate) struct Found {
    pub(crate) mark: ShardMark,
    pub(crate) epoch: u64,
    pub(crate) journal_end: u64,
    pub(crate) journal_hash: Box<str>,
}

impl Sqlite {
    pub(crate) async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        let clock = self.meta().clock;
        if teeth::is_out("position") {
            self.move_ahead(&commit).await?;
        }
        let work = self.inner.writer.run(move |connection| {
            Box::pin(async move { write(connection, Arc::new(commit), clock).await })
        });
        work.await?
    }
}

/// A negative control: the position moves in a transaction of its own, before all that it stands for.
impl Sqlite {
    async fn move_ahead(&self, commit: &Commit) -> Result<(), Failure> {
        let (shard, to) = (i64::from(commit.shard), signed(commit.to_position));
        let commits = signed(commit.from.commits);
        self.write(move |session| {
            Box::pin(async move {
                let sql = "UPDATE shard SET position = ? WHERE id = ? AND commits = ?";
                let query = sqlx::query(sql).bind(to).bind(shard).bind(commits);
                session.execute(query).await?;
                Ok(Ending::Commit(()))
            })
        })
        .await
    }
}

async fn write(
    connection: &mut Connection,
    commit: Arc<Commit>,
    clock: ClockMode,
) -> Result<Committed, CommitError> {
    let body = Arc::clone(&commit);
    let written = connection.transact_settled(
        move |session| Box::pin(async move { follow(session, &body, clock).await }),
        move |session, _| {
            let commit = Arc::clone(&commit);
            Box::pin(async move { is_done(session, &commit).await })
        },
    );
    written.await?
}

async fn follow(
    session: &mut Session,
    commit: &Commit,
    clock: ClockMode,
) -> Result<Ending<Result<Committed, CommitError>>, Failure> {
    let found = find(session, commit.shard).await?;
    if let Some(refusal) = refuse(commit, &found) {
        return Ok(Ending::Rollback(Err(refusal)));
    }
    if let Some(account) = heads::missing(session, commit).await? {
        return Ok(Ending::Rollback(Err(CommitError::NoHead(account))));
    }
    heads::write(session, commit).await?;
    wakes::write(session, commit.shard, &commit.wakes).await?;
    let queued = messages::write(session, commit, clock).await?;
    tasks::write(session, commit.shard, &commit.tasks).await?;
    parks::write(session, &commit.parked).await?;
    rejects::write(session, &commit.rejects, commit.now).await?;
    let head = chain::Head {
        end: found.journal_end,
        hash: found.journal_hash.clone(),
    };
    let head = chain::write(session, commit.shard, head, &commit.journal).await?;
    let commits = found.mark.commits + 1;
    batches::write(session, commit, commits).await?;
    move_on(session, commit, commits, &head).await?;
    Ok(Ending::Commit(Ok(Committed {
        mark: after(commit, commits),
        queued,
    })))
}

pub(crate) fn after(commit: &Commit, commits: u64) -> ShardMark {
    ShardMark {
        position: commit.to_position,
        commits,
        revision: commit.from.revision,
    }
}

/// The fence: who decides, and from what.
pub(crate) fn refuse(commit: &Commit, found: &Found) -> Option<CommitError> {
    if teeth::is_out("fence") {
        return None;
    }
    if found.epoch != commit.epoch && !teeth::is_out("epoch") {
        return Some(CommitError::Fenced {
            shard: commit.shard,
            epoch: found.epoch,
        });
    }
    let mut from = commit.from;
    if teeth::is_out("position") {
        from.position = found.mark.position;
    }
    (found.mark != from).then_some(CommitError::Moved {
        shard: commit.shard,
        mark: found.mark,
    })
}

async fn find(session: &mut Session, shard: u32) -> Result<Found, Failure> {
    let sql =
        "SELECT id, position, commits, revision, journal_end, journal_hash FROM shard WHERE id = ?";
    let row = session.row(sqlx::query(sql).bind(i64::from(shard))).await?;
    let row = row.ok_or_else(|| Failure::Database(format!("there is no shard {shard}").into()))?;
    Ok(Found {
        mark: mark(&row)?,
        epoch: leases::epoch(session, shard, Role::Decide).await?,
        journal_end: row.count(4)?,
        journal_hash: row.text(5)?,
    })
}

async fn move_on(
    session: &mut Session,
    commit: &Commit,
    commits: u64,
    head: &chain::Head,
) -> Result<(), Failure> {
    let sql = "UPDATE shard SET position = ?1, commits = ?2, commit_epoch = ?3, \
        journal_end = ?4, journal_hash = ?5, \
        now = CASE WHEN ?6 IS NULL THEN now ELSE max(coalesce(now, ?6), ?6) END, \
        rebased = CASE WHEN ?8 THEN revision ELSE rebased END, \
        backfill = CASE WHEN ?9 THEN ?10 ELSE backfill END WHERE id = ?7";
    let reached = match commit.backfill {
        Some(Backfill::Reached(position)) => Some(signed(position)),
        Some(Backfill::Done) | None => None,
    };
    let query = sqlx::query(sql)
        .bind(signed(commit.to_position))
        .bind(signed(commits))
        .bind(signed(commit.epoch))
        .bind(signed(head.end))
        .bind(&*head.hash)
        .bind(commit.shard_now.map(nanos))
        .bind(i64::from(commit.shard))
        .bind(commit.is_rebased)
        .bind(commit.backfill.is_some())
        .bind(reached);
    session.execute(query).await?;
    Ok(())
}

/// Whether a commit whose answer was lost is there: its batch is its receipt, whoever committed after it.
async fn is_done(session: &mut Session, commit: &Commit) -> Result<bool, Failure> {
    let sql = "SELECT 1 FROM batch WHERE place = ? AND epoch = ?";
    let query = sqlx::query(sql)
        .bind(batch_place(commit.shard, commit.from.commits + 1))
        .bind(signed(commit.epoch));
    Ok(session.row(query).await?.is_some())
}

/// The place of a batch.
pub(crate) fn batch_place(shard: u32, commits: u64) -> i64 {
    place(shard, commits)
}
