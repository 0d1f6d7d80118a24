//! Shard rows.

use super::{Postgres, append};
use crate::sqlite::shards::state;
use crate::{Failure, ShardState};

impl Postgres {
    pub(crate) async fn shard(&self, shard: u32) -> Result<ShardState, Failure> {
        let states = self.shard_states().await?;
        let state = states.into_iter().find(|state| state.shard == shard);
        state.ok_or_else(|| append::no_shard(shard))
    }

    pub(crate) async fn shard_states(&self) -> Result<Vec<ShardState>, Failure> {
        self.read((), |session, ()| {
            Box::pin(async move {
                let sql = "SELECT id, position, commits, revision, commit_epoch, revision_from, now, \
                    journal_end, history_until, rebased, backfill FROM shard ORDER BY id";
                let rows = session.rows(sqlx::query(sql)).await?;
                rows.iter().map(state).collect()
            })
        })
        .await
    }
}
