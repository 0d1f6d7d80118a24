//! Answers: what people and servers say to our tasks and messages.

use crate::account::Account;
use crate::run::{Outcome, Run};
use model::Fact;

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Approved,
    Rejected,
    Done,
    Snoozed,
    Reassigned,
    Delivered,
    Bounced,
    Complained,
    Replied,
    Clicked,
    Opened,
}

impl Said {
    fn of(kind: &str) -> Option<Self> {
        Some(match kind {
            "task.approved" => Self::Approved,
            "task.rejected" => Self::Rejected,
            "task.done" => Self::Done,
            "task.snoozed" => Self::Snoozed,
            "task.reassigned" => Self::Reassigned,
            "message.delivered" => Self::Delivered,
            "message.bounced" => Self::Bounced,
            "message.complained" => Self::Complained,
            "message.replied" => Self::Replied,
            "message.clicked" => Self::Clicked,
            "message.opened" => Self::Opened,
            _ => return None,
        })
    }

    /// What a step remembers of it.
    pub(crate) fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Done => Some(Outcome::Done),
            Self::Delivered => Some(Outcome::Delivered),
            Self::Bounced => Some(Outcome::Bounced),
            Self::Replied => Some(Outcome::Replied),
            Self::Clicked => Some(Outcome::Clicked),
            Self::Opened => Some(Outcome::Opened),
            Self::Approved
            | Self::Rejected
            | Self::Snoozed
            | Self::Reassigned
            | Self::Complained => None,
        }
    }

    fn is_of_task(self) -> bool {
        matches!(
            self,
            Self::Approved | Self::Rejected | Self::Done | Self::Snoozed | Self::Reassigned
        )
    }
}

/// An answer and the step it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) said: Said,
    pub(crate) workflow: Box<str>,
    /// The run, by its place among the workflow's.
    pub(crate) run: usize,
    pub(crate) step: Box<str>,
    /// For whom the message was.
    pub(crate) contact: Option<Box<str>>,
    /// What came of a task, in words.
    pub(crate) outcome: Option<Box<str>>,
}

/// Finds what an answer answers. `None`: nothing of that name is known here.
pub(crate) fn read(account: &Account, fact: &Fact) -> Option<Answer> {
    let said = Said::of(&fact.kind)?;
    let text = |key: &str| fact.data.get(key).and_then(serde_json::Value::as_str);
    let by_id = text(if said.is_of_task() { "task" } else { "message" });
    let by_name = (text("workflow"), text("subject"), text("step"));
    for (workflow, state) in account.head.workflows.iter() {
        for (index, run) in state.runs.iter().enumerate().rev() {
            let found = match (by_id, by_name) {
                (Some(id), _) if said.is_of_task() => task(run, id),
                (Some(id), _) => message(run, id),
                (None, (Some(name), Some(subject), Some(step)))
                    if name == workflow && subject == &*run.subject =>
                {
                    run.steps
                        .contains_key(step)
                        .then(|| (step.into(), only_contact(run, step)))
                }
                (None, _) => None,
            };
            if let Some((step, contact)) = found {
                return Some(Answer {
                    said,
                    workflow: workflow.into(),
                    run: index,
                    step,
                    contact,
                    outcome: text("outcome").map(Box::from),
                });
            }
        }
    }
    None
}

type Found = (Box<str>, Option<Box<str>>);

fn task(run: &Run, id: &str) -> Option<Found> {
    run.steps
        .iter()
        .find(|(_, state)| {
            state.task.as_deref() == Some(id)
                || state.ask.as_ref().is_some_and(|ask| &*ask.task == id)
        })
        .map(|(step, _)| (step.into(), None))
}

fn message(run: &Run, id: &str) -> Option<Found> {
    run.steps.iter().find_map(|(step, state)| {
        let (contact, _) = state
            .messages
            .iter()
            .find(|(_, message)| message.id.as_str() == id)?;
        Some((step.into(), Some(contact.into())))
    })
}

/// Whom the step's first message is for, of those that went out.
fn only_contact(run: &Run, step: &str) -> Option<Box<str>> {
    let mut messages = run.steps.get(step)?.messages.iter();
    let sent = messages.find(|(_, message)| message.fate.counts());
    sent.map(|(contact, _)| contact.into())
}
