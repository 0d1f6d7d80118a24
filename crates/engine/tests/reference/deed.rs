//! What happened, as one line each, so that two lists of it can be compared.

use crate::ask::Subject;
use crate::told::Known;
use jiff::Timestamp;
use model::{Kind, Outgoing, Record};
use workflow::program::Workflow;

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// A risk's case opened or closed, and how severe it is.
    Opened(String, String),
    Closed(String, String),
    /// Health's band: the one before, and the present one; unknown is empty.
    Health(String, String),
    /// The stage: the one before, and the present one.
    Stage(String, String),
    Start,
    /// Who answers.
    Ask(String),
    Send(String),
    Alert(String),
    Task,
    /// The name, and what it says.
    Webhook(String, String),
    Set(String, String),
    Skip(&'static str),
    End(&'static str),
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deed {
    pub(crate) at: Timestamp,
    pub(crate) workflow: String,
    pub(crate) subject: String,
    pub(crate) step: Option<String>,
    pub(crate) what: What,
}

/// All reasons that are compared.
const WHYS: [&str; 7] = [
    "if",
    "window_passed",
    "nobody",
    "limit",
    "held_back",
    "rejected",
    "no_approval",
];
/// All ends.
const ENDS: [&str; 4] = ["finished", "left", "goal", "stopped"];

impl Deed {
    pub(crate) fn new(
        known: &Known<'_>,
        workflow: &Workflow,
        subject: &Subject,
        step: Option<&str>,
        what: What,
    ) -> Self {
        Self {
            at: known.now,
            workflow: workflow.name.to_string(),
            subject: subject.name().to_owned(),
            step: step.map(str::to_owned),
            what,
        }
    }

    /// A record of the engine; none if it is of a kind that is not compared.
    pub(crate) fn of(record: &Record, outbox: &[Outgoing]) -> Option<Self> {
        let text = |text: &Option<Box<str>>| text.as_deref().unwrap_or("?").to_owned();
        let or_none = |text: &Option<Box<str>>| text.as_deref().unwrap_or("").to_owned();
        let word = |all: &[&'static str], word: &Option<Box<str>>| {
            let own = word.as_deref().unwrap_or("?");
            let known = all.iter().find(|one| **one == own).copied();
            known.unwrap_or("a word that nobody expects")
        };
        let what = match record.kind {
            Kind::Start => What::Start,
            Kind::Send => What::Send(text(&record.to)),
            Kind::Alert => What::Alert(text(&record.route)),
            Kind::Task => What::Task,
            Kind::Set => {
                let value = record.value.clone().unwrap_or_default();
                let field = text(&record.name);
                What::Set(field.replace("account.", ""), value.to_string())
            }
            Kind::Skip if record.step.is_some() => What::Skip(word(&WHYS, &record.why)),
            Kind::Ask => What::Ask(text(&record.by)),
            Kind::RiskOpened | Kind::RiskClosed => {
                let severity = record.value.as_ref().and_then(|value| value.as_str());
                let severity = severity.unwrap_or("?").to_owned();
                if record.kind == Kind::RiskOpened {
                    What::Opened(text(&record.name), severity)
                } else {
                    What::Closed(text(&record.name), severity)
                }
            }
            Kind::End => What::End(word(&ENDS, &record.how)),
            Kind::StageChanged => What::Stage(shown(&record.from), shown(&record.value)),
            Kind::HealthChanged => What::Health(shown(&record.from), shown(&record.value)),
            Kind::Webhook => What::Webhook(text(&record.name), body(record, outbox)),
            Kind::Skip | Kind::Hold => return None,
        };
        Some(Self {
            at: record.at.parse().expect("a time"),
            workflow: or_none(&record.workflow),
            subject: or_none(&record.subject),
            step: record.step.as_deref().map(str::to_owned),
            what,
        })
    }
}

fn shown(value: &Option<serde_json::Value>) -> String {
    let word = value.as_ref().and_then(|value| value.as_str());
    word.unwrap_or("").to_owned()
}

/// What a call says.
fn body(record: &Record, outbox: &[Outgoing]) -> String {
    let mut all = outbox.iter();
    let call = all.find(|one| Some(&one.message) == record.message.as_ref());
    call.map_or_else(|| "no such call".to_owned(), |call| call.view.to_string())
}
