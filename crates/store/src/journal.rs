//! The journal: the decisions kept, chained so that nothing is edited unseen.

use crate::{Failure, Store, store::Tables};
use jiff::Timestamp;
use model::AccountId;

/// One record of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRow {
    /// Its place in the shard's journal, from 1.
    pub place: u64,
    /// The instant it was decided for.
    pub at: Timestamp,
    /// The hash of the workflow's checked form; empty for the account's own records.
    pub revision: Box<str>,
    /// The public record, one JSON object.
    pub record: Box<str>,
}

/// Which records of a shard to read.
#[derive(Clone, Debug, Default)]
pub struct JournalFilter {
    /// Only of this account.
    pub account: Option<AccountId>,
    /// Only of this workflow.
    pub workflow: Option<Box<str>>,
    /// Only from this instant on.
    pub since: Option<Timestamp>,
    /// Only behind this place.
    pub after: u64,
    /// At most so many.
    pub count_max: u32,
}

/// A shard's journal that is as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Up to this place rows were removed since their time was over; 0: none were.
    pub removed: u64,
    /// The place of the last row.
    pub end: u64,
}

/// Why a journal is not what was written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ChainError {
    /// A row, or one before it, was changed.
    #[error("row {place} of the journal of shard {shard} was changed")]
    Changed {
        /// The shard.
        shard: u32,
        /// The first place that does not fit.
        place: u64,
    },
    /// Rows are missing.
    #[error("the journal of shard {shard} has no row {place}")]
    Missing {
        /// The shard.
        shard: u32,
        /// The first place that is missing.
        place: u64,
    },
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl Store {
    /// A page of a shard's journal, in the order it was decided.
    pub async fn journal(
        &self,
        shard: u32,
        filter: JournalFilter,
    ) -> Result<Vec<JournalRow>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.journal(shard, filter).await,
            Tables::Postgres(postgres) => postgres.journal(shard, filter).await,
        }
    }

    /// Follows the chain of a shard's journal, from the oldest row that is kept.
    pub async fn verify_journal(&self, shard: u32) -> Result<Verified, ChainError> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.verify_journal(shard).await,
            Tables::Postgres(postgres) => postgres.verify_journal(shard).await,
        }
    }
}
