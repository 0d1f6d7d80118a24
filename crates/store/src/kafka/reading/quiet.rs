//! What the client says by itself: an end of a partition is no error.

use rdkafka::ClientContext;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// Says what may matter to somebody.
pub(in crate::kafka) struct Quiet;

impl ClientContext for Quiet {
    fn error(&self, error: KafkaError, reason: &str) {
        // Here it comes as a global error: the partition stands in the words only.
        let is_end = error.rdkafka_error_code() == Some(RDKafkaErrorCode::PartitionEOF);
        if !is_end {
            tracing::warn!(%error, reason, "the client of Kafka; it tries again");
        }
    }
}

impl ConsumerContext for Quiet {}
