//! From written settings to checked ones.

use super::mail::{pace, senders, smtp};
use super::reach::{self, Written};
use super::settings::{LimitSettings, Settings, TrackingSettings};
use super::{Config, ConfigError, Left, Limits, Mode, Secret, StorePlace, Tracking, setting};
use outreach::render::legal::Jurisdiction;
use std::path::Path;
use std::time::Duration;
use store::ClockMode;

/// Mail servers follow links while they take a mail, or soon after.
const MACHINES_WITHIN: Duration = Duration::from_secs(60);

pub(super) type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

pub(super) fn config(
    settings: Settings,
    variable: Variable<'_>,
    base: &Path,
) -> Result<Config, ConfigError> {
    let listen = settings.listen.as_deref().unwrap_or("127.0.0.1:8080");
    let listen = listen.parse().map_err(|_| {
        setting(
            "listen",
            format!("{listen:?} is not an address and port such as 127.0.0.1:8080"),
        )
    })?;
    let clock = settings
        .clock
        .as_deref()
        .map(|word| {
            ClockMode::parse(word)
                .ok_or_else(|| setting("clock", format!("{word:?} is not `live` or `log`")))
        })
        .transpose()?;
    let written = Written {
        egress: &settings.egress,
        slack: &settings.slack,
        teams: &settings.teams,
        webhooks: &settings.webhooks,
    };
    let reach = reach::reach(&written, variable, base)?;
    let password = variable("SOTTAKU_SMTP_PASSWORD")
        .map(|value| Secret::of_variable("SOTTAKU_SMTP_PASSWORD", value));
    let smtp = smtp("smtp", &settings.smtp, password, (variable, base))?;
    let mode = match (settings.mode.as_deref(), &smtp) {
        (None | Some("captured"), _) => Mode::Captured,
        (Some("smtp"), Some(_)) => Mode::Smtp,
        (Some("smtp"), None) => return Err(setting("smtp.host", "is needed with `mode: smtp`")),
        (Some(word), _) => {
            return Err(setting(
                "mode",
                format!("{word:?} is not `captured` or `smtp`"),
            ));
        }
    };
    let tracking = tracking(&settings.tracking)?;
    if (tracking.opens || tracking.clicks) && settings.public_url.is_none() {
        return Err(setting("public_url", "is needed with `tracking`"));
    }
    Ok(Config {
        listen,
        store: StorePlace::build(settings.store.as_deref(), variable, base)?,
        retention: settings.retention.build(settings.log.kafka.is_some())?,
        log: settings.log.build(variable, base)?,
        sources: settings.sources.build(variable, base)?,
        shards: settings.shards,
        clock,
        tokens: tokens(&settings.tokens, variable, base)?,
        mode,
        from_domain: settings.from_domain.map(Into::into),
        public_url: settings.public_url.as_deref().map(public_url).transpose()?,
        bounces: settings.bounces.build(base)?,
        mail_events: settings.mail_events.build(variable, base)?,
        tracking,
        jurisdiction: jurisdiction(settings.jurisdiction.as_deref())?,
        relationship_grace_days: grace_days(settings.relationship_grace_days)?,
        left: Left::read(settings.left_before.as_deref(), base)?,
        smtp,
        reach,
        senders: senders(&settings.senders, (variable, base))?,
        pace: pace(&settings.pace)?,
        limits: limits(&settings.limits)?,
    })
}

/// At most ten years.
fn grace_days(days: Option<u32>) -> Result<u32, ConfigError> {
    let days = days.unwrap_or(180);
    if days > 3_650 {
        return Err(setting("relationship_grace_days", "must be from 0 to 3650"));
    }
    Ok(days)
}

fn jurisdiction(word: Option<&str>) -> Result<Jurisdiction, ConfigError> {
    let Some(word) = word else {
        return Ok(Jurisdiction::default());
    };
    let why = || format!("{word:?} is not `strictest`, `jp`, `us` or `eu`");
    Jurisdiction::parse(word).ok_or_else(|| setting("jurisdiction", why()))
}

pub(super) fn secret(
    name: &str,
    reference: &str,
    variable: Variable<'_>,
    base: &Path,
) -> Result<Secret, ConfigError> {
    Secret::follow(reference, variable, base).map_err(|why| setting(name, why))
}

fn tokens(
    references: &[String],
    variable: Variable<'_>,
    base: &Path,
) -> Result<Vec<Secret>, ConfigError> {
    let mut tokens = references
        .iter()
        .enumerate()
        .map(|(index, reference)| secret(&format!("tokens[{index}]"), reference, variable, base))
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(token) = variable("SOTTAKU_TOKEN") {
        tokens.push(Secret::of_variable("SOTTAKU_TOKEN", token));
    }
    Ok(tokens)
}

