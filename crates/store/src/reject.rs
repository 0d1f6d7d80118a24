//! Pieces of facts that were not taken, counted by name with one sample.

use crate::{Failure, Store, store::Tables};
use jiff::Timestamp;

/// How often one piece was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectRow {
    /// `unknown_event`, `unknown_field`, `wrong_value` and the like.
    pub code: Box<str>,
    /// The event, or `entity.field`.
    pub name: Box<str>,
    /// How often.
    pub count: u64,
    /// The first value seen.
    pub sample: Box<str>,
    /// First seen.
    pub first_at: Timestamp,
    /// Last seen.
    pub last_at: Timestamp,
}

impl Store {
    /// All that was not taken, in order of code and name.
    pub async fn rejects(&self) -> Result<Vec<RejectRow>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.rejects().await,
            Tables::Postgres(postgres) => postgres.rejects().await,
        }
    }
}
