//! The thread that polls: callbacks and waiting stay off the runtime's own.

use super::partition;
use super::quiet::Quiet;
use super::slot::Slots;
use crate::KafkaSettings;
use crate::StoredFact;
use jiff::Timestamp;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

/// How long it waits for records before it looks for commands.
const POLL: Duration = Duration::from_millis(10);

/// What the thread is told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Command {
    /// Read a shard after a position.
    From {
        /// Which.
        shard: u32,
        /// What was read last.
        after: u64,
    },
    /// There is room again.
    Resume(u32),
    /// Nobody reads it any more.
    LetGo(u32),
}

/// Reads ahead, until nobody can tell it anything any more.
pub(super) struct Reader {
    consumer: Arc<BaseConsumer<Quiet>>,
    slots: Arc<Slots>,
    topic: Box<str>,
    ask_max: Duration,
    assigned: BTreeSet<u32>,
}

impl Reader {
    pub(super) fn new(
        settings: &KafkaSettings,
        consumer: Arc<BaseConsumer<Quiet>>,
        slots: Arc<Slots>,
    ) -> Self {
        Self {
            consumer,
            slots,
            topic: settings.topic.clone(),
            ask_max: settings.ask_max,
            assigned: BTreeSet::new(),
        }
    }

    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        loop {
            loop {
                match commands.try_recv() {
                    Ok(command) => self.obey(command),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            let consumer = Arc::clone(&self.consumer);
            match consumer.poll(POLL) {
                Some(Ok(message)) => self.take(&message),
                Some(Err(KafkaError::PartitionEOF(at))) => {
                    self.slots.of(shard(at)).met_end();
                }
                Some(Err(why)) => self.trouble(&why),
                None => {}
            }
        }
    }

    fn obey(&mut self, command: Command) {
        let done = match command {
            Command::From { shard, after } => self.start(shard, after),
            Command::Resume(shard) => self.consumer.resume(&self.one(shard)),
            Command::LetGo(shard) => self.stop(shard),
        };
        if let Err(why) = done {
            tracing::warn!(?command, %why, "the log in Kafka could not be read as asked");
        }
    }

    fn start(&mut self, shard: u32, after: u64) -> KafkaResult<()> {
        self.stop(shard)?;
        let mut list = TopicPartitionList::new();
        let offset = Offset::Offset(i64::try_from(after).unwrap_or(i64::MAX));
        list.add_partition_offset(&self.topic, partition(shard), offset)?;
        self.consumer.incremental_assign(&list)?;
        self.assigned.insert(shard);
        // It may have been paused where it stood before.
        self.consumer.resume(&self.one(shard))?;
        // Nothing was polled since: what comes from here on is read from there.
        self.slots.of(shard).flows(after);
        Ok(())
    }

    fn stop(&mut self, shard: u32) -> KafkaResult<()> {
        if self.assigned.remove(&shard) {
            self.consumer.incremental_unassign(&self.one(shard))?;
        }
        Ok(())
    }

    fn one(&self, shard: u32) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.topic, partition(shard));
        list
    }

    fn take(&mut self, message: &BorrowedMessage<'_>) {
        let shard = shard(message.partition());
        let pauses = self.slots.of(shard).put(fact(message));
        if pauses && let Err(why) = self.consumer.pause(&self.one(shard)) {
            tracing::warn!(shard, %why, "reading ahead could not be paused");
        }
    }

    /// A position that is not in the log halts its shard; what passes by itself is left to the client.
    fn trouble(&mut self, why: &KafkaError) {
        if matches!(why, KafkaError::MessageConsumptionFatal(_)) {
            for (_, slot) in self.slots.all() {
                slot.halt(&why.to_string());
            }
        } else if why.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset) {
            self.find_lost();
        } else {
            tracing::warn!(%why, "reading the log in Kafka; the client tries again");
        }
    }

    fn find_lost(&mut self) {
        for shard in self.assigned.clone() {
            let slot = self.slots.of(shard);
            let Some(reached) = slot.reached() else {
                continue;
            };
            let asked = self
                .consumer
                .fetch_watermarks(&self.topic, partition(shard), self.ask_max);
            let why = match asked {
                Ok((low, high)) if (low..=high).contains(&offset(reached)) => continue,
                Ok((low, high)) => format!(
                    "shard {shard} stands at {reached}, and the partition holds {low} to {high}: \
                     records are gone, or the topic is another one; nothing is skipped"
                ),
                Err(why) => why.to_string(),
            };
            tracing::error!(shard, %why, "the shard is halted");
            slot.halt(&why);
        }
    }
}

fn shard(partition: i32) -> u32 {
    u32::try_from(partition).unwrap_or(u32::MAX)
}

fn offset(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// The record as a fact; what is no text is one that can't be read, and is parked by who decides.
fn fact(message: &BorrowedMessage<'_>) -> StoredFact {
    let json = String::from_utf8_lossy(message.payload().unwrap_or_default());
    let millis = message.timestamp().to_millis();
    let arrived_at = millis.and_then(|millis| Timestamp::from_millisecond(millis).ok());
    StoredFact {
        position: u64::try_from(message.offset()).map_or(0, |offset| offset + 1),
        arrived_at: arrived_at.unwrap_or(Timestamp::UNIX_EPOCH),
        json: json.into_owned().into(),
    }
}
