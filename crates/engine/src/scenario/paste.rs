//! What happened, as YAML ready to paste into the test.

use super::compare::{Happened, what};
use jiff::civil::DateTime;
use model::{Kind, Record};
use std::collections::BTreeSet;
use workflow::Scenario;
use workflow::scenario::{Action, Entry};

/// The timeline as it happened: the entries' own actions, and at each minute what was decided.
pub(super) fn timeline(scenario: &Scenario, happened: &[Happened]) -> String {
    let mentions_skips = scenario
        .timeline
        .iter()
        .flat_map(|entry| &entry.expect)
        .any(|one| one.kind == Kind::Skip);
    let is_shown = |record: &Record| match record.kind {
        Kind::Send
        | Kind::Alert
        | Kind::Task
        | Kind::Webhook
        | Kind::Set
        | Kind::Ask
        | Kind::End => true,
        Kind::Skip => mentions_skips && record.step.is_some(),
        Kind::Start
        | Kind::Hold
        | Kind::RiskOpened
        | Kind::RiskClosed
        | Kind::HealthChanged
        | Kind::StageChanged => false,
    };
    let shown: Vec<&Happened> = happened
        .iter()
        .filter(|one| is_shown(&one.record))
        .collect();
    let mut minutes: BTreeSet<DateTime> = shown.iter().map(|one| one.minute).collect();
    minutes.extend(
        scenario
            .timeline
            .iter()
            .filter(|entry| entry.action.is_some())
            .map(|entry| entry.at),
    );
    let mut text = String::from("timeline:\n");
    for minute in minutes {
        let acting: Vec<&Entry> = scenario
            .timeline
            .iter()
            .filter(|entry| entry.at == minute && entry.action.is_some())
            .collect();
        let lines: Vec<String> = shown
            .iter()
            .filter(|one| one.minute == minute)
            .map(|one| line(&one.record))
            .collect();
        write_entry(&mut text, minute, &acting, &lines);
    }
    text
}

/// One minute; where several things were done in it, all but the last stand alone.
fn write_entry(text: &mut String, minute: DateTime, acting: &[&Entry], lines: &[String]) {
    let at = minute.strftime("%Y-%m-%d %H:%M");
    let mut push = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    if acting.is_empty() {
        push(format!("  - at: {at}"));
    }
    for entry in acting {
        push(format!("  - at: {at}"));
        for line in entry.action.iter().flat_map(action) {
            push(format!("    {line}"));
        }
    }
    if !lines.is_empty() {
        push("    expect:".to_owned());
        for line in lines {
            push(format!("      - {line}"));
        }
    }
}

fn action(action: &Action) -> Vec<String> {
    let one = |key: &str, value: &str| vec![format!("{key}: {}", scalar(value))];
    match action {
        Action::Event { kind, data } => {
            let data = serde_json::Value::Object(data.clone());
            vec![format!("event: {}", scalar(kind)), format!("data: {data}")]
        }
        Action::Change(changes) => {
            let pairs: Vec<String> = changes
                .iter()
                .map(|(name, value)| format!("{name}: {value}"))
                .collect();
            vec![format!("change: {{{}}}", pairs.join(", "))]
        }
        Action::Reply(step) => one("reply", step),
        Action::Click(step) => one("click", step),
        Action::Done { step, outcome, set } => {
            let mut lines = one("done", step);
            lines.extend(
                outcome
                    .iter()
                    .map(|outcome| format!("outcome: {}", scalar(outcome))),
            );
            let pairs: Vec<String> = set
                .iter()
                .map(|(name, value)| format!("{name}: {value}"))
                .collect();
            if !pairs.is_empty() {
                lines.push(format!("set: {{{}}}", pairs.join(", ")));
            }
            lines
        }
        Action::Approve(step) => one("approve", step),
        Action::Reject(step) => one("reject", step),
    }
}

/// One record as `expect` writes it.
pub(super) fn line(record: &Record) -> String {
    let mut pairs = vec![(verb(record.kind), what(record))];
    let value = super::compare::field(record, "value");
    if record.kind == Kind::Set {
        pairs.push(("value", &value));
    }
    let details: &[(&str, &Option<Box<str>>)] = &match record.kind {
        Kind::Send => [("to", &record.to), ("why", &record.why)],
        Kind::Alert if record.why.is_some() => [("why", &record.why), ("step", &record.step)],
        Kind::Alert => [("template", &record.template), ("why", &record.why)],
        Kind::Task => [("to", &record.to), ("why", &record.why)],
        Kind::Ask => [("by", &record.by), ("why", &record.why)],
        Kind::Skip | Kind::Hold => [("why", &record.why), ("to", &record.to)],
        // What a `stop` says is for people: `expect` knows how a run ended.
        Kind::End | Kind::Webhook | Kind::Set => [("to", &record.to), ("topic", &record.topic)],
        Kind::Start
        | Kind::RiskOpened
        | Kind::RiskClosed
        | Kind::HealthChanged
        | Kind::StageChanged => [("why", &record.why), ("to", &record.to)],
    };
    let known = details
        .iter()
        .filter_map(|(key, value)| Some((*key, value.as_deref()?)));
    pairs.extend(known);
    let plain: Vec<(&str, String)> = pairs
        .into_iter()
        .map(|(key, value)| match key {
            "why" => (key, value.replace('_', " ")),
            _ => (key, value.to_owned()),
        })
        .collect();
    let borrowed: Vec<(&str, &str)> = plain.iter().map(|(key, value)| (*key, &**value)).collect();
    flow(&borrowed)
}

/// The verb under which `expect` lists a kind.
pub(super) fn verb(kind: Kind) -> &'static str {
    match kind {
        Kind::Send => "send",
        Kind::Alert => "alert",
        Kind::Task => "task",
        Kind::Webhook => "webhook",
        Kind::Set => "set",
        Kind::Ask => "ask",
        Kind::Skip => "skip",
        Kind::Hold => "hold",
        Kind::End => "end",
        Kind::Start => "start",
        Kind::RiskOpened => "risk_opened",
        Kind::RiskClosed => "risk_closed",
        Kind::HealthChanged => "health_changed",
        Kind::StageChanged => "stage_changed",
    }
}

/// A flow mapping.
pub(super) fn flow(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{key}: {}", scalar(value)))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

/// A scalar, quoted where YAML would read it as something else.
fn scalar(text: &str) -> String {
    let is_plain = |letter: char| {
        letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | '@' | '/' | '+' | ' ')
    };
    let is_safe = text.chars().all(is_plain)
        && text.starts_with(|letter: char| letter.is_alphabetic())
        && !text.ends_with(' ')
        && !matches!(
            text,
            "true" | "false" | "null" | "yes" | "no" | "on" | "off"
        );
    if is_safe {
        text.to_owned()
    } else {
        serde_json::Value::String(text.to_owned()).to_string()
    }
}
