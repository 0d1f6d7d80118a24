//! Where the log is, if it is in Kafka, and what may not be changed about how it is used.

use std::collections::BTreeMap;
use std::time::Duration;

/// Where the log is.
#[derive(Clone)]
pub struct KafkaSettings {
    /// `host:port` of some brokers, with commas between.
    pub brokers: Box<str>,
    /// The topic, Sottaku's own.
    pub topic: Box<str>,
    /// Copies of each record, of a new topic; the cluster's own default if not said.
    pub replicas: Option<u16>,
    /// What else the client is told, as librdkafka names it: `security.protocol`, `sasl.mechanism`, `ssl.ca.location` …
    pub client: BTreeMap<Box<str>, Box<str>>,
    /// A record that no broker took by then has failed.
    pub deliver_max: Duration,
    /// A question to the brokers is given up after this.
    pub ask_max: Duration,
    /// Records that may wait to be taken by the brokers; more are refused at once.
    pub waiting_max: u32,
}

/// What the promises stand on; nobody may set these otherwise.
pub(crate) const OURS: [(&str, &str); 9] = [
    ("acks", "all"),
    ("enable.idempotence", "true"),
    ("partitioner", "murmur2_random"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("isolation.level", "read_committed"),
    // A position that is no longer there halts the shard; nothing is skipped silently.
    ("auto.offset.reset", "error"),
    ("enable.partition.eof", "true"),
    ("allow.auto.create.topics", "false"),
];

impl KafkaSettings {
    /// Settings for brokers and a topic, with the usual limits.
    pub fn new(brokers: impl Into<Box<str>>, topic: impl Into<Box<str>>) -> Self {
        Self {
            brokers: brokers.into(),
            topic: topic.into(),
            replicas: None,
            client: BTreeMap::new(),
            deliver_max: Duration::from_secs(30),
            ask_max: Duration::from_secs(5),
            waiting_max: 100_000,
        }
    }

    /// The settings among `client` that the promises forbid to change.
    pub fn forbidden(&self) -> impl Iterator<Item = &str> {
        self.client
            .keys()
            .map(AsRef::as_ref)
            .filter(|key| OURS.iter().any(|(ours, _)| ours == key))
    }
}
