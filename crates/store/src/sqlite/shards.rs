//! Shard rows.

use super::Sqlite;
use super::rows::Columns;
use crate::{Failure, RevisionId, ShardMark, ShardState};

impl Sqlite {
    pub(crate) async fn shard(&self, shard: u32) -> Result<ShardState, Failure> {
        let states = self.shard_states().await?;
        let state = states.into_iter().find(|state| state.shard == shard);
        state.ok_or_else(|| Failure::Database(format!("there is no shard {shard}").into()))
    }

    pub(crate) async fn shard_states(&self) -> Result<Vec<ShardState>, Failure> {
        self.read(|session| {
            Box::pin(async move {
                let sql = "SELECT id, position, commits, revision, commit_epoch, revision_from, now, journal_end, \
                    history_until, rebased, backfill \
                    FROM shard ORDER BY id";
                let rows = session.rows(sqlx::query(sql)).await?;
                rows.iter().map(state).collect()
            })
        })
        .await
    }
}

pub(crate) fn state(row: &impl Columns) -> Result<ShardState, Failure> {
    Ok(ShardState {
        shard: row.small(0)?,
        mark: mark(row)?,
        commit_epoch: row.count(4)?,
        revision_from: row.count(5)?,
        now: row.maybe_instant(6)?,
        journal_end: row.count(7)?,
        history_until: row.count(8)?,
        rebased: revision(row, 9)?,
        backfill: match row.maybe_long(10)? {
            Some(_) => Some(row.count(10)?),
            None => None,
        },
    })
}

/// The mark in the columns 1 to 3: position, commits, revision.
pub(crate) fn mark(row: &impl Columns) -> Result<ShardMark, Failure> {
    Ok(ShardMark {
        position: row.count(1)?,
        commits: row.count(2)?,
        revision: revision(row, 3)?,
    })
}

/// A revision's number in a column.
pub(crate) fn revision(row: &impl Columns, index: usize) -> Result<Option<RevisionId>, Failure> {
    let Some(number) = row.maybe_long(index)? else {
        return Ok(None);
    };
    let number = u32::try_from(number);
    let number = number.map_err(|why| Failure::unreadable("a revision", why))?;
    Ok(Some(RevisionId(number)))
}
