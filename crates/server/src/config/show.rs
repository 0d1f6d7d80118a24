//! The settings as they take effect, with secrets masked: each is shown as where it came from.

use super::{Config, Dkim, Mode, Pace, Rate, Smtp, Tls};
use serde_json::{Map, Value, json};
use std::time::Duration;

impl Config {
    /// The effective settings, for people; no secret is in it.
    pub fn shown(&self) -> Value {
        let tokens: Vec<&str> = self.tokens.iter().map(super::Secret::reference).collect();
        let limits = &self.limits;
        let senders: Vec<Value> = self
            .senders
            .iter()
            .map(|sender| json!({"from": sender.from, "smtp": smtp(&sender.smtp)}))
            .collect();
        let mut shown = json!({
            "listen": self.listen.to_string(),
            "store": self.store.shown(),
            "log": self.log.as_ref().map(super::LogConfig::shown),
            "sources": self.sources.as_ref().map(super::SourcesConfig::shown),
            "shards": self.shards,
            "clock": self.clock.map(store::ClockMode::as_str),
            "tokens": tokens,
            "mode": match self.mode {
                Mode::Captured => "captured",
                Mode::Smtp => "smtp",
            },
            "from_domain": self.from_domain,
            "public_url": self.public_url,
            "bounces": self.bounces.as_ref().map(super::Bounces::shown),
            "mail_events": self.mail_events.shown(),
            "tracking": {
                "opens": self.tracking.opens,
                "clicks": self.tracking.clicks,
                "machines_within": time(self.tracking.machines_within),
            },
            "jurisdiction": self.jurisdiction.as_str(),
            "relationship_grace_days": self.relationship_grace_days,
            "left_before": self.left.shown(),
            "smtp": self.smtp.as_ref().map(smtp),
            "senders": senders,
            "pace": pace(&self.pace),
            "retention": self.retention.shown(),
            "limits": {
                "batch_facts_max": limits.batch_facts_max,
                "batch_bytes_max": limits.batch_bytes_max,
                "batch_wait_max": time(limits.batch_wait_max),
                "body_bytes_max": limits.body_bytes_max,
                "body_facts_max": limits.body_facts_max,
                "requests_max": limits.requests_max,
                "request_time_max": time(limits.request_time_max),
                "wakes_max": limits.wakes_max,
                "claims_max": limits.claims_max,
                "accounts_cached_max": limits.accounts_cached_max,
                "cache_bytes_max": limits.cache_bytes_max,
                "stop_time_max": time(limits.stop_time_max),
                "retry_wait_max": limits.retry_wait_max.map(time),
                "address_messages_max": limits.address_messages_max,
                "address_messages_within": time(limits.address_messages_within),
            },
        });
        for (name, value) in self.reach.shown() {
            shown[name] = value;
        }
        shown
    }
}

fn smtp(smtp: &Smtp) -> Value {
    let dkim: Vec<Value> = smtp.dkim.iter().map(dkim).collect();
    json!({
        "host": smtp.host,
        "port": smtp.port,
        "tls": match smtp.tls {
            Tls::Required => "required",
            Tls::Implicit => "implicit",
            Tls::Plain => "none",
        },
        "user": smtp.login.as_ref().map(|(user, _)| user),
        "password": smtp.login.as_ref().map(|(_, password)| password.reference()),
        "hello": smtp.hello,
        "concurrency_max": smtp.concurrency_max,
        "pipelining": smtp.pipelining,
        "dkim": dkim,
        "connect_time_max": smtp.connect_time_max.map(time),
        "command_time_max": smtp.command_time_max.map(time),
        "answer_time_max": smtp.answer_time_max.map(time),
    })
}

/// A key by its reference, and the record that the DNS must have for it.
fn dkim(dkim: &Dkim) -> Value {
    let record = dkim
        .signer()
        .map(|signer| signer.record())
        .unwrap_or_default();
    json!({
        "domain": dkim.domain,
        "selector": dkim.selector,
        "key": dkim.key.reference(),
        "dns": {"name": record.0, "txt": record.1},
    })
}

fn pace(pace: &Pace) -> Value {
    let rate = |rate: &Rate| json!({"per_minute": rate.per_minute, "at_once": rate.at_once});
    let domains: Map<String, Value> = pace
        .domains
        .iter()
        .map(|(domain, own)| (domain.to_string(), rate(own)))
        .collect();
    json!({
        "each_domain": rate(&pace.each_domain),
        "domains": domains,
        "warm_up": pace.warm_up.as_ref().map(|warm_up| json!({
            "since": warm_up.since.to_string(),
            "first_day": warm_up.first_day,
            "grows_percent": warm_up.grows_percent,
            "days": warm_up.days,
        })),
    })
}

fn time(time: Duration) -> String {
    if time.subsec_millis() == 0 {
        format!("{}s", time.as_secs())
    } else {
        format!("{}ms", time.as_millis())
    }
}
