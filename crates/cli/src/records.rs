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
        Kind::Skip => format!("skip {step}{why}"),
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
