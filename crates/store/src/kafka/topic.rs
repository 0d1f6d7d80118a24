//! The topic: made when there is none, and refused if it is another than the store's.

use super::{KafkaSettings, refused};
use crate::Failure;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use std::time::Instant;

/// Makes the topic if there is none, and compares its number of partitions.
pub(super) fn ensure(settings: &KafkaSettings, shards: u32) -> Result<(), Failure> {
    let admin: AdminClient<DefaultClientContext> = settings
        .consumer("topic")
        .create()
        .map_err(|why| refused(&why))?;
    let until = Instant::now() + settings.ask_max * 4;
    loop {
        match partitions(&admin, settings)? {
            Some(found) if found == shards => return Ok(()),
            Some(found) => {
                let why = format!(
                    "the topic {} has {found} partitions and the store {shards} shards; both are fixed when they are made",
                    settings.topic
                );
                return Err(refused(&why));
            }
            // Brokers tell each other of a new topic in their own time.
            None if Instant::now() < until => make(&admin, settings, shards)?,
            None => return Err(Failure::Late),
        }
    }
}

fn partitions(
    admin: &AdminClient<DefaultClientContext>,
    settings: &KafkaSettings,
) -> Result<Option<u32>, Failure> {
    let metadata = admin
        .inner()
        .fetch_metadata(Some(&settings.topic), settings.ask_max)
        .map_err(|why| refused(&why))?;
    let topic = metadata
        .topics()
        .iter()
        .find(|topic| topic.name() == &*settings.topic && topic.error().is_none());
    let count = topic.map(|topic| topic.partitions().len()).unwrap_or(0);
    Ok(u32::try_from(count).ok().filter(|count| *count > 0))
}

fn make(
    admin: &AdminClient<DefaultClientContext>,
    settings: &KafkaSettings,
    shards: u32,
) -> Result<(), Failure> {
    let replicas = settings.replicas.map_or(-1, i32::from);
    let topic = NewTopic::new(
        &settings.topic,
        super::partition(shards),
        TopicReplication::Fixed(replicas),
    );
    let options = AdminOptions::new().operation_timeout(Some(settings.ask_max));
    let here = tokio::runtime::Handle::current();
    let made = here
        .block_on(admin.create_topics([&topic], &options))
        .map_err(|why| refused(&why))?;
    for one in made {
        match one {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, why)) => return Err(refused(&format!("the topic {name}: {why}"))),
        }
    }
    Ok(())
}
