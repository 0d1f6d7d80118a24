//! The topic: made when there is none, and refused if it is another than the store's.

use super::{refused, refused_by};
use crate::{Failure, KafkaSettings, TopicCondition};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use std::sync::Arc;
use tokio::time::timeout;

type Admin = Arc<AdminClient<DefaultClientContext>>;

/// Makes the topic if there is none, and compares its number of partitions.
pub(super) async fn ensure(settings: &KafkaSettings, shards: u32) -> Result<(), Failure> {
    let admin = admin(settings)?;
    let settled = timeout(settings.ask_max * 4, settle(&admin, settings, shards));
    settled.await.unwrap_or(Err(Failure::Late))
}

fn admin(settings: &KafkaSettings) -> Result<Admin, Failure> {
    let admin = settings.consumer("topic").create();
    admin.map(Arc::new).map_err(|why| refused(&why))
}

/// How the topic stands; nothing is made or changed.
pub(crate) async fn condition(settings: &KafkaSettings) -> Result<TopicCondition, Failure> {
    let admin = admin(settings)?;
    let asked = timeout(settings.ask_max * 2, ask(&admin, settings));
    asked.await.unwrap_or(Err(Failure::Late))
}

async fn ask(admin: &Admin, settings: &KafkaSettings) -> Result<TopicCondition, Failure> {
    /// What decides how long facts are there, and when they are safe.
    const TOLD: [&str; 4] = [
        "cleanup.policy",
        "min.insync.replicas",
        "retention.bytes",
        "retention.ms",
    ];
    let found = layout(admin, settings).await?;
    let Some((partitions, replicas)) = found else {
        return Err(refused(&format!(
            "the topic {} is not there",
            settings.topic
        )));
    };
    let topic = ResourceSpecifier::Topic(&settings.topic);
    let options = AdminOptions::new().request_timeout(Some(settings.ask_max));
    let told = admin.describe_configs([&topic], &options).await;
    let mut told = told.map_err(|why| refused_by(&why))?;
    let told = told
        .pop()
        .ok_or_else(|| refused(&"no settings of the topic were told"))?;
    let told = told.map_err(|why| refused(&why))?;
    let mut settings: Vec<(Box<str>, Box<str>)> = told
        .entries
        .into_iter()
        .filter(|entry| TOLD.contains(&&*entry.name))
        .filter_map(|entry| Some((entry.name.into(), entry.value?.into())))
        .collect();
    settings.sort();
    Ok(TopicCondition {
        partitions,
        replicas,
        settings,
    })
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
    let found = layout(admin, settings).await?;
    Ok(found.map(|(partitions, _)| partitions))
}

/// How many partitions the topic has, and the fewest replicas of one; none if there is no topic.
async fn layout(admin: &Admin, settings: &KafkaSettings) -> Result<Option<(u32, u32)>, Failure> {
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
    let partitions = topic.map_or(&[][..], |topic| topic.partitions());
    let replicas = partitions.iter().map(|one| one.replicas().len()).min();
    let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Ok(replicas.map(|replicas| (small(partitions.len()), small(replicas))))
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
