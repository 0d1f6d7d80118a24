//! How the database and the log stand: what a server's operator has to know of them.

use crate::store::Tables;
use crate::{Failure, Store};
use jiff::Timestamp;

/// The database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Its name and version.
    pub product: Box<str>,
    /// Its own clock; none if it has none but ours.
    pub time: Option<Timestamp>,
    /// Its settings that decide what is kept and how long anything may take.
    pub settings: Vec<(Box<str>, Box<str>)>,
    /// Its size in bytes.
    pub bytes: u64,
}

/// The topic of a log in Kafka.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicCondition {
    /// How many partitions it has.
    pub partitions: u32,
    /// The fewest replicas of a partition.
    pub replicas: u32,
    /// Its settings by their names in Kafka.
    pub settings: Vec<(Box<str>, Box<str>)>,
}

impl Store {
    /// How the database stands.
    pub async fn condition(&self) -> Result<Condition, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.condition().await,
            Tables::Postgres(postgres) => postgres.condition().await,
        }
    }
}

#[cfg(feature = "kafka")]
impl TopicCondition {
    /// How the topic of a log stands.
    pub async fn of(settings: &crate::KafkaSettings) -> Result<Self, Failure> {
        crate::kafka::topic::condition(settings).await
    }
}

#[cfg(not(feature = "kafka"))]
impl TopicCondition {
    /// How the topic of a log stands: this binary can't ask.
    pub async fn of(_: &crate::KafkaSettings) -> Result<Self, Failure> {
        Err(Failure::Database(
            "this binary was built without Kafka's client".into(),
        ))
    }
}
