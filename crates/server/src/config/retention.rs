//! How long what is past is kept.

use super::{ConfigError, setting};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

/// A century: who writes more means for ever.
const DAYS_MAX: u32 = 36_500;
/// Facts that are told again are known by their ids for 7 days; the log reaches further back than that.
const LOG_DAYS_MIN: u32 = 8;
/// A run is known for 30 days after its end, and so long people ask what it did.
const JOURNAL_DAYS_MIN: u32 = 31;
/// What comes back to a mail (bounces, complaints, answers) finds its address by it; runs name their messages for 30 days.
const DELIVERIES_DAYS_MIN: u32 = 31;

/// How long what is past is kept; none: for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Decided facts, in days since they came in; where the log is the store's own.
    pub log_days: Option<u32>,
    /// Records of decisions, in days since what they decided.
    pub journal_days: Option<u32>,
    /// Settled messages, in days since they were settled.
    pub deliveries_days: Option<u32>,
}

impl Retention {
    pub(super) fn shown(&self) -> Value {
        let days = |days: Option<u32>| days.map(|days| format!("{days}d"));
        json!({
            "log": days(self.log_days),
            "journal": days(self.journal_days),
            "deliveries": days(self.deliveries_days),
        })
    }
}

/// So many days before an instant.
pub(crate) fn days_before(now: Timestamp, days: u32) -> Timestamp {
    let days = SignedDuration::from_hours(24 * i64::from(days));
    now.saturating_sub(days).unwrap_or(Timestamp::MIN)
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RetentionSettings {
    log: Option<String>,
    journal: Option<String>,
    deliveries: Option<String>,
}

impl RetentionSettings {
    pub(super) fn build(self, is_log_elsewhere: bool) -> Result<Retention, ConfigError> {
        if is_log_elsewhere && self.log.is_some() {
            let why =
                "is not for a log in Kafka: its topic says how long it is kept (`retention.ms`)";
            return Err(setting("retention.log", why));
        }
        Ok(Retention {
            log_days: days(
                ("log", self.log),
                LOG_DAYS_MIN,
                "facts that come again are known by their ids for 7 days, and the log reaches further back than that",
            )?,
            journal_days: days(
                ("journal", self.journal),
                JOURNAL_DAYS_MIN,
                "a run is known for 30 days after its end, and so long its records say why",
            )?,
            deliveries_days: days(
                ("deliveries", self.deliveries),
                DELIVERIES_DAYS_MIN,
                "runs name their messages for 30 days, and bounces and complaints that come later find no address to stop",
            )?,
        })
    }
}

/// Days such as `400d`, not below what reads them looks back.
fn days(
    (name, text): (&str, Option<String>),
    least: u32,
    why: &str,
) -> Result<Option<u32>, ConfigError> {
    let Some(text) = text else {
        return Ok(None);
    };
    let name = format!("retention.{name}");
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
    let days = days.filter(|days| *days <= DAYS_MAX).ok_or_else(|| {
        let why = format!("{text:?} is not a number of days such as 400d, of at most {DAYS_MAX}d");
        setting(&name, why)
    })?;
    if days < least {
        return Err(setting(&name, format!("is {least}d at least: {why}")));
    }
    Ok(Some(days))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(json: &str, is_log_elsewhere: bool) -> Result<Retention, String> {
        let settings: RetentionSettings = serde_json::from_str(json).expect("they read");
        let built = settings.build(is_log_elsewhere);
        built.map_err(|why| why.to_string())
    }

    #[test]
    fn nothing_is_removed_unless_somebody_says_so() {
        assert_eq!(build("{}", false), Ok(Retention::default()));
        let all = r#"{"log": "8d", "journal": "31d", "deliveries": "36500d"}"#;
        let retention = Retention {
            log_days: Some(8),
            journal_days: Some(31),
            deliveries_days: Some(36_500),
        };
        assert_eq!(build(all, false), Ok(retention));
        assert_eq!(retention.shown()["log"], "8d");
    }

    #[test]
    fn what_is_too_short_is_refused_by_name_with_the_reason() {
        for (json, is_log_elsewhere, begins) in [
            (
                r#"{"log": "7d"}"#,
                false,
                "setting `retention.log`: is 8d at least: facts that come again",
            ),
            (
                r#"{"journal": "30d"}"#,
                false,
                "setting `retention.journal`: is 31d at least: a run is known",
            ),
            (
                r#"{"deliveries": "30d"}"#,
                false,
                "setting `retention.deliveries`: is 31d at least: runs name",
            ),
            (
                r#"{"log": "400"}"#,
                false,
                "setting `retention.log`: \"400\" is not a number of days",
            ),
            (
                r#"{"log": "36501d"}"#,
                false,
                "setting `retention.log`: \"36501d\" is not",
            ),
            (
                r#"{"log": "400d"}"#,
                true,
                "setting `retention.log`: is not for a log in Kafka",
            ),
        ] {
            let told = build(json, is_log_elsewhere).expect_err("it is refused");
            assert!(told.starts_with(begins), "{told}");
        }
        assert!(build(r#"{"journal": "400d"}"#, true).is_ok());
    }
}
