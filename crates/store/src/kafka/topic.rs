//! The topic: made when there is none, and refused if it is another than the store's.

use super::{refused, refused_by};
use crate::{Failure, KafkaSettings};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use std::sync::Arc;
use tokio::time::timeout;

type Admin = Arc<AdminClient<DefaultClientContext>>;

/// Makes the topic if there is none, and compares its number of partitions.
pub(super) async fn ensure(settings: &KafkaSettings, shards: u32) -> Result<(), Failure> {
    let admin: AdminClient<DefaultClientContext> = settings
        .consumer("topic")
        .create()
        .map_err(|why| refused(&why))?;
    let admin = Arc::new(admin);
    let settled = timeout(settings.ask_max * 4, settle(&admin, settings, shards));
    settled.await.unwrap_or(Err(Failure::Late))
}

async fn settle(admin: &Admin, settings: &KafkaSettings, shards: u32) -> Result<(), Failure> {
    loop {
        match partitions(admin, settings).await? {
            Some(found) if found == shards => return Ok(()),
            Some(found) => {
                let topic = &settings.topic;
                let why = format!(
                    "the topic {topic} has {found} partitions and the store {shards} shards; both are fixed when they are made"
                );
                return Err(refused(&why));
            }
            // Brokers tell each other of a new topic in their own time: made again, it is found to be there.
            None => make(admin, settings, shards).await?,
        }
    }
}

async fn partitions(admin: &Admin, settings: &KafkaSettings) -> Result<Option<u32>, Failure> {
    let (admin, name, ask_max) = (Arc::clone(admin), settings.topic.clone(), settings.ask_max);
    let asking =
        tokio::task::spawn_blocking(move || admin.inner().fetch_metadata(Some(&name), ask_max));
    let metadata = asking
        .await
        .map_err(|why| refused(&why))?
        .map_err(|why| refused_by(&why))?;
    let topic = metadata
        .topics()
        .iter()
        .find(|topic| topic.name() == &*settings.topic && topic.error().is_none());
    let count = topic.map_or(0, |topic| topic.partitions().len());
    Ok(u32::try_from(count).ok().filter(|count| *count > 0))
}

async fn make(admin: &Admin, settings: &KafkaSettings, shards: u32) -> Result<(), Failure> {
    let replicas = settings.replicas.map_or(-1, i32::from);
    let topic = NewTopic::new(
        &settings.topic,
        super::partition(shards),
        TopicReplication::Fixed(replicas),
    );
    let options = AdminOptions::new().operation_timeout(Some(settings.ask_max));
    let made = admin
        .create_topics([&topic], &options)
        .await
        .map_err(|why| refused_by(&why))?;
    for one in made {
        match one {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, why)) => return Err(refused(&format!("the topic {name}: {why}"))),
        }
    }
    Ok(())
}
