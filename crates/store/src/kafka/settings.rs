//! How the brokers are reached, and what may not be changed about it.

use rdkafka::ClientConfig;
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
const OURS: [(&str, &str); 9] = [
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

/// What only one kind of client knows.
const PRODUCER_ONLY: [&str; 3] = ["acks", "enable.idempotence", "partitioner"];
const CONSUMER_ONLY: [&str; 6] = [
    "enable.auto.commit",
    "enable.auto.offset.store",
    "isolation.level",
    "auto.offset.reset",
    "enable.partition.eof",
    "allow.auto.create.topics",
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

    /// For writing.
    pub(super) fn producer(&self) -> ClientConfig {
        let mut config = self.base("append", &CONSUMER_ONLY);
        config
            .set(
                "delivery.timeout.ms",
                self.deliver_max.as_millis().to_string(),
            )
            .set("queue.buffering.max.messages", self.waiting_max.to_string())
            .set("linger.ms", "2")
            .set("compression.type", "zstd");
        config
    }

    /// For reading; `what` tells our clients apart in the brokers' own logs.
    pub(super) fn consumer(&self, what: &str) -> ClientConfig {
        let mut config = self.base(what, &PRODUCER_ONLY);
        config
            // Only named so that lag tools find it: partitions are assigned by hand, under the store's leases.
            .set("group.id", format!("{}-sottaku", self.topic))
            .set("fetch.wait.max.ms", "100")
            .set("queued.max.messages.kbytes", "16384");
        config
    }

    fn base(&self, what: &str, but: &[&str]) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (key, value) in &self.client {
            config.set(key.as_ref(), value.as_ref());
        }
        for (key, value) in OURS.iter().filter(|(key, _)| !but.contains(key)) {
            config.set(*key, *value);
        }
        let client = format!("sottaku-{}-{what}", std::process::id());
        config
            .set("bootstrap.servers", self.brokers.as_ref())
            .set("client.id", client)
            .set("socket.nagle.disable", "true")
            .set("reconnect.backoff.max.ms", "2000");
        config
    }
}
