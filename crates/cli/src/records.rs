//! Records for people: one line each.

use jiff::Timestamp;
use model::{Kind, Record};

/// A record as a line: when, who, what.
pub(crate) fn line(record: &Record) -> String {
    let workflow = record.workflow.as_deref().unwrap_or("-");
    format!(
        "{}  {}  {workflow}  {}",
        record.at,
        record.account,
        what(record)
    )
}

/// The instant of a record.
pub(crate) fn instant(record: &Record) -> Timestamp {
    record.at.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

fn what(record: &Record) -> String {
    let step = text(record.step.as_deref());
    let why = record
        .why
        .as_deref()
        .map_or(String::new(), |why| format!(" ({})", why.replace('_', " ")));
    match record.kind {
        Kind::Start => format!("start {}{why}", text(record.subject.as_deref())),
        Kind::Send => format!(
            "send {} to {}{}",
            text(record.template.as_deref()),
            text(record.to.as_deref()),
            copies(record)
        ),
        Kind::Alert => {
            let says = record.template.as_deref().or(record.step.as_deref());
            format!(
                "alert {}: {}{why}",
                text(record.route.as_deref()),
                text(says)
            )
        }
        Kind::Task => format!(
            "task for {}: {}",
            text(record.to.as_deref()),
            text(record.task.as_deref())
        ),
        Kind::Webhook => format!("webhook {}", text(record.name.as_deref())),
        Kind::Set => format!(
            "set {} = {}",
            text(record.name.as_deref()),
            json(record.value.as_ref())
        ),
        Kind::Ask => format!("ask {} to approve {step}", text(record.by.as_deref())),
        Kind::Skip => format!("{}{why}", skipped(record)),
        Kind::Hold => format!("hold {step}{why}"),
        Kind::End => format!("end: {}{why}", text(record.how.as_deref())),
        Kind::RiskOpened => format!("risk opened: {}", text(record.name.as_deref())),
        Kind::RiskClosed => format!("risk closed: {}", text(record.name.as_deref())),
        Kind::HealthChanged => format!(
            "health: {} -> {}",
            json(record.from.as_ref()),
            json(record.value.as_ref())
        ),
        Kind::StageChanged => format!(
            "stage: {} -> {}",
            json(record.from.as_ref()),
            json(record.value.as_ref())
        ),
    }
}

/// What was not done: a step, all steps of a run that is held out, a moment of the calendar that nobody decided in time,
/// or a start.
fn skipped(record: &Record) -> String {
    match (&record.step, &record.run, &record.value) {
        (Some(step), _, _) => format!("skip {step}"),
        (None, Some(_), _) => "no steps".to_owned(),
        (None, None, Some(moment)) => format!("missed {}", json(Some(moment))),
        (None, None, None) => format!("no start {}", text(record.subject.as_deref())),
    }
}

fn copies(record: &Record) -> String {
    match record.cc.as_deref() {
        None | Some([]) => String::new(),
        Some(cc) => format!(", copies to {}", cc.join(", ")),
    }
}

fn text(text: Option<&str>) -> &str {
    text.unwrap_or("?")
}

fn json(value: Option<&serde_json::Value>) -> String {
    match value {
        None | Some(serde_json::Value::Null) => "unknown".to_owned(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_skip_says_what_was_not_done() {
        for (json, said) in [
            (
                r#""step":"intro","run":"r_a","why":"window_passed""#,
                "skip intro (window passed)",
            ),
            (
                r#""subject":"a","run":"r_a","why":"holdout""#,
                "no steps (holdout)",
            ),
            (
                r#""subject":"p-1","why":"once_per""#,
                "no start p-1 (once per)",
            ),
            (
                r#""why":"too_late","value":"2026-02-02T09:00:00+09:00""#,
                "missed 2026-02-02T09:00:00+09:00 (too late)",
            ),
        ] {
            let record = format!(
                r#"{{"at":"2026-02-04T10:00:00+09:00","account":"a","workflow":"w","kind":"skip",{json}}}"#
            );
            let record: Record = serde_json::from_str(&record).expect("a record");
            assert_eq!(what(&record), said);
        }
    }
}
