//! The log: facts in order, for each shard from position 1 and without gaps.

use crate::{Failure, NewParked, Store};
use jiff::Timestamp;

/// A fact to append. Control and CSM facts go to every shard: give one for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFact {
    /// The shard of its account.
    pub shard: u32,
    /// When it came in, by the wall clock.
    pub arrived_at: Timestamp,
    /// The CloudEvent.
    pub json: Box<str>,
}

/// What one caller brings in at once: all of it becomes durable, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Incoming {
    /// Facts for the log.
    pub facts: Vec<NewFact>,
    /// What can't be used, put aside with its reason.
    pub parked: Vec<NewParked>,
}

/// Where the facts of an [`Incoming`] stand now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// One position for each fact, in the order given.
    pub positions: Vec<u64>,
}

/// Why nothing was appended.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// More is waiting than the queue holds. Nothing was taken; try again later.
    #[error("too many facts are waiting to be written")]
    QueueFull,
    /// A shard that does not exist.
    #[error("there is no shard {0}")]
    NoShard(u32),
    /// The database failed; after [`Failure::Unknown`] the facts may have been taken.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// A fact as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFact {
    /// Its place, from 1.
    pub position: u64,
    /// When it came in.
    pub arrived_at: Timestamp,
    /// The CloudEvent, as it was given.
    pub json: Box<str>,
}

impl Store {
    /// Appends, and returns when it is durable. Many callers share one commit.
    pub async fn append(&self, incoming: Incoming) -> Result<Appended, AppendError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.append(incoming).await,
            Self::Postgres(postgres) => postgres.append(incoming).await,
        }
    }

    /// The facts after a position, in order: at most `count_max`, and no more once `bytes_max` is passed.
    pub async fn read_log(
        &self,
        shard: u32,
        after: u64,
        count_max: u32,
        bytes_max: usize,
    ) -> Result<Vec<StoredFact>, Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read_log(shard, after, count_max, bytes_max).await,
            Self::Postgres(postgres) => postgres.read_log(shard, after, count_max, bytes_max).await,
        }
    }

    /// The position of the last fact of a shard; 0 if there is none.
    pub async fn log_end(&self, shard: u32) -> Result<u64, Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.log_end(shard).await,
            Self::Postgres(postgres) => postgres.log_end(shard).await,
        }
    }
}
