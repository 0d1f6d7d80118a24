//! Appending: each record is answered when every in-sync replica has it.

use super::{partition, refused};
use crate::KafkaSettings;
use crate::{AppendError, Failure, NewFact};
use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use serde::Deserialize;
use std::borrow::Cow;
use std::time::Duration;
use tokio::sync::oneshot;

/// A negative control: records have no key, so the client draws their partition.
fn is_keyless() -> bool {
    model::teeth::is_out("key")
}

/// What became of one record: its position, or why nobody knows.
type Told = Result<u64, KafkaError>;

/// Answers whoever waits for a record.
struct Answering;

impl ClientContext for Answering {}

impl ProducerContext for Answering {
    type DeliveryOpaque = Box<oneshot::Sender<Told>>;

    fn delivery(&self, result: &DeliveryResult<'_>, waiting: Self::DeliveryOpaque) {
        let told = match result {
            Ok(message) => Ok(position(message.offset())),
            Err((why, _)) => Err(why.clone()),
        };
        // Who went away does not undo the record.
        drop(waiting.send(told));
    }
}

/// The position of the record with an offset.
fn position(offset: i64) -> u64 {
    u64::try_from(offset).map_or(0, |offset| offset + 1)
}

/// The one who writes.
pub(super) struct Producing {
    producer: ThreadedProducer<Answering>,
    topic: Box<str>,
    deliver_max: Duration,
}

impl Producing {
    pub(super) fn start(settings: &KafkaSettings) -> Result<Self, Failure> {
        let producer = settings
            .producer()
            .create_with_context(Answering)
            .map_err(|why| refused(&why))?;
        Ok(Self {
            producer,
            topic: settings.topic.clone(),
            deliver_max: settings.deliver_max,
        })
    }

    pub(super) async fn append(&self, facts: &[NewFact]) -> Result<Vec<u64>, AppendError> {
        let mut waiting = Vec::with_capacity(facts.len());
        for fact in facts {
            match self.send(fact) {
                Ok(told) => waiting.push(told),
                Err(KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) => {
                    return Err(if waiting.is_empty() {
                        AppendError::QueueFull
                    } else {
                        // The first ones are under way.
                        Failure::Unknown.into()
                    });
                }
                Err(why) => return Err(refused(&why).into()),
            }
        }
        let mut positions = Vec::with_capacity(waiting.len());
        for told in waiting {
            positions.push(told.await.map_err(|_| Failure::Unknown)?.map_err(unknown)?);
        }
        Ok(positions)
    }

    fn send(&self, fact: &NewFact) -> Result<oneshot::Receiver<Told>, KafkaError> {
        let (waiting, told) = oneshot::channel();
        let key = subject(&fact.json);
        let mut record = BaseRecord::with_opaque_to(&self.topic, Box::new(waiting))
            .timestamp(fact.arrived_at.as_millisecond())
            .payload(&*fact.json);
        if !is_keyless() {
            record = record.partition(partition(fact.shard));
        }
        if let Some(key) = key.as_deref().filter(|_| !is_keyless()) {
            record = record.key(key);
        }
        self.producer.send(record).map_err(|(why, _)| why)?;
        Ok(told)
    }
}

impl Drop for Producing {
    fn drop(&mut self) {
        if let Err(why) = self.producer.flush(self.deliver_max) {
            tracing::warn!(%why, "the log in Kafka was left while records were under way");
        }
    }
}

/// A record may have been taken though its answer says otherwise.
fn unknown(why: KafkaError) -> Failure {
    tracing::warn!(%why, "a record may or may not be in the log");
    Failure::Unknown
}

/// The account of a fact: what other readers of the topic find it by.
fn subject(json: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow, default)]
        subject: Option<Cow<'a, str>>,
    }
    let envelope: Envelope<'_> = serde_json::from_str(json).ok()?;
    envelope.subject
}
