//! The log: facts in order, for each shard from position 1 and without gaps.

use crate::store::{Log, Tables};
use crate::{Failure, NewParked, Store};
use jiff::Timestamp;

/// Facts brought to the log at once.
#[cfg(feature = "kafka")]
const TELL_MAX: u32 = 500;
#[cfg(feature = "kafka")]
const TELL_BYTES_MAX: usize = 8 << 20;

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
        match &self.log {
            Log::Tables => self.tables.append(incoming).await,
            #[cfg(feature = "kafka")]
            Log::Kafka(kafka) => {
                // The facts first: who brings all of it again because of the rest brings facts that are known.
                let appended = kafka.append(&incoming.facts).await?;
                if !incoming.parked.is_empty() {
                    let parked = incoming.parked;
                    let facts = Vec::new();
                    self.tables.append(Incoming { facts, parked }).await?;
                }
                Ok(appended)
            }
            Log::Elsewhere => Err(elsewhere().into()),
        }
    }

    /// The facts after a position, in order: at most `count_max`, and no more once `bytes_max` is passed. For who
    /// decides the shard: the log is read ahead from there.
    pub async fn read_log(
        &self,
        shard: u32,
        after: u64,
        count_max: u32,
        bytes_max: usize,
    ) -> Result<Vec<StoredFact>, Failure> {
        match &self.log {
            Log::Tables => {
                self.tables
                    .read_log(shard, after, count_max, bytes_max)
                    .await
            }
            #[cfg(feature = "kafka")]
            Log::Kafka(kafka) => {
                let max = crate::kafka::PageMax {
                    count: count_max,
                    bytes: bytes_max,
                };
                crate::kafka::proof::read((kafka, &self.tables), shard, after, max).await
            }
            Log::Elsewhere => Err(elsewhere()),
        }
    }

    /// The same for who reads again what was read before: it begins with the oldest that is kept, and disturbs
    /// nobody who decides.
    pub async fn read_back(
        &self,
        shard: u32,
        after: u64,
        count_max: u32,
        bytes_max: usize,
    ) -> Result<Vec<StoredFact>, Failure> {
        match &self.log {
            Log::Tables => {
                self.tables
                    .read_log(shard, after, count_max, bytes_max)
                    .await
            }
            #[cfg(feature = "kafka")]
            Log::Kafka(kafka) => {
                let max = crate::kafka::PageMax {
                    count: count_max,
                    bytes: bytes_max,
                };
                kafka.read_again(shard, after, max).await
            }
            Log::Elsewhere => Err(elsewhere()),
        }
    }

    /// The position of the last fact of a shard; 0 if there is none.
    pub async fn log_end(&self, shard: u32) -> Result<u64, Failure> {
        match &self.log {
            Log::Tables => self.tables.log_end(shard).await,
            #[cfg(feature = "kafka")]
            Log::Kafka(kafka) => kafka.log_end(shard).await,
            Log::Elsewhere => Err(elsewhere()),
        }
    }

    /// Brings to the log what was told together with other rows and waits for it, in order; how many there were.
    /// Nothing where the log lies beside those rows. A cut between the two tells them again: their ids are known.
    pub async fn tell_log(&self, shard: u32) -> Result<usize, AppendError> {
        match &self.log {
            Log::Tables | Log::Elsewhere => {
                tracing::trace!(shard, "nothing waits to be told");
                Ok(0)
            }
            #[cfg(feature = "kafka")]
            Log::Kafka(kafka) => {
                let waiting = self
                    .tables
                    .read_log(shard, 0, TELL_MAX, TELL_BYTES_MAX)
                    .await?;
                let Some(last) = waiting.last().map(|fact| fact.position) else {
                    return Ok(0);
                };
                let facts: Vec<NewFact> = waiting
                    .into_iter()
                    .map(|fact| NewFact {
                        shard,
                        arrived_at: fact.arrived_at,
                        json: fact.json,
                    })
                    .collect();
                kafka.append(&facts).await?;
                self.tables.forget_facts(shard, last).await?;
                Ok(facts.len())
            }
        }
    }

    /// Whether what stands in the log can be written anew: not in Kafka, which keeps it as long as its topic says.
    pub fn rewrites_log(&self) -> bool {
        match &self.log {
            Log::Tables => true,
            #[cfg(feature = "kafka")]
            Log::Kafka(_) => false,
            Log::Elsewhere => false,
        }
    }

    /// Nobody decides the shard here any more.
    pub fn let_go(&self, shard: u32) {
        match &self.log {
            Log::Tables | Log::Elsewhere => tracing::trace!(shard, "nothing was read ahead"),
            #[cfg(feature = "kafka")]
            Log::Kafka(kafka) => kafka.let_go(shard),
        }
    }

    /// Where every shard's log ends, if that does not stand in the tables.
    pub(crate) async fn ends_elsewhere(&self) -> Result<Option<Vec<u64>>, Failure> {
        match &self.log {
            Log::Tables => Ok(None),
            #[cfg(feature = "kafka")]
            Log::Kafka(kafka) => {
                let mut ends = Vec::new();
                for shard in 0..self.shards() {
                    ends.push(kafka.log_end(shard).await?);
                }
                Ok(Some(ends))
            }
            Log::Elsewhere => Err(elsewhere()),
        }
    }
}

impl Tables {
    pub(crate) async fn append(&self, incoming: Incoming) -> Result<Appended, AppendError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.append(incoming).await,
            Self::Postgres(postgres) => postgres.append(incoming).await,
        }
    }

    pub(crate) async fn read_log(
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

    async fn log_end(&self, shard: u32) -> Result<u64, Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.log_end(shard).await,
            Self::Postgres(postgres) => postgres.log_end(shard).await,
        }
    }

    #[cfg(feature = "kafka")]
    pub(crate) async fn log_mark(&self, shard: u32) -> Result<Option<(u64, Box<str>)>, Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.log_mark(shard).await,
            Self::Postgres(postgres) => postgres.log_mark(shard).await,
        }
    }

    #[cfg(feature = "kafka")]
    pub(crate) async fn set_log_mark(
        &self,
        shard: u32,
        position: u64,
        mark: &str,
    ) -> Result<(), Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.set_log_mark(shard, position, mark).await,
            Self::Postgres(postgres) => postgres.set_log_mark(shard, position, mark).await,
        }
    }

    #[cfg(feature = "kafka")]
    async fn forget_facts(&self, shard: u32, through: u64) -> Result<(), Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.forget_facts(shard, through).await,
            Self::Postgres(postgres) => postgres.forget_facts(shard, through).await,
        }
    }
}

/// What needs the log can't be done by who does not know where it is.
fn elsewhere() -> Failure {
    Failure::Database(
        "the log of this store is in Kafka: say where in the settings (`log.kafka`)".into(),
    )
}
