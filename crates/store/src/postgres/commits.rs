//! Commits: compared and written in one transaction, and settled if their answer was lost.

use super::rows::{Columns, nanos, number, place, signed};
use super::session::Session;
use super::tx::Ending;
use super::{
    Postgres, append, batches, chain, heads, leases, messages, parks, rejects, tasks, wakes,
};
use crate::sqlite::chain::Head;
use crate::sqlite::commits::{Found, after, refuse};
use crate::sqlite::shards::mark;
use crate::{Backfill, ClockMode, Commit, CommitError, Committed, Failure};
use model::teeth;

/// How a commit ended.
type Written = Result<Committed, CommitError>;

impl Postgres {
    pub(crate) async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        let (shard, clock) = (commit.shard, self.meta().clock);
        if teeth::is_out("position") {
            self.move_ahead(&commit).await?;
        }
        let written = self.settled(
            shard,
            (commit, clock),
            (
                |session, (commit, clock): &(Commit, ClockMode)| {
                    Box::pin(follow(session, commit, *clock))
                },
                |session, (commit, _): &(Commit, ClockMode), _: &Written| {
                    Box::pin(is_done(session, commit))
                },
            ),
        );
        written.await?
    }
}

/// A negative control: the position moves in a transaction of its own, before all that it stands for.
impl Postgres {
    async fn move_ahead(&self, commit: &Commit) -> Result<(), Failure> {
        let (shard, to) = (number(commit.shard), signed(commit.to_position));
        let input = (shard, to, signed(commit.from.commits));
        self.write(input, |session, (shard, to, commits)| {
            Box::pin(async move {
                let sql = "UPDATE shard SET position = $1 WHERE id = $2 AND commits = $3";
                let query = sqlx::query(sql).bind(*to).bind(*shard).bind(*commits);
                session.execute(query).await?;
                Ok(Ending::Commit(()))
            })
        })
        .await
    }
}

async fn follow(
    session: &mut Session,
    commit: &Commit,
    clock: ClockMode,
) -> Result<Ending<Written>, Failure> {
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
    let parked: Vec<_> = commit.parked.iter().collect();
    parks::write(session, &parked).await?;
    rejects::write(session, commit.shard, &commit.rejects, commit.now).await?;
    let head = Head {
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

/// Takes the shard's row; the epoch is read once it is held.
async fn find(session: &mut Session, shard: u32) -> Result<Found, Failure> {
    let sql = "SELECT id, position, commits, revision, journal_end, journal_hash FROM shard \
        WHERE id = $1 FOR UPDATE";
    let row = session.row(sqlx::query(sql).bind(number(shard))).await?;
    let row = row.ok_or_else(|| append::no_shard(shard))?;
    Ok(Found {
        mark: mark(&row)?,
        epoch: leases::decider(session, shard).await?,
        journal_end: row.count(4)?,
        journal_hash: row.text(5)?,
    })
}

async fn move_on(
    session: &mut Session,
    commit: &Commit,
    commits: u64,
    head: &Head,
) -> Result<(), Failure> {
    let sql = "UPDATE shard SET position = $1, commits = $2, commit_epoch = $3, \
        journal_end = $4, journal_hash = $5, now = greatest(now, $6), \
        rebased = CASE WHEN $8 THEN revision ELSE rebased END, \
        backfill = CASE WHEN $9 THEN $10 ELSE backfill END WHERE id = $7";
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
        .bind(number(commit.shard))
        .bind(commit.is_rebased)
        .bind(commit.backfill.is_some())
        .bind(reached);
    session.execute(query).await?;
    Ok(())
}

/// Whether a commit whose answer was lost is there: its batch is its receipt, whoever committed after it.
async fn is_done(session: &mut Session, commit: &Commit) -> Result<bool, Failure> {
    let query = sqlx::query("SELECT id FROM shard WHERE id = $1 FOR UPDATE");
    session.rows(query.bind(number(commit.shard))).await?;
    let sql = "SELECT place FROM batch WHERE place = $1 AND epoch = $2";
    let query = sqlx::query(sql)
        .bind(place(commit.shard, commit.from.commits + 1))
        .bind(signed(commit.epoch));
    Ok(session.row(query).await?.is_some())
}
