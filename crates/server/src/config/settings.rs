//! The settings as they are written: the file's shape, and the environment laid over it.

use super::log::LogSettings;
use super::mail_events::MailEventSettings;
use super::reach::{EgressSettings, HookSettings, SlackSettings, TeamsSettings};
use super::retention::RetentionSettings;
use super::returns::BounceSettings;
use super::sources::SourceSettings;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The settings file. What is not said has a default.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    pub(super) listen: Option<String>,
    pub(super) store: Option<String>,
    pub(super) log: LogSettings,
    pub(super) sources: SourceSettings,
    pub(super) shards: Option<u32>,
    pub(super) clock: Option<String>,
    pub(super) tokens: Vec<String>,
    pub(super) mode: Option<String>,
    pub(super) from_domain: Option<String>,
    pub(super) public_url: Option<String>,
    pub(super) bounces: BounceSettings,
    pub(super) mail_events: MailEventSettings,
    pub(super) tracking: TrackingSettings,
    pub(super) jurisdiction: Option<String>,
    pub(super) relationship_grace_days: Option<u32>,
    pub(super) left_before: Option<String>,
    pub(super) smtp: SmtpSettings,
    pub(super) senders: Vec<SenderSettings>,
    pub(super) pace: PaceSettings,
    pub(super) egress: EgressSettings,
    pub(super) slack: SlackSettings,
    pub(super) teams: TeamsSettings,
    pub(super) webhooks: BTreeMap<String, HookSettings>,
    pub(super) retention: RetentionSettings,
    pub(super) limits: LimitSettings,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SmtpSettings {
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) tls: Option<String>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) hello: Option<String>,
    pub(super) concurrency_max: Option<usize>,
    pub(super) pipelining: Option<bool>,
    pub(super) dkim: Vec<DkimSettings>,
    pub(super) connect_time_max: Option<String>,
    pub(super) command_time_max: Option<String>,
    pub(super) answer_time_max: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DkimSettings {
    pub(super) domain: String,
    pub(super) selector: String,
    pub(super) key: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TrackingSettings {
    pub(super) opens: bool,
    pub(super) clicks: bool,
    pub(super) machines_within: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SenderSettings {
    pub(super) from: Vec<String>,
    pub(super) smtp: SmtpSettings,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PaceSettings {
    pub(super) each_domain: Option<RateSettings>,
    pub(super) domains: BTreeMap<String, RateSettings>,
    pub(super) warm_up: Option<WarmUpSettings>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RateSettings {
    pub(super) per_minute: Option<u32>,
    pub(super) at_once: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WarmUpSettings {
    pub(super) since: String,
    pub(super) first_day: Option<u32>,
    pub(super) grows_percent: Option<u32>,
    pub(super) days: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LimitSettings {
    pub(super) batch_facts_max: Option<u32>,
    pub(super) batch_bytes_max: Option<usize>,
    pub(super) batch_wait_max: Option<String>,
    pub(super) body_bytes_max: Option<usize>,
    pub(super) body_facts_max: Option<usize>,
    pub(super) requests_max: Option<usize>,
    pub(super) request_time_max: Option<String>,
    pub(super) wakes_max: Option<u32>,
    pub(super) claims_max: Option<u32>,
    pub(super) accounts_cached_max: Option<usize>,
    pub(super) cache_bytes_max: Option<usize>,
    pub(super) stop_time_max: Option<String>,
    pub(super) retry_wait_max: Option<String>,
    pub(super) address_messages_max: Option<u32>,
    pub(super) address_messages_within: Option<String>,
}

/// Lays the environment over the file: `SOTTAKU_` and the setting's name in capitals.
pub(super) fn overlay(
    settings: &mut Settings,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(), (&'static str, String)> {
    let text = |name: &'static str, slot: &mut Option<String>| {
        if let Some(value) = variable(name) {
            *slot = Some(value);
        }
    };
    text("SOTTAKU_LISTEN", &mut settings.listen);
    text("SOTTAKU_STORE", &mut settings.store);
    let kafka = &mut settings.log.kafka;
    if let Some(brokers) = variable("SOTTAKU_LOG_KAFKA_BROKERS") {
        kafka.get_or_insert_default().brokers = Some(brokers);
    }
    if let Some(topic) = variable("SOTTAKU_LOG_KAFKA_TOPIC") {
        kafka.get_or_insert_default().topic = Some(topic);
    }
    if let Some(brokers) = variable("SOTTAKU_SOURCES_KAFKA_BROKERS") {
        settings.sources.kafka.get_or_insert_default().brokers = Some(brokers);
    }
    text("SOTTAKU_CLOCK", &mut settings.clock);
    text("SOTTAKU_MODE", &mut settings.mode);
    text("SOTTAKU_FROM_DOMAIN", &mut settings.from_domain);
    text("SOTTAKU_PUBLIC_URL", &mut settings.public_url);
    text("SOTTAKU_BOUNCES_DOMAIN", &mut settings.bounces.domain);
    text("SOTTAKU_BOUNCES_LISTEN", &mut settings.bounces.listen);
    text("SOTTAKU_JURISDICTION", &mut settings.jurisdiction);
    text("SOTTAKU_SMTP_HOST", &mut settings.smtp.host);
    text("SOTTAKU_SMTP_TLS", &mut settings.smtp.tls);
    text("SOTTAKU_SMTP_USER", &mut settings.smtp.user);
    text("SOTTAKU_SMTP_HELLO", &mut settings.smtp.hello);
    if let Some(entries) = variable("SOTTAKU_EGRESS_ALLOW") {
        let entries = entries.split(',').map(|entry| entry.trim().to_owned());
        settings.egress.allow = entries.collect();
    }
    text(
        "SOTTAKU_LIMITS_BATCH_WAIT_MAX",
        &mut settings.limits.batch_wait_max,
    );
    text(
        "SOTTAKU_LIMITS_RETRY_WAIT_MAX",
        &mut settings.limits.retry_wait_max,
    );
    number("SOTTAKU_SHARDS", &mut settings.shards, variable)?;
    number("SOTTAKU_SMTP_PORT", &mut settings.smtp.port, variable)?;
    number(
        "SOTTAKU_SMTP_CONCURRENCY_MAX",
        &mut settings.smtp.concurrency_max,
        variable,
    )?;
    number(
        "SOTTAKU_LIMITS_BATCH_FACTS_MAX",
        &mut settings.limits.batch_facts_max,
        variable,
    )?;
    number(
        "SOTTAKU_LIMITS_BODY_BYTES_MAX",
        &mut settings.limits.body_bytes_max,
        variable,
    )?;
    number(
        "SOTTAKU_LIMITS_REQUESTS_MAX",
        &mut settings.limits.requests_max,
        variable,
    )
}

fn number<N: std::str::FromStr>(
    name: &'static str,
    slot: &mut Option<N>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(), (&'static str, String)> {
    let Some(value) = variable(name) else {
        return Ok(());
    };
    let number = value.trim().parse();
    *slot = Some(number.map_err(|_| (name, format!("{value:?} is not a number that fits")))?);
    Ok(())
}
