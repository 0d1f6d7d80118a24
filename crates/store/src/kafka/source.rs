//! A reader of somebody else's topic.

use super::is_passing;
use super::partition;
use super::reading::Quiet;
use crate::{Failure, KafkaSettings, PartitionEnds, PollMax, Polled};
use jiff::Timestamp;
use model::topic::RawRecord;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::{Offset, TopicPartitionList};
use std::sync::Arc;
use std::time::Duration;

/// How long the client looks for another record, once there are some.
const MORE: Duration = Duration::from_millis(2);
/// How often one record is asked for, within the time that an answer may take.
const PROBE: Duration = Duration::from_millis(200);
const PROBES_MAX: u32 = 50;

/// Reads one topic.
pub struct TopicReader {
    consumer: Arc<BaseConsumer<Quiet>>,
    settings: KafkaSettings,
}

impl std::fmt::Debug for TopicReader {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("TopicReader")
            .field("topic", &self.settings.topic)
            .finish_non_exhaustive()
    }
}

impl TopicReader {
    /// A reader that reads nothing yet; `what` tells our clients apart in the brokers' own logs.
    pub async fn open(settings: &KafkaSettings, what: &str) -> Result<Self, Failure> {
        let config = settings.consumer(what);
        let topic = settings.topic.clone();
        let opening = tokio::task::spawn_blocking(move || config.create_with_context(Quiet));
        let consumer = opening.await.map_err(|why| failed(&topic, &why))?;
        Ok(Self {
            consumer: Arc::new(consumer.map_err(|why| failed(&topic, &why))?),
            settings: settings.clone(),
        })
    }

    /// What each partition holds, as the brokers say now.
    pub async fn layout(&self) -> Result<Vec<PartitionEnds>, Failure> {
        self.ask(|consumer, settings| {
            let (topic, ask_max) = (&*settings.topic, settings.ask_max);
            let metadata = consumer.fetch_metadata(Some(topic), ask_max)?;
            let found = metadata.topics().iter().find(|found| found.name() == topic);
            let missing = KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopic);
            let found = found
                .filter(|found| found.error().is_none())
                .ok_or(missing)?;
            let mut ends = Vec::new();
            for one in found.partitions() {
                let (low, high) = consumer.fetch_watermarks(topic, one.id(), ask_max)?;
                ends.push(PartitionEnds {
                    partition: u32::try_from(one.id()).unwrap_or(u32::MAX),
                    low: offset(low),
                    high: offset(high),
                });
            }
            ends.sort_by_key(|ends| ends.partition);
            Ok(ends)
        })
        .await
    }

    /// Reads these partitions from these offsets on, and no others.
    pub async fn start(&self, from: Vec<(u32, u64)>) -> Result<(), Failure> {
        self.ask(move |consumer, settings| {
            let mut list = TopicPartitionList::new();
            for (number, next) in from {
                let next = Offset::Offset(i64::try_from(next).unwrap_or(i64::MAX));
                list.add_partition_offset(&settings.topic, partition(number), next)?;
            }
            consumer.assign(&list)
        })
        .await
    }

    /// What comes next: as soon as something does.
    pub async fn poll(&self, max: PollMax) -> Result<Polled, Failure> {
        self.ask(move |consumer, _| Ok(poll(consumer, max))).await
    }

    /// The record that stands at an offset, if it is still there.
    pub async fn record_at(&self, of: u32, at: u64) -> Result<Option<RawRecord>, Failure> {
        let prober = Self::open(&self.settings, "probe").await?;
        prober.start(vec![(of, at)]).await?;
        let max = PollMax {
            count: 1,
            bytes: 1,
            wait: PROBE,
        };
        for _ in 0..PROBES_MAX {
            let polled = prober.poll(max).await?;
            if let Some(first) = polled.records.into_iter().next() {
                return Ok(Some(first).filter(|record| record.offset == at));
            }
            if !polled.ends.is_empty() || polled.is_lost {
                return Ok(None);
            }
        }
        Err(Failure::Late)
    }

    /// Asks the client, off the runtime's own threads.
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&BaseConsumer<Quiet>, &KafkaSettings) -> Result<T, KafkaError>
        + Send
        + 'static,
    ) -> Result<T, Failure> {
        let (consumer, settings) = (Arc::clone(&self.consumer), self.settings.clone());
        let topic = settings.topic.clone();
        let asking = tokio::task::spawn_blocking(move || work(&consumer, &settings));
        let answer = asking.await.map_err(|why| failed(&topic, &why))?;
        answer.map_err(|why| match is_passing(&why) {
            true => Failure::Away(said(&topic, &why)),
            false => failed(&topic, &why),
        })
    }
}

fn poll(consumer: &BaseConsumer<Quiet>, max: PollMax) -> Polled {
    let mut polled = Polled::default();
    let mut bytes = 0;
    let mut wait = max.wait;
    while polled.records.len() < max.count && bytes < max.bytes {
        let next = consumer.poll(wait);
        wait = MORE;
        match next {
            Some(Ok(message)) => {
                let record = raw(&message);
                polled.ends.retain(|ended| *ended != record.partition);
                bytes += message.payload_len() + message.key_len();
                polled.trouble = None;
                polled.records.push(record);
            }
            Some(Err(KafkaError::PartitionEOF(at))) => {
                polled.trouble = None;
                polled.ends.push(u32::try_from(at).unwrap_or(u32::MAX));
            }
            Some(Err(why)) => {
                polled.is_lost |= is_lost(&why);
                polled.trouble = Some(why.to_string().into());
            }
            None => return polled,
        }
        if polled.is_lost {
            return polled;
        }
    }
    polled
}

/// Whether the position is gone, or the topic is not the one that was read.
fn is_lost(why: &KafkaError) -> bool {
    matches!(why, KafkaError::MessageConsumptionFatal(_))
        || matches!(
            why.rdkafka_error_code(),
            Some(
                RDKafkaErrorCode::AutoOffsetReset
                    | RDKafkaErrorCode::OffsetOutOfRange
                    | RDKafkaErrorCode::UnknownTopic
                    | RDKafkaErrorCode::UnknownTopicOrPartition
                    | RDKafkaErrorCode::UnknownPartition
            )
        )
}

fn raw(message: &BorrowedMessage<'_>) -> RawRecord {
    let millis = message.timestamp().to_millis();
    let at = millis.and_then(|millis| Timestamp::from_millisecond(millis).ok());
    let headers = message.headers().into_iter().flat_map(|headers| {
        let named = headers.iter();
        named.map(|header| (header.key.into(), header.value.unwrap_or_default().into()))
    });
    RawRecord {
        topic: message.topic().into(),
        partition: u32::try_from(message.partition()).unwrap_or(u32::MAX),
        offset: offset(message.offset()),
        at: at.unwrap_or(Timestamp::UNIX_EPOCH),
        key: message.key().map(Into::into),
        value: message.payload().map(Into::into),
        headers: headers.collect(),
    }
}

fn offset(offset: i64) -> u64 {
    u64::try_from(offset).unwrap_or(0)
}

fn said(topic: &str, why: &dyn std::fmt::Display) -> Box<str> {
    format!("the topic {topic} in Kafka: {why}").into()
}

fn failed(topic: &str, why: &dyn std::fmt::Display) -> Failure {
    Failure::Database(said(topic, why))
}
