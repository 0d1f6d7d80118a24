//! Facts put aside, each with its reason.

use crate::{AppendError, Failure, NewFact, Store, store::Tables};
use jiff::Timestamp;
use model::{AccountId, Parked};

/// A fact to put aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewParked {
    /// When.
    pub at: Timestamp,
    /// Its shard and position, if it reached the log.
    pub place: Option<(u32, u64)>,
    /// Its account, if it has one.
    pub account: Option<AccountId>,
    /// Why.
    pub parked: Parked,
    /// As it came.
    pub json: Box<str>,
}

/// A fact that was put aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedRow {
    /// Its number, rising.
    pub number: u64,
    /// What it is.
    pub parked: NewParked,
}

impl Store {
    /// A page of parked facts, behind a number.
    pub async fn parked(&self, after: u64, count_max: u32) -> Result<Vec<ParkedRow>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.parked(after, count_max).await,
            Tables::Postgres(postgres) => postgres.parked(after, count_max).await,
        }
    }

    /// How many facts are parked.
    pub async fn parked_count(&self) -> Result<u64, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.parked_count().await,
            Tables::Postgres(postgres) => postgres.parked_count().await,
        }
    }

    /// Appends parked facts again and takes them from the parked ones, at once; those already gone are left out.
    /// Says how many were appended.
    pub async fn replay_parked(&self, facts: Vec<(u64, NewFact)>) -> Result<u64, AppendError> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.replay_parked(facts).await,
            Tables::Postgres(postgres) => postgres.replay_parked(facts).await,
        }
    }

    /// Forgets parked facts; says how many.
    pub async fn remove_parked(&self, numbers: Vec<u64>) -> Result<u64, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.remove_parked(numbers).await,
            Tables::Postgres(postgres) => postgres.remove_parked(numbers).await,
        }
    }
}
