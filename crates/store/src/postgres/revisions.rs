//! Stored workspaces, and which one decides.

use super::Postgres;
use super::rows::{Columns, nanos};
use super::session::Session;
use super::tx::Ending;
use crate::sqlite::revisions::{activation, revision};
use crate::sqlite::rows::signed;
use crate::{Activation, Failure, Revision, RevisionId};
use jiff::Timestamp;

/// The columns of a revision.
macro_rules! revision {
    ($which:literal) => {
        concat!(
            "SELECT id, hash, bytes, stored_at, applied_at, ends_resting::int::bigint \
            FROM revision WHERE ",
            $which
        )
    };
}

impl Postgres {
    pub(crate) async fn put_revision(
        &self,
        bytes: Vec<u8>,
        now: Timestamp,
    ) -> Result<RevisionId, Failure> {
        self.write((bytes, now), |session, (bytes, now)| {
            Box::pin(async move {
                let hash = blake3::hash(bytes).to_hex();
                let find = || sqlx::query("SELECT id FROM revision WHERE hash = $1");
                if let Some(row) = session.row(find().bind(hash.as_str())).await? {
                    return Ok(Ending::Rollback(RevisionId(row.small(0)?)));
                }
                let sql = "INSERT INTO revision (hash, bytes, stored_at) VALUES ($1, $2, $3) \
                    ON CONFLICT (hash) DO NOTHING";
                let query = sqlx::query(sql)
                    .bind(hash.as_str())
                    .bind(&**bytes)
                    .bind(nanos(*now));
                session.execute(query).await?;
                let row = session.row(find().bind(hash.as_str())).await?;
                let row = row.ok_or_else(|| Failure::unreadable("a revision", "it is gone"))?;
                Ok(Ending::Commit(RevisionId(row.small(0)?)))
            })
        })
        .await
    }

    pub(crate) async fn revision(&self, id: RevisionId) -> Result<Option<Revision>, Failure> {
        self.read(id, |session, id| {
            Box::pin(async move {
                let query = sqlx::query(revision!("id = $1")).bind(i64::from(id.0));
                let row = session.row(query).await?;
                row.as_ref().map(revision).transpose()
            })
        })
        .await
    }

    pub(crate) async fn applied(&self) -> Result<Option<Revision>, Failure> {
        self.read((), |session, ()| {
            Box::pin(async move {
                let sql = revision!("id = (SELECT revision FROM shard WHERE id = 0)");
                let row = session.row(sqlx::query(sql)).await?;
                row.as_ref().map(revision).transpose()
            })
        })
        .await
    }

    pub(crate) async fn activate(
        &self,
        id: RevisionId,
        now: Timestamp,
        ends_resting: bool,
        ends: Option<Vec<u64>>,
    ) -> Result<Option<Vec<u64>>, Failure> {
        let ends = ends.map(|ends| ends.into_iter().map(signed).collect());
        let input = (id, now, ends_resting, ends);
        self.write(input, |session, (id, now, ends_resting, ends)| {
            Box::pin(activate(session, (*id, *now), *ends_resting, ends))
        })
        .await
    }

    pub(crate) async fn activations(&self) -> Result<Vec<Activation>, Failure> {
        self.read((), |session, ()| {
            Box::pin(async move {
                let sql = "SELECT shard, revision, position, at FROM activation ORDER BY id";
                let rows = session.rows(sqlx::query(sql)).await?;
                rows.iter().map(activation).collect()
            })
        })
        .await
    }
}

/// Every shard and the end of every log stand still meanwhile.
async fn activate(
    session: &mut Session,
    (id, now): (RevisionId, Timestamp),
    ends_resting: bool,
    ends: &Option<Vec<i64>>,
) -> Result<Ending<Option<Vec<u64>>>, Failure> {
    let number = i64::from(id.0);
    for sql in [
        "SELECT id FROM shard ORDER BY id FOR UPDATE",
        "SELECT shard FROM log_end ORDER BY shard FOR SHARE",
    ] {
        session.rows(sqlx::query(sql)).await?;
    }
    let query = sqlx::query("UPDATE revision SET applied_at = $1, ends_resting = $2 WHERE id = $3");
    let query = query.bind(nanos(now)).bind(ends_resting).bind(number);
    if session.execute(query).await? == 0 {
        return Ok(Ending::Rollback(None));
    }
    let sql = "INSERT INTO activation (shard, revision, position, at) \
        SELECT id, $1, CASE WHEN revision IS NULL \
        THEN coalesce(($3::bigint[])[id + 1], \
            (SELECT position FROM log_end WHERE log_end.shard = shard.id)) ELSE position END, $2 \
        FROM shard WHERE revision IS DISTINCT FROM $1 ORDER BY id";
    let query = sqlx::query(sql).bind(number).bind(nanos(now)).bind(ends);
    session.execute(query).await?;
    // The first text finds facts that nobody decided yet: up to here they tell how things stood before it.
    // Nobody was decided by another one: all are brought over already.
    let sql = "UPDATE shard SET rebased = $1, history_until = coalesce(($2::bigint[])[id + 1], \
        (SELECT position FROM log_end WHERE log_end.shard = shard.id)) WHERE revision IS NULL";
    session
        .execute(sqlx::query(sql).bind(number).bind(ends))
        .await?;
    let sql = "UPDATE shard SET revision = $1, revision_from = CASE WHEN revision IS NULL \
        THEN history_until ELSE position END WHERE revision IS DISTINCT FROM $1";
    session.execute(sqlx::query(sql).bind(number)).await?;
    let sql = "SELECT revision_from FROM shard ORDER BY id";
    let rows = session.rows(sqlx::query(sql)).await?;
    let positions: Result<Vec<u64>, Failure> = rows.iter().map(|row| row.count(0)).collect();
    Ok(Ending::Commit(Some(positions?)))
}
