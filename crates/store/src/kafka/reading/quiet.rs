//! What the client says by itself: an end of a partition is no error.

use rdkafka::ClientContext;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;

/// Says what may matter to somebody.
pub(super) struct Quiet;

impl ClientContext for Quiet {
    fn error(&self, error: KafkaError, reason: &str) {
        if !matches!(error, KafkaError::PartitionEOF(_)) {
            tracing::warn!(%error, reason, "the client of Kafka; it tries again");
        }
    }
}

impl ConsumerContext for Quiet {}
