//! The store: one face, whichever database is behind it.

use crate::{Failure, Postgres, Sqlite, Tuning};
use std::path::Path;

/// The number of shards of a new store, if none is asked for.
pub(crate) const SHARDS_DEFAULT: u32 = 8;
/// A store can't have more shards.
pub const SHARDS_MAX: u32 = 1024;

/// What must survive.
#[derive(Clone, Debug)]
pub enum Store {
    /// In one file, for one machine.
    Sqlite(Sqlite),
    /// In a database that many machines share.
    Postgres(Postgres),
}

/// Whose time decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockMode {
    /// The wall clock.
    Live,
    /// The facts' own time.
    Log,
}

impl ClockMode {
    /// The word in tables, settings and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Log => "log",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Live, Self::Log]
            .into_iter()
            .find(|mode| mode.as_str() == word)
    }
}

/// What a store is opened with. What is not said is taken as it is stored; a new store has 8 shards and the live clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenOptions {
    /// The number of shards; fixed when the store is made.
    pub shards: Option<u32>,
    /// Whose time decides; fixed when the store is made.
    pub clock: Option<ClockMode>,
    /// Refuse to make a new store.
    pub must_exist: bool,
    /// Limits and deadlines.
    pub tuning: Tuning,
}

/// What was fixed when the store was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Names this store; another one has another.
    pub incarnation: Box<str>,
    /// The number of shards.
    pub shards: u32,
    /// Whose time decides.
    pub clock: ClockMode,
}

/// Why a store could not be opened.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none.
    #[error("there is no store at {0}")]
    Missing(Box<str>),
    /// It has another number of shards, which can't be changed.
    #[error("the store has {stored} shards, not {asked}; the number is fixed when a store is made")]
    Shards {
        /// What it has.
        stored: u32,
        /// What was asked for.
        asked: u32,
    },
    /// A number of shards that can't be.
    #[error("a store has 1 to {SHARDS_MAX} shards, not {0}")]
    ShardCount(u32),
    /// It was made for the other clock, which can't be changed.
    #[error("the store decides by the {} clock, not the {} clock; this is fixed when a store is made", .stored.as_str(), .asked.as_str())]
    Clock {
        /// What it has.
        stored: ClockMode,
        /// What was asked for.
        asked: ClockMode,
    },
    /// Its tables can't be brought up to date.
    #[error("the tables can't be brought up to date: {0}")]
    Migration(Box<str>),
    /// The database would lose what it acknowledged.
    #[error("the database is not safe: {0}")]
    Unsafe(Box<str>),
    /// The file can't be used.
    #[error("{path}: {why}")]
    File {
        /// Which.
        path: Box<str>,
        /// Why.
        why: Box<str>,
    },
    /// What was given is not where a database can be.
    #[error("the store can't be there: {0}")]
    Address(Box<str>),
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// What a check of the whole file found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// What is wrong; empty if nothing is.
    pub problems: Vec<Box<str>>,
    /// Bytes in the file.
    pub bytes: u64,
}

impl Store {
    /// Opens the store in a file, makes it if there is none, and brings its tables up to date.
    pub async fn open(path: &Path, options: OpenOptions) -> Result<Self, OpenError> {
        Ok(Self::Sqlite(Sqlite::open(path, options).await?))
    }

    /// Opens the store in a Postgres database, `postgres://user:password@host:port/database`, makes its tables if there
    /// are none, and brings them up to date.
    pub async fn connect(url: &str, options: OpenOptions) -> Result<Self, OpenError> {
        Ok(Self::Postgres(Postgres::open(url, options).await?))
    }

    /// What was fixed when the store was made.
    pub fn meta(&self) -> &Meta {
        match self {
            Self::Sqlite(sqlite) => sqlite.meta(),
            Self::Postgres(postgres) => postgres.meta(),
        }
    }

    /// The number of shards.
    pub fn shards(&self) -> u32 {
        self.meta().shards
    }

    /// Whose time decides.
    pub fn clock(&self) -> ClockMode {
        self.meta().clock
    }

    /// Reads everything and says what is damaged.
    pub async fn check(&self) -> Result<Health, Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.check().await,
            Self::Postgres(postgres) => postgres.check().await,
        }
    }

    /// Ends what is under way, closes every connection and awaits their end. Later calls fail as `Closed`.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(sqlite) => sqlite.close().await,
            Self::Postgres(postgres) => postgres.close().await,
        }
    }
}
