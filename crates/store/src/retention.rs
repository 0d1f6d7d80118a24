//! What is kept for a time only: removed from the oldest on, a page at a time, by whoever decides the shard.

use crate::store::Tables;
use crate::{Failure, LogKind, Store};
use jiff::Timestamp;

/// What may be removed once its time is over. The newest row of each kind stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Facts of the log that are decided, where the log is the store's own.
    Facts,
    /// Records of the journal.
    Records,
    /// What says of each commit which accounts it woke, and by which text.
    Commits,
    /// Messages that are settled, with their attempts, fates, answers and captured mails. They lie together for all
    /// shards: whoever decides shard 0 removes them.
    Messages,
}

impl Kept {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Facts, Self::Records, Self::Commits, Self::Messages];

    /// The word in tables, measures and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Facts => "facts",
            Self::Records => "records",
            Self::Commits => "commits",
            Self::Messages => "messages",
        }
    }
}

/// A page of what is to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prune {
    /// The shard.
    pub shard: u32,
    /// The epoch of the decider's lease, which is compared in the same transaction.
    pub epoch: u64,
    /// What is older goes.
    pub before: Timestamp,
    /// Where the page begins, as the one before it said; 0: at the oldest.
    pub after: u64,
    /// At most so many rows are looked at.
    pub rows_max: u32,
}

/// What a page came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// How many rows were removed.
    pub rows: u64,
    /// Where the next page begins; none: nothing more is old enough, or may go at the moment.
    pub after: Option<u64>,
}

/// Why nothing was removed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PruneError {
    /// The lease has another epoch now: somebody else decides this shard.
    #[error("the lease of shard {shard} has epoch {epoch} now")]
    Fenced {
        /// The shard.
        shard: u32,
        /// Its epoch now.
        epoch: u64,
    },
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl Store {
    /// Removes a page of what is older than its time. Nothing goes while a new text takes effect, which may count anew
    /// what is there.
    pub async fn prune(&self, kind: Kept, page: Prune) -> Result<Pruned, PruneError> {
        if kind == Kept::Facts && self.meta().log != LogKind::Tables {
            // What lies in the table is on its way to the log.
            return Ok(Pruned::default());
        }
        if kind == Kept::Messages && page.shard != crate::sqlite::prunes::MESSAGES_SHARD {
            return Ok(Pruned::default());
        }
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.prune(kind, page).await,
            Tables::Postgres(postgres) => postgres.prune(kind, page).await,
        }
    }

    /// From when on every message is kept; none: none was ever removed.
    pub async fn messages_kept_from(&self) -> Result<Option<Timestamp>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.messages_kept_from().await,
            Tables::Postgres(postgres) => postgres.messages_kept_from().await,
        }
    }
}
