//! Reading ahead: one consumer on a thread of its own, and for each shard a bounded queue that is read from.

mod quiet;
mod slot;
mod thread;

use super::{PageMax, partition, refused, refused_by};
use crate::KafkaSettings;
use crate::{Failure, StoredFact};
pub(super) use quiet::Quiet;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use slot::{Slot, Slots};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::Duration;
use thread::Command;
use tokio::time::{sleep, timeout};

/// How long the running flow may bring what is known to be there, before it is asked for again.
const FLOW_MAX: Duration = Duration::from_millis(300);

/// Between two questions about a partition that nobody leads at the moment.
const ASK_PAUSE: Duration = Duration::from_millis(50);

/// Commands that the thread has not looked at yet.
const COMMANDS_MAX: usize = 4_096;

/// Reads the shards' logs, each from where it was read last.
pub(super) struct Reading {
    consumer: Arc<BaseConsumer<Quiet>>,
    slots: Arc<Slots>,
    commands: SyncSender<Command>,
    topic: Box<str>,
    ask_max: Duration,
}

impl Reading {
    pub(super) fn start(settings: &KafkaSettings, what: &str) -> Result<Self, Failure> {
        let consumer: BaseConsumer<Quiet> = settings
            .consumer(what)
            .create_with_context(Quiet)
            .map_err(|why| refused(&why))?;
        let consumer = Arc::new(consumer);
        let slots = Arc::new(Slots::default());
        let (commands, told) = sync_channel(COMMANDS_MAX);
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
        let stands_elsewhere = slot.aim(after);
        if !stands_elsewhere {
            let flow = timeout(FLOW_MAX, self.page(shard, &slot, max, false)).await;
            if let Ok(page) = flow {
                return page;
            }
            slot.restart(after);
        }
        // An end of the partition proves something only if it was met after this call began.
        self.tell(Command::From { shard, after })?;
        let Ok(page) = timeout(self.ask_max, self.page(shard, &slot, max, true)).await else {
            slot.forget();
            return Err(Failure::Late);
        };
        let page = page?;
        if page.is_empty() {
            slot.nothing_follows(after);
        }
        Ok(page)
    }

    /// What comes next; nothing only if `ends` and the end of the partition comes first.
    async fn page(
        &self,
        shard: u32,
        slot: &Slot,
        max: PageMax,
        ends: bool,
    ) -> Result<Vec<StoredFact>, Failure> {
        loop {
            let news = slot.news();
            if let Some(why) = slot.take_halt() {
                return Err(refused(&why));
            }
            let facts = slot.take(max);
            if !facts.is_empty() || (ends && slot.is_at_end()) {
                if slot.has_room_again() {
                    self.tell(Command::Resume(shard))?;
                }
                return Ok(facts);
            }
            news.await;
        }
    }

    /// Where a shard's log ends, as the broker says now.
    pub(super) async fn end(&self, shard: u32) -> Result<u64, Failure> {
        let (_, high) = self.watermarks(shard).await?;
        Ok(self.slots.of(shard).end(high))
    }

    /// The offset of the oldest record, and the one that comes next. A partition whose leader changes, or that was just
    /// made, is asked for again.
    async fn watermarks(&self, shard: u32) -> Result<(u64, u64), Failure> {
        let asking = async {
            loop {
                match self.watermarks_now(shard).await {
                    Err(Failure::Away(why)) => {
                        tracing::debug!(shard, %why, "the end of the log is asked for again");
                        sleep(ASK_PAUSE).await;
                    }
                    told => return told,
                }
            }
        };
        // The client's own deadline is the same; a second one is for those that answer at once.
        timeout(self.ask_max * 2, asking)
            .await
            .unwrap_or(Err(Failure::Late))
    }

    async fn watermarks_now(&self, shard: u32) -> Result<(u64, u64), Failure> {
        let (consumer, topic) = (Arc::clone(&self.consumer), self.topic.clone());
        let ask_max = self.ask_max;
        let asking = tokio::task::spawn_blocking(move || {
            consumer.fetch_watermarks(&topic, partition(shard), ask_max)
        });
        let (low, high) = asking
            .await
            .map_err(|why| refused(&why))?
            .map_err(|why| refused_by(&why))?;
        let offset = |offset| u64::try_from(offset).unwrap_or(0);
        Ok((offset(low), offset(high)))
    }

    /// How many partitions the topic has now.
    pub(super) async fn partitions(&self) -> Result<u32, Failure> {
        let (consumer, topic) = (Arc::clone(&self.consumer), self.topic.clone());
        let ask_max = self.ask_max;
        let asking =
            tokio::task::spawn_blocking(move || consumer.fetch_metadata(Some(&topic), ask_max));
        let metadata = asking
            .await
            .map_err(|why| refused(&why))?
            .map_err(|why| refused_by(&why))?;
        let found = metadata
            .topics()
            .iter()
            .map(|topic| topic.partitions().len());
        Ok(u32::try_from(found.sum::<usize>()).unwrap_or(u32::MAX))
    }

    /// A position, or the one before the oldest record that is kept if that comes later.
    pub(super) async fn kept(&self, shard: u32, after: u64) -> Result<u64, Failure> {
        let (low, _) = self.watermarks(shard).await?;
        Ok(after.max(low))
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

    fn tell(&self, command: Command) -> Result<(), Failure> {
        self.commands
            .try_send(command)
            .map_err(|refused| match refused {
                TrySendError::Full(_) => Failure::Busy,
                TrySendError::Disconnected(_) => Failure::Closed,
            })
    }
}

/// A slot is shared between its reader and the thread.
type SharedSlot = Arc<Slot>;
