//! Batches: what each commit covered, so that log and batches replay every decision.

use crate::{Failure, RevisionId, Store, store::Tables};
use jiff::Timestamp;
use model::AccountId;

/// One commit of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Which commit of the shard, from 1.
    pub commits: u64,
    /// It decided the facts behind this position …
    pub from_position: u64,
    /// … up to this one.
    pub to_position: u64,
    /// The instant it was decided at.
    pub now: Timestamp,
    /// The text it was decided by.
    pub revision: Option<RevisionId>,
    /// Accounts woken or re-based in it, in order.
    pub woken: Vec<AccountId>,
}

impl Store {
    /// A page of a shard's batches, behind the commit `after`.
    pub async fn batches(
        &self,
        shard: u32,
        after: u64,
        count_max: u32,
    ) -> Result<Vec<Batch>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.batches(shard, after, count_max).await,
            Tables::Postgres(postgres) => postgres.batches(shard, after, count_max).await,
        }
    }
}