/// https, or http on this machine; a host and a path, and nothing that could hide something.
fn public_url(text: &str) -> Result<Box<str>, ConfigError> {
    let wrong = || {
        setting(
            "public_url",
            format!(
                "{text:?} is not an address such as https://mail.example.com or https://example.com/sottaku"
            ),
        )
    };
    let url = url::Url::parse(text).map_err(|_| wrong())?;
    let host = url.host_str().ok_or_else(wrong)?;
    let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let is_guarded = url.scheme() == "https" || (url.scheme() == "http" && is_here);
    if !is_plain || !is_guarded || url.password().is_some() {
        return Err(wrong());
    }
    Ok(url.as_str().trim_end_matches('/').into())
}

fn limits(settings: &LimitSettings) -> Result<Limits, ConfigError> {
    let default = Limits::default();
    let within = |name: &str, value: usize, most: usize| {
        if (1..=most).contains(&value) {
            Ok(())
        } else {
            Err(setting(
                &format!("limits.{name}"),
                format!("must be from 1 to {most}"),
            ))
        }
    };
    let duration = |name: &str, text: &Option<String>, default: Duration| {
        time(&format!("limits.{name}"), text.as_deref()).map(|time| time.unwrap_or(default))
    };
    let limits = Limits {
        batch_facts_max: settings.batch_facts_max.unwrap_or(default.batch_facts_max),
        batch_bytes_max: settings.batch_bytes_max.unwrap_or(default.batch_bytes_max),
        batch_wait_max: duration(
            "batch_wait_max",
            &settings.batch_wait_max,
            default.batch_wait_max,
        )?,
        body_bytes_max: settings.body_bytes_max.unwrap_or(default.body_bytes_max),
        body_facts_max: settings.body_facts_max.unwrap_or(default.body_facts_max),
        requests_max: settings.requests_max.unwrap_or(default.requests_max),
        request_time_max: duration(
            "request_time_max",
            &settings.request_time_max,
            default.request_time_max,
        )?,
        wakes_max: settings.wakes_max.unwrap_or(default.wakes_max),
        claims_max: settings.claims_max.unwrap_or(default.claims_max),
        accounts_cached_max: settings
            .accounts_cached_max
            .unwrap_or(default.accounts_cached_max),
        cache_bytes_max: settings.cache_bytes_max.unwrap_or(default.cache_bytes_max),
        stop_time_max: duration(
            "stop_time_max",
            &settings.stop_time_max,
            default.stop_time_max,
        )?,
        retry_wait_max: time("limits.retry_wait_max", settings.retry_wait_max.as_deref())?,
        address_messages_max: settings.address_messages_max,
        address_messages_within: duration(
            "address_messages_within",
            &settings.address_messages_within,
            default.address_messages_within,
        )?,
    };
    within("batch_facts_max", limits.batch_facts_max as usize, 100_000)?;
    within("batch_bytes_max", limits.batch_bytes_max, 1 << 30)?;
    within("body_bytes_max", limits.body_bytes_max, 1 << 30)?;
    within("body_facts_max", limits.body_facts_max, 100_000)?;
    within("requests_max", limits.requests_max, 100_000)?;
    within("wakes_max", limits.wakes_max as usize, 100_000)?;
    within("claims_max", limits.claims_max as usize, 10_000)?;
    if let Some(messages) = limits.address_messages_max {
        within("address_messages_max", messages as usize, 1_000)?;
    }
    within(
        "accounts_cached_max",
        limits.accounts_cached_max,
        10_000_000,
    )?;
    within("cache_bytes_max", limits.cache_bytes_max, 1 << 40)?;
    Ok(limits)
}

fn tracking(settings: &TrackingSettings) -> Result<Tracking, ConfigError> {
    let written = settings.machines_within.as_deref();
    let within = time("tracking.machines_within", written)?;
    Ok(Tracking {
        opens: settings.opens,
        clicks: settings.clicks,
        machines_within: within.unwrap_or(MACHINES_WITHIN),
    })
}

/// A duration such as `20ms`, `10s`, `5m`; not negative, at most a day.
pub(super) fn time(name: &str, text: Option<&str>) -> Result<Option<Duration>, ConfigError> {
    let Some(text) = text else {
        return Ok(None);
    };
    let wrong = || {
        setting(
            name,
            format!("{text:?} is not a time such as 20ms, 10s or 5m, of at most a day"),
        )
    };
    let span: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    let time = Duration::try_from(span).map_err(|_| wrong())?;
    if time > Duration::from_secs(86_400) {
        return Err(wrong());
    }
    Ok(Some(time))
}
