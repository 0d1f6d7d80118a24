//! Stored workspaces, and which one decides.

use super::accounts::json;
use super::rows::{Columns, nanos};
use super::tx::Ending;
use super::{Session, Sqlite};
use crate::{Activation, Failure, Revision, RevisionId};
use jiff::Timestamp;

impl Sqlite {
    pub(crate) async fn put_revision(
        &self,
        bytes: Vec<u8>,
        now: Timestamp,
    ) -> Result<RevisionId, Failure> {
        let hash = blake3::hash(&bytes).to_hex();
        self.write(move |session| {
            Box::pin(async move {
                let sql = "INSERT INTO revision (hash, bytes, stored_at) VALUES (?, ?, ?) \
                    ON CONFLICT (hash) DO NOTHING";
                let query = sqlx::query(sql)
                    .bind(hash.as_str())
                    .bind(bytes)
                    .bind(nanos(now));
                session.execute(query).await?;
                let query = sqlx::query("SELECT id FROM revision WHERE hash = ?");
                let row = session.row(query.bind(hash.as_str())).await?;
                let row = row.ok_or_else(|| Failure::unreadable("a revision", "it is gone"))?;
                Ok(Ending::Commit(RevisionId(row.small(0)?)))
            })
        })
        .await
    }

    pub(crate) async fn revision(&self, id: RevisionId) -> Result<Option<Revision>, Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let sql =
                    "SELECT id, hash, bytes, stored_at, applied_at, ends_resting FROM revision WHERE id = ?";
                let row = session.row(sqlx::query(sql).bind(i64::from(id.0))).await?;
                row.as_ref().map(revision).transpose()
            })
        })
        .await
    }

    pub(crate) async fn applied(&self) -> Result<Option<Revision>, Failure> {
        self.read(|session| {
            Box::pin(async move {
                let sql = "SELECT id, hash, bytes, stored_at, applied_at, ends_resting FROM revision \
                    WHERE id = (SELECT revision FROM shard WHERE id = 0)";
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
        let ends = ends.map(|ends| json(&ends));
        self.write(move |session| {
            Box::pin(async move { activate(session, id, now, ends_resting, ends).await })
        })
        .await
    }

    pub(crate) async fn activations(&self) -> Result<Vec<Activation>, Failure> {
        self.read(|session| {
            Box::pin(async move {
                let sql = "SELECT shard, revision, position, at FROM activation ORDER BY id";
                let rows = session.rows(sqlx::query(sql)).await?;
                rows.iter().map(activation).collect()
            })
        })
        .await
    }
}

async fn activate(
    session: &mut Session,
    id: RevisionId,
    now: Timestamp,
    ends_resting: bool,
    ends: Option<String>,
) -> Result<Ending<Option<Vec<u64>>>, Failure> {
    let number = i64::from(id.0);
    let query = sqlx::query("UPDATE revision SET applied_at = ?, ends_resting = ? WHERE id = ?");
    let query = query.bind(nanos(now)).bind(ends_resting).bind(number);
    if session.execute(query).await? == 0 {
        return Ok(Ending::Rollback(None));
    }
    let sql = "INSERT INTO activation (shard, revision, position, at) \
        SELECT id, ?1, CASE WHEN revision IS NULL \
        THEN coalesce(?3 ->> ('$[' || id || ']'), \
            (SELECT position FROM log_end WHERE log_end.shard = shard.id)) ELSE position END, ?2 \
        FROM shard WHERE revision IS NOT ?1 ORDER BY id";
    let query = sqlx::query(sql).bind(number).bind(nanos(now)).bind(&ends);
    session.execute(query).await?;
    // The first text finds facts that nobody decided yet: up to here they tell how things stood before it.
    // Nobody was decided by another one: all are brought over already.
    let sql = "UPDATE shard SET rebased = ?1, history_until = coalesce(?2 ->> ('$[' || id || ']'), \
        (SELECT position FROM log_end WHERE log_end.shard = shard.id)) WHERE revision IS NULL";
    session
        .execute(sqlx::query(sql).bind(number).bind(&ends))
        .await?;
    let sql = "UPDATE shard SET revision = ?1, revision_from = CASE WHEN revision IS NULL \
        THEN history_until ELSE position END WHERE revision IS NOT ?1";
    session.execute(sqlx::query(sql).bind(number)).await?;
    let sql = "SELECT revision_from FROM shard ORDER BY id";
    let rows = session.rows(sqlx::query(sql)).await?;
    let positions: Result<Vec<u64>, Failure> = rows.iter().map(|row| row.count(0)).collect();
    Ok(Ending::Commit(Some(positions?)))
}

pub(crate) fn activation(row: &impl Columns) -> Result<Activation, Failure> {
    Ok(Activation {
        shard: row.small(0)?,
        revision: RevisionId(row.small(1)?),
        position: row.count(2)?,
        at: row.instant(3)?,
    })
}

pub(crate) fn revision(row: &impl Columns) -> Result<Revision, Failure> {
    Ok(Revision {
        id: RevisionId(row.small(0)?),
        hash: row.text(1)?,
        bytes: row.bytes(2)?,
        stored_at: row.instant(3)?,
        applied_at: row.maybe_instant(4)?,
        ends_resting: row.long(5)? != 0,
    })
}
