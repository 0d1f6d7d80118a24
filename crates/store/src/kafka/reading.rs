//! Reading ahead: one consumer on a thread of its own, and for each shard a bounded queue that is read from.

mod slot;
mod thread;

use super::{KafkaSettings, PageMax, partition, refused};
use crate::{Failure, StoredFact};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use slot::{Slot, Slots};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;
use thread::Command;
use tokio::time::{Instant, timeout_at};

/// How long the running flow may bring what is known to be there, before it is asked for again.
const FLOW_MAX: Duration = Duration::from_millis(300);

/// Reads the shards' logs, each from where it was read last.
pub(super) struct Reading {
    consumer: Arc<BaseConsumer>,
    slots: Arc<Slots>,
    commands: Sender<Command>,
    topic: Box<str>,
    ask_max: Duration,
}

impl Reading {
    pub(super) fn start(settings: &KafkaSettings, what: &str) -> Result<Self, Failure> {
        let consumer: BaseConsumer = settings
            .consumer(what)
            .create()
            .map_err(|why| refused(&why))?;
        let consumer = Arc::new(consumer);
        let slots = Arc::new(Slots::default());
        let (commands, told) = channel();
        let reader = thread::Reader::new(settings, Arc::clone(&consumer), Arc::clone(&slots));
        std::thread::Builder::new()
            .name(format!("kafka-{what}"))
            .spawn(move || reader.run(&told))
            .map_err(|why| refused(&why))?;
        Ok(Self {
            consumer,
            slots,
            commands,
            topic: settings.topic.clone(),
            ask_max: settings.ask_max,
        })
    }

    /// The facts after a position; empty if up to the end that was asked for last there are none.
    pub(super) async fn read(
        &self,
        shard: u32,
        after: u64,
        max: PageMax,
    ) -> Result<Vec<StoredFact>, Failure> {
        let slot = self.slots.of(shard);
        // An end of the partition proves something only if it was met after this call began.
        let mut is_asked = slot.begin(after);
        if is_asked {
            self.ask(shard, after)?;
        }
        let until = Instant::now() + self.ask_max;
        let mut patience = Instant::now() + FLOW_MAX;
        loop {
            let news = slot.news();
            if let Some(why) = slot.take_halt() {
                return Err(refused(&why));
            }
            let facts = slot.take(max);
            if !facts.is_empty() {
                if slot.has_room_again() {
                    self.tell(Command::Resume(shard))?;
                }
                return Ok(facts);
            }
            if slot.is_at_end() && is_asked {
                slot.nothing_follows(after);
                return Ok(facts);
            }
            if !is_asked && Instant::now() >= patience {
                is_asked = true;
                slot.restart(after);
                self.ask(shard, after)?;
            }
            if Instant::now() >= until {
                slot.forget();
                return Err(Failure::Late);
            }
            if is_asked {
                patience = until;
            }
            // Woken or not: the loop looks again.
            drop(timeout_at(patience.min(until), news).await);
        }
    }

    /// Where a shard's log ends, as the broker says now.
    pub(super) async fn end(&self, shard: u32) -> Result<u64, Failure> {
        let (consumer, topic) = (Arc::clone(&self.consumer), self.topic.clone());
        let ask_max = self.ask_max;
        let asking = tokio::task::spawn_blocking(move || {
            consumer.fetch_watermarks(&topic, partition(shard), ask_max)
        });
        let (_, high) = asking
            .await
            .map_err(|why| refused(&why))?
            .map_err(|why| refused(&why))?;
        let high = u64::try_from(high).unwrap_or(0);
        Ok(self.slots.of(shard).end(high))
    }

    /// Reads no further ahead for a shard.
    pub(super) fn let_go(&self, shard: u32) {
        self.slots.of(shard).forget();
        if self.tell(Command::LetGo(shard)).is_err() {
            tracing::debug!(
                shard,
                "the thread that reads has ended; there is nothing to let go of"
            );
        }
    }

    fn ask(&self, shard: u32, after: u64) -> Result<(), Failure> {
        self.tell(Command::From { shard, after })
    }

    fn tell(&self, command: Command) -> Result<(), Failure> {
        self.commands.send(command).map_err(|_| Failure::Closed)
    }
}

/// A slot is shared between its reader and the thread.
type SharedSlot = Arc<Slot>;
