//! Records: what a decision looks like from outside, one JSON object a line.

use crate::{AccountId, MessageId, RunId};
use serde::{Deserialize, Serialize};

/// What a record tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A risk case opened.
    RiskOpened,
    /// A risk case closed.
    RiskClosed,
    /// The health band changed.
    HealthChanged,
    /// The label `stage` changed.
    StageChanged,
    /// A run started.
    Start,
    /// A mail was decided.
    Send,
    /// An alert was decided.
    Alert,
    /// A task was given.
    Task,
    /// A webhook was decided.
    Webhook,
    /// A field was set.
    Set,
    /// An approval was asked for.
    Ask,
    /// A step was skipped.
    Skip,
    /// A send is held.
    Hold,
    /// A run ended.
    End,
}

/// One public record. The order of the fields is the order in print.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The instant with the account's offset, `2026-01-13T09:00:00+09:00`.
    pub at: Box<str>,
    /// The account.
    pub account: AccountId,
    /// The workflow; none for the account's own records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Box<str>>,
    /// The subject of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Box<str>>,
    /// The run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// What it tells.
    pub kind: Kind,
    /// The step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Box<str>>,
    /// The route of an alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Box<str>>,
    /// The template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Box<str>>,
    /// The title of a task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Box<str>>,
    /// The recipient's address, or the assignee's route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Box<str>>,
    /// Who gets copies; always printed for a send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cc: Option<Vec<Box<str>>>,
    /// The topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<Box<str>>,
    /// The locale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Box<str>>,
    /// The message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// Who is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Box<str>>,
    /// Why not, or why still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Box<str>>,
    /// How a run ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<Box<str>>,
    /// The risk, label or field that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    /// What it was before; null is unknown.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "there"
    )]
    pub from: Option<serde_json::Value>,
    /// What it is now; null is unknown.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "there"
    )]
    pub value: Option<serde_json::Value>,
}

/// A value that is there, null too: unknown is not the same as nothing said.
fn there<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_as_it_was_printed() {
        for line in [
            r#"{"at":"2026-01-01T09:00:00+09:00","account":"a","kind":"stage_changed","name":"stage","from":null,"value":"adoption"}"#,
            r#"{"at":"2026-01-01T09:00:00+09:00","account":"a","kind":"health_changed","from":"red","value":null}"#,
            r#"{"at":"2026-01-01T09:00:00+09:00","account":"a","workflow":"renewal","subject":"k-1","run":"r_a","kind":"start"}"#,
        ] {
            let record: Record = serde_json::from_str(line).expect("a record");
            let again = serde_json::to_string(&record).expect("it prints");
            assert_eq!(again, line);
        }
    }
}
