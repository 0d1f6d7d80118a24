//! The store: one face, whichever database is behind it.

use crate::{Failure, KafkaSettings, Postgres, Sqlite, Tuning};
use std::path::Path;

/// The number of shards of a new store, if none is asked for.
pub(crate) const SHARDS_DEFAULT: u32 = 8;
/// A store can't have more shards.
pub const SHARDS_MAX: u32 = 1024;

/// What must survive. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) tables: Tables,
    pub(crate) log: Log,
}

/// Where the tables are.
#[derive(Clone, Debug)]
pub(crate) enum Tables {
    /// In one file, for one machine.
    Sqlite(Sqlite),
    /// In a database that many machines share.
    Postgres(Postgres),
}

/// Where the facts are.
#[derive(Clone, Debug)]
pub(crate) enum Log {
    /// In a table of their own.
    Tables,
    /// In Kafka; what is told together with other rows waits in that table until it is there.
    #[cfg(feature = "kafka")]
    Kafka(crate::kafka::Kafka),
    /// In Kafka, and nobody said where.
    Elsewhere,
}

/// Where a store has its facts; fixed when it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogKind {
    /// Beside its other tables.
    #[default]
    Tables,
    /// In a topic of Kafka.
    Kafka,
}

impl LogKind {
    /// The word in tables, settings and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tables => "tables",
            Self::Kafka => "kafka",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Tables, Self::Kafka]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
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
    /// Where the facts are; fixed when the store is made.
    pub log: Option<LogKind>,
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
    /// Where the facts are.
    pub log: LogKind,
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
    /// It has its log elsewhere, which can't be changed.
    #[error("the log of the store is in {}, not in {}; this is fixed when a store is made", .stored.as_str(), .asked.as_str())]
    Log {
        /// Where it is.
        stored: LogKind,
        /// What was asked for.
        asked: LogKind,
    },
    /// This binary has no client for Kafka.
    #[error(
        "the log is the topic {0} in Kafka, and this binary was built without its client: `cargo build --features kafka`"
    )]
    Unbuilt(Box<str>),
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
        Ok(Self::of(Tables::Sqlite(Sqlite::open(path, options).await?)))
    }

    /// Opens the store in a Postgres database, `postgres://user:password@host:port/database`, makes its tables if there
    /// are none, and brings them up to date.
    pub async fn connect(url: &str, options: OpenOptions) -> Result<Self, OpenError> {
        Ok(Self::of(Tables::Postgres(
            Postgres::open(url, options).await?,
        )))
    }

    pub(crate) fn of(tables: Tables) -> Self {
        let mut store = Self {
            tables,
            log: Log::Tables,
        };
        if store.meta().log == LogKind::Kafka {
            store.log = Log::Elsewhere;
        }
        store
    }

    /// Says where the log is of a store that has it in Kafka.
    pub async fn with_log(self, settings: &KafkaSettings) -> Result<Self, OpenError> {
        if self.meta().log != LogKind::Kafka {
            return Err(OpenError::Log {
                stored: self.meta().log,
                asked: LogKind::Kafka,
            });
        }
        self.reach(settings).await
    }

    #[cfg(feature = "kafka")]
    async fn reach(mut self, settings: &KafkaSettings) -> Result<Self, OpenError> {
        let kafka = crate::kafka::Kafka::open(settings.clone(), self.shards()).await?;
        self.log = Log::Kafka(kafka);
        Ok(self)
    }

    #[cfg(not(feature = "kafka"))]
    async fn reach(self, settings: &KafkaSettings) -> Result<Self, OpenError> {
        Err(OpenError::Unbuilt(settings.topic.clone()))
    }

    /// What was fixed when the store was made.
    pub fn meta(&self) -> &Meta {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.meta(),
            Tables::Postgres(postgres) => postgres.meta(),
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
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.check().await,
            Tables::Postgres(postgres) => postgres.check().await,
        }
    }

    /// Ends what is under way, closes every connection and awaits their end. Later calls fail as `Closed`.
    pub async fn close(&self) {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.close().await,
            Tables::Postgres(postgres) => postgres.close().await,
        }
    }
}
