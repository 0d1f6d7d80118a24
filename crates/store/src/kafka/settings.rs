//! The same settings, as the client library wants them.

use crate::KafkaSettings;
use crate::brokers::OURS;
use rdkafka::ClientConfig;

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
    /// For writing.
    pub(in crate::kafka) fn producer(&self) -> ClientConfig {
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
    pub(in crate::kafka) fn consumer(&self, what: &str) -> ClientConfig {
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
