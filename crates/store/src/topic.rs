//! Reading somebody else's topic: partitions assigned by hand, from where each was left.

#[cfg(feature = "kafka")]
pub use crate::kafka::source::TopicReader;
use model::topic::RawRecord;
use std::time::Duration;

/// What a partition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionEnds {
    /// The partition.
    pub partition: u32,
    /// The offset of the oldest record.
    pub low: u64,
    /// The offset of the record that comes next.
    pub high: u64,
}

/// How much is read at once.
#[derive(Clone, Copy, Debug)]
pub struct PollMax {
    /// Records.
    pub count: usize,
    /// Bytes.
    pub bytes: usize,
    /// How long the first one is waited for.
    pub wait: Duration,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Polled {
    /// Records, of each partition in order.
    pub records: Vec<RawRecord>,
    /// Partitions whose end was met after them.
    pub ends: Vec<u32>,
    /// Why nothing came, if the client says; it goes on trying.
    pub trouble: Option<Box<str>>,
    /// Whether a position is not in its partition.
    pub is_lost: bool,
}

#[cfg(not(feature = "kafka"))]
mod unbuilt {
    use super::{PartitionEnds, PollMax, Polled};
    use crate::{Failure, KafkaSettings};
    use model::topic::RawRecord;

    /// Reads one topic: this binary can't.
    #[derive(Debug)]
    pub struct TopicReader(std::convert::Infallible);

    impl TopicReader {
        /// Says that this binary can't.
        pub async fn open(_: &KafkaSettings, _: &str) -> Result<Self, Failure> {
            Err(Failure::Database(
                "this binary was built without Kafka's client: `cargo build --features kafka`"
                    .into(),
            ))
        }

        /// What each partition holds.
        pub async fn layout(&self) -> Result<Vec<PartitionEnds>, Failure> {
            match self.0 {}
        }

        /// Reads from these offsets on.
        pub async fn start(&self, _: Vec<(u32, u64)>) -> Result<(), Failure> {
            match self.0 {}
        }

        /// What comes next.
        pub async fn poll(&self, _: PollMax) -> Result<Polled, Failure> {
            match self.0 {}
        }

        /// The record that stands at an offset, if it is still there.
        pub async fn record_at(&self, _: u32, _: u64) -> Result<Option<RawRecord>, Failure> {
            match self.0 {}
        }
    }
}
#[cfg(not(feature = "kafka"))]
pub use unbuilt::TopicReader;
