//! Wake-ups: the next instant an account must be looked at though nothing arrives.

use crate::{Failure, Store, store::Tables};
use jiff::Timestamp;
use model::AccountId;

/// A place in a shard's wake-ups, behind which a scan goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WakeMark {
    /// The instant.
    pub(crate) due_at: Timestamp,
    /// The account's key inside the store.
    pub(crate) key: i64,
}

impl WakeMark {
    /// The mark before all wake-ups of an instant: what a scan is lowered to when an earlier one is written.
    pub fn before(due_at: Timestamp) -> Self {
        Self {
            due_at,
            key: i64::MIN,
        }
    }

    /// The instant of the mark.
    pub fn due_at(self) -> Timestamp {
        self.due_at
    }
}

/// An account that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wake {
    /// When.
    pub due_at: Timestamp,
    /// Who.
    pub account: AccountId,
    /// Where the scan goes on after it.
    pub mark: WakeMark,
}

impl Store {
    /// A page of the wake-ups due at or before `until`, earliest first, behind a mark.
    pub async fn due(
        &self,
        shard: u32,
        until: Timestamp,
        after: Option<WakeMark>,
        count_max: u32,
    ) -> Result<Vec<Wake>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.due(shard, until, after, count_max).await,
            Tables::Postgres(postgres) => postgres.due(shard, until, after, count_max).await,
        }
    }

    /// The earliest wake-up of a shard.
    pub async fn earliest(&self, shard: u32) -> Result<Option<Timestamp>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.earliest(shard).await,
            Tables::Postgres(postgres) => postgres.earliest(shard).await,
        }
    }
}
