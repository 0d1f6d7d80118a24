//! Settings of the brokers whose topics are read as sources.

use super::build::Variable;
use super::log::{brokers, client};
use super::{Config, ConfigError};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use store::KafkaSettings;

/// Where sources are.
#[derive(Clone)]
pub struct SourcesConfig {
    /// Their brokers; each source names its topic.
    kafka: KafkaSettings,
    /// The client's own settings as they are written: secrets by their names.
    client: Map<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SourceSettings {
    pub(super) kafka: Option<SourceBrokerSettings>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SourceBrokerSettings {
    pub(super) brokers: Option<String>,
    client: BTreeMap<String, String>,
}

impl SourceSettings {
    pub(super) fn build(
        self,
        variable: Variable<'_>,
        base: &Path,
    ) -> Result<Option<SourcesConfig>, ConfigError> {
        let Some(written) = self.kafka else {
            return Ok(None);
        };
        let brokers = brokers("sources.kafka", written.brokers)?;
        let mut kafka = KafkaSettings::new(brokers, "");
        let client = client(
            &mut kafka,
            "sources.kafka",
            written.client,
            (variable, base),
        )?;
        Ok(Some(SourcesConfig { kafka, client }))
    }
}

impl SourcesConfig {
    pub(super) fn shown(&self) -> Value {
        json!({"kafka": {"brokers": self.kafka.brokers, "client": self.client}})
    }
}

impl Config {
    /// How a source's topic is reached: by `sources.kafka`, or where the log is; none if neither is said.
    pub fn source(&self, topic: &str) -> Option<KafkaSettings> {
        let own = self.sources.as_ref().map(|sources| &sources.kafka);
        let kafka = own.or_else(|| self.log.as_ref().map(|log| &log.kafka))?;
        Some(KafkaSettings {
            topic: topic.into(),
            ..kafka.clone()
        })
    }
}
