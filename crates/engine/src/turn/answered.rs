//! Answers, told again: the log has what was said, the account's records what it was said to. A back-fill counts them anew
//! for bases that a later text brought (engine.md, 6).

use super::Turn;
use super::alert::task_of;
use super::ends::{KEPT_MAX, TASK_KEPT_MAX};
use super::tell::own_fields;
use crate::context::OwnRecord;
use crate::fold::Event;
use crate::stored::stored_struct;
use jiff::Timestamp;
use model::{Kind, Logged, Record, RunId, Value};
use std::collections::BTreeMap;

/// Answers that are events.
const ANSWERED: [&str; 6] = [
    DONE,
    "message.delivered",
    "message.opened",
    "message.clicked",
    "message.replied",
    "message.bounced",
];
const DONE: &str = "task.done";

/// Whether events of a type are answers.
pub(crate) fn is_answered(kind: &str) -> bool {
    ANSWERED.contains(&kind)
}

/// An answer as the log has it, kept until the back-fill ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Heard {
    kind: Box<str>,
    at: Timestamp,
    seen_at: Timestamp,
    /// What it names: a task or a message by its id.
    id: Option<Box<str>>,
    /// Or a step of the newest run, by workflow, subject and step.
    names: Vec<Box<str>>,
    outcome: Option<Box<str>>,
}
stored_struct!(Heard {
    kind,
    at,
    seen_at,
    id,
    names,
    outcome
});

impl Heard {
    /// What a fact of the log says; none: it is no answer that counts.
    pub(super) fn of(logged: &Logged, (at, seen_at): (Timestamp, Timestamp)) -> Option<Self> {
        let fact = &logged.fact;
        let text = |key: &str| fact.data.get(key).and_then(serde_json::Value::as_str);
        let id = text(if *fact.kind == *DONE {
            "task"
        } else {
            "message"
        });
        let names = ["workflow", "subject", "step"].map(text);
        let names: Option<Vec<Box<str>>> = names.into_iter().map(|it| it.map(Box::from)).collect();
        is_answered(&fact.kind).then(|| Self {
            kind: fact.kind.clone(),
            at,
            seen_at,
            id: id.map(Box::from),
            names: names.unwrap_or_default(),
            outcome: text("outcome").map(Box::from),
        })
    }
}

/// What records say that can be answered.
#[derive(Default)]
struct Asked<'r> {
    /// By the id of a message or task: whom it was for.
    by_id: BTreeMap<Box<str>, &'r OwnRecord>,
    /// Records of steps, in the order in which they were decided.
    steps: Vec<(Timestamp, &'r OwnRecord)>,
    /// When a run ended, and when its last message was decided.
    ends: BTreeMap<&'r RunId, Timestamp>,
    sent: BTreeMap<&'r RunId, Timestamp>,
}

impl<'r> Asked<'r> {
    fn of(own: &'r [OwnRecord]) -> Self {
        let mut asked = Self::default();
        for one in own {
            let record = &one.record;
            let (Some(run), Ok(at)) = (&record.run, record.at.parse()) else {
                continue;
            };
            if record.message.is_some() {
                asked.sent.insert(run, at);
            }
            match (record.kind, &record.step, &record.message) {
                (Kind::End, ..) => {
                    asked.ends.insert(run, at);
                }
                (Kind::Send, Some(_), Some(message)) => {
                    asked.by_id.insert(message.as_str().into(), one);
                }
                (Kind::Task, Some(step), _) => {
                    asked.by_id.insert(task_of(run, step), one);
                }
                (
                    Kind::Send
                    | Kind::Task
                    | Kind::Start
                    | Kind::Alert
                    | Kind::Webhook
                    | Kind::Set
                    | Kind::Ask
                    | Kind::Skip
                    | Kind::Hold
                    | Kind::RiskOpened
                    | Kind::RiskClosed
                    | Kind::HealthChanged
                    | Kind::StageChanged,
                    ..,
                ) => {}
            }
            if record.step.is_some() {
                asked.steps.push((at, one));
            }
        }
        asked
    }

    /// The record that an answer is about: of the newest run that had come to the step, if it names a step.
    fn find(&self, heard: &Heard, is_out: impl Fn(&Record) -> bool) -> Option<&'r OwnRecord> {
        let found = match (&heard.id, &*heard.names) {
            (Some(id), _) => *self.by_id.get(id)?,
            (None, [workflow, subject, step]) => {
                let is_of = |record: &Record| {
                    record.workflow.as_ref() == Some(workflow)
                        && record.subject.as_ref() == Some(subject)
                        && record.step.as_ref() == Some(step)
                };
                let before = self
                    .steps
                    .iter()
                    .rev()
                    .filter(|(at, _)| *at <= heard.seen_at);
                let mut all = before.map(|(_, one)| *one).filter(|one| is_of(&one.record));
                let newest = all.next()?;
                let run = newest.record.run.as_ref();
                let of_run = std::iter::once(newest).chain(all);
                let of_run = of_run.filter(|one| one.record.run.as_ref() == run);
                let kind = if *heard.kind == *DONE {
                    Kind::Task
                } else {
                    Kind::Send
                };
                // Of several mails that went out it is the first by contact.
                let asked = of_run.filter(|one| one.record.kind == kind && !is_out(&one.record));
                asked.min_by(|one, other| one.contact.cmp(&other.contact))?
            }
            (None, _) => return None,
        };
        self.is_kept(found, heard).then_some(found)
    }

    /// Whether the run was still known when the answer came: one that is forgotten is not answered.
    fn is_kept(&self, found: &OwnRecord, heard: &Heard) -> bool {
        let run = found.record.run.as_ref();
        let kept = if found.record.kind == Kind::Task {
            TASK_KEPT_MAX
        } else {
            KEPT_MAX
        };
        let of = |all: &BTreeMap<&RunId, Timestamp>| run.and_then(|run| all.get(run).copied());
        let last = of(&self.ends).map(|end| of(&self.sent).map_or(end, |sent| sent.max(end)));
        last.is_none_or(|last| heard.seen_at.duration_since(last) <= kept)
    }
}

impl Turn<'_, '_> {
    /// The answers that the log told, as events, by what they answer.
    pub(super) fn answered(&self, own: &[OwnRecord]) -> Vec<Event> {
        let asked = Asked::of(own);
        let all = self.account.parts.heard();
        let is_out = |record: &Record| self.is_taken_out(record);
        let found = all.filter_map(|heard| Some((heard, asked.find(heard, is_out)?)));
        found
            .map(|(heard, about)| Event {
                kind: heard.kind.clone(),
                fields: fields(heard, about),
                at: heard.at,
            })
            .collect()
    }
}

fn fields(heard: &Heard, about: &OwnRecord) -> BTreeMap<Box<str>, Value> {
    let record = &about.record;
    let text = |text: Option<&str>| text.map(|text| Value::Text(text.into()));
    if *heard.kind == *DONE {
        return own_fields(&[
            ("workflow", text(record.workflow.as_deref())),
            ("step", text(record.step.as_deref())),
            ("title", text(record.task.as_deref())),
            ("assignee", text(record.to.as_deref())),
            ("outcome", text(heard.outcome.as_deref())),
        ]);
    }
    own_fields(&[
        ("workflow", text(record.workflow.as_deref())),
        ("subject", text(record.subject.as_deref())),
        ("step", text(record.step.as_deref())),
        ("template", text(record.template.as_deref())),
        ("topic", text(record.topic.as_deref())),
        ("contact", text(about.contact.as_deref())),
        ("channel", text(Some("email"))),
    ])
}
