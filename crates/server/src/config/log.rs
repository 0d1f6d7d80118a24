//! Settings of a log that is not in the store's own tables.

use super::build::{Variable, secret};
use super::{ConfigError, setting};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use store::KafkaSettings;

/// The topic, if none is named.
const TOPIC: &str = "sottaku";

/// Where the log is.
#[derive(Clone)]
pub struct LogConfig {
    /// In this topic.
    pub kafka: KafkaSettings,
    /// The client's own settings as they are written: secrets by their names.
    client: Map<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LogSettings {
    pub(super) kafka: Option<BrokerSettings>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BrokerSettings {
    pub(super) brokers: Option<String>,
    pub(super) topic: Option<String>,
    replicas: Option<u16>,
    client: BTreeMap<String, String>,
}

impl LogSettings {
    pub(super) fn build(
        self,
        variable: Variable<'_>,
        base: &Path,
    ) -> Result<Option<LogConfig>, ConfigError> {
        let Some(written) = self.kafka else {
            return Ok(None);
        };
        let brokers = brokers("log.kafka", written.brokers)?;
        let topic = written.topic.unwrap_or_else(|| TOPIC.to_owned());
        if !is_topic(&topic) {
            let why = format!("{topic:?} is no topic: 1 to 249 letters, digits, `.`, `_` and `-`");
            return Err(setting("log.kafka.topic", why));
        }
        let mut kafka = KafkaSettings::new(brokers, topic);
        kafka.replicas = written.replicas;
        let client = client(&mut kafka, "log.kafka", written.client, (variable, base))?;
        Ok(Some(LogConfig { kafka, client }))
    }
}

impl LogConfig {
    pub(super) fn shown(&self) -> Value {
        json!({"kafka": {
            "brokers": self.kafka.brokers,
            "topic": self.kafka.topic,
            "replicas": self.kafka.replicas,
            "client": self.client,
        }})
    }
}

/// Where the brokers are; somebody has to say it.
pub(super) fn brokers(place: &str, written: Option<String>) -> Result<String, ConfigError> {
    let said = written.filter(|brokers| !brokers.trim().is_empty());
    let why = "is needed: `host:port`, with commas between several";
    said.ok_or_else(|| setting(&format!("{place}.brokers"), why))
}

/// What else the client is told: it goes into `kafka`; as it is written, with secrets by their names, it comes back.
pub(super) fn client(
    kafka: &mut KafkaSettings,
    place: &str,
    written: BTreeMap<String, String>,
    (variable, base): (Variable<'_>, &Path),
) -> Result<Map<String, Value>, ConfigError> {
    let mut client = Map::new();
    for (key, value) in written {
        let name = format!("{place}.client.{key}");
        let told = if value.starts_with("${") {
            secret(&name, &value, variable, base)?.expose().into()
        } else if is_secret(&key) {
            return Err(setting(
                &name,
                "is a secret: name it, as `${env:NAME}` or `${file:PATH}`",
            ));
        } else {
            value.as_str().into()
        };
        kafka.client.insert(key.as_str().into(), told);
        client.insert(key, Value::String(value));
    }
    if let Some(key) = kafka.forbidden().next() {
        let why = "is what the promises stand on, and can't be set otherwise";
        return Err(setting(&format!("{place}.client.{key}"), why));
    }
    Ok(client)
}

fn is_topic(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=249).contains(&name.len()) && name.chars().all(is_plain) && name != "." && name != ".."
}

/// Settings of the client that are never written down.
fn is_secret(key: &str) -> bool {
    ["password", "secret", "key.pem"]
        .iter()
        .any(|part| key.contains(part))
}
