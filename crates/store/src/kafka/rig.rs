//! A real broker for the tests: one for the whole process, with a topic of its own for each test.

use super::Kafka;
use crate::KafkaSettings;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Starts the broker once, and says where it listens.
fn brokers() -> &'static str {
    static BROKER: OnceLock<servers::Kafka> = OnceLock::new();
    BROKER.get_or_init(servers::Kafka::start).address()
}

/// A topic nobody else uses.
pub(super) fn settings() -> KafkaSettings {
    static TOPICS: AtomicU32 = AtomicU32::new(0);
    let number = TOPICS.fetch_add(1, Ordering::Relaxed);
    let topic = format!("facts-{}-{number}", std::process::id());
    let mut settings = KafkaSettings::new(brokers(), topic);
    settings.replicas = Some(1);
    // A broker that has just begun to listen lets its first clients wait.
    settings.ask_max *= 4;
    settings
}

/// A log of two shards.
pub(super) async fn log(settings: &KafkaSettings) -> Kafka {
    let settings = settings.clone();
    Kafka::open(settings, 2).await.expect("the topic is made")
}
