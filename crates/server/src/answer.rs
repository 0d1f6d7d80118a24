//! Answers to tasks and approvals: one function, whether they come by command, over HTTP, by a link or from Slack.
//!
//! An answer is a fact of the account's log. What the engine makes of it is decided when that fact is read: of two
//! answers to one approval the first in the log stands.

mod csm;
mod patch;

pub(crate) use csm::{csm_in_slack, who_in_slack};

use crate::activate;
use jiff::Timestamp;
use model::{Fact, TaskChange, TaskKind, TaskState};
use serde_json::{Map, Value, json};
use store::{Failure, Incoming, NewFact, Store, TaskRow};

/// The source of answers: the same however they come, so that an answer given twice counts once.
const SOURCE: &str = "sottaku/answer";
/// The longest outcome, in characters.
pub const OUTCOME_CHARS_MAX: usize = 1_000;
/// Fields that one answer may set.
pub const SET_MAX: usize = 50;

/// What is said to a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An approval is given.
    Approve,
    /// An approval is refused.
    Reject,
    /// A task is done.
    Done {
        /// What came of it, in words.
        outcome: Option<Box<str>>,
        /// Fields of the account that are known now, as `account.field` and text.
        set: Vec<(Box<str>, Box<str>)>,
    },
    /// A task is put off: it is due then.
    Snooze {
        /// Until when.
        until: Timestamp,
    },
    /// A task goes to another CSM.
    Reassign {
        /// Whose it is now.
        to: Box<str>,
    },
}

impl Reply {
    /// The type of the fact that tells it.
    fn kind(&self) -> &'static str {
        match self {
            Self::Approve => "task.approved",
            Self::Reject => "task.rejected",
            Self::Done { .. } => "task.done",
            Self::Snooze { .. } => "task.snoozed",
            Self::Reassign { .. } => "task.reassigned",
        }
    }

    /// The kind of task that it answers.
    fn answers(&self) -> TaskKind {
        match self {
            Self::Approve | Self::Reject => TaskKind::Approve,
            Self::Done { .. } | Self::Snooze { .. } | Self::Reassign { .. } => TaskKind::Do,
        }
    }
}

/// Why an answer was not taken: nothing was told.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// There is no such task.
    #[error("there is no task {0}")]
    Unknown(Box<str>),
    /// The task asks for another kind of answer.
    #[error("{task} can't be answered so: {}", way(*.kind))]
    OtherKind {
        /// Which.
        task: Box<str>,
        /// What it is.
        kind: TaskKind,
    },
    /// It was answered or closed before.
    #[error("{task} is {} already", .state.as_str())]
    NotOpen {
        /// Which.
        task: Box<str>,
        /// How it stands.
        state: TaskState,
    },
    /// A value can't be used.
    #[error("{0}")]
    Value(Box<str>),
    /// The text that decides can't be read.
    #[error(transparent)]
    Workspace(#[from] activate::Refused),
    /// The store does not take it now; it may be answered again.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The log does not take it now; it may be answered again.
    #[error(transparent)]
    Log(#[from] store::AppendError),
}

/// How each kind of task is answered.
fn way(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Do => "it is something to do, and can be done, snoozed or reassigned",
        TaskKind::Approve => "it is something to approve or reject",
    }
}

/// Answers a task: tells it to the log of its account, and gives the task as it stood before. `by` says who answered, if
/// that is known; whoever holds the task's shard should be rung then.
pub async fn answer(
    store: &Store,
    task: &str,
    reply: &Reply,
    by: Option<&str>,
    now: Timestamp,
) -> Result<TaskRow, AnswerError> {
    let row = find(store, task).await?;
    fits(&row.task, reply)?;
    let mut facts = Vec::new();
    let mut data = Map::new();
    data.insert("task".into(), json!(row.task.task));
    match reply {
        Reply::Approve | Reply::Reject => {}
        Reply::Done { outcome, set } => {
            if !set.is_empty() {
                let patch = patch::patch(store, set).await?;
                // Said first, so that whoever hears that it is done knows it already.
                facts.push(fact(&row, "account.updated", patch, (reply, now)));
            }
            if let Some(outcome) = outcome {
                data.insert("outcome".into(), json!(short(outcome)?));
            }
        }
        Reply::Snooze { until } => {
            if *until <= now {
                return Err(AnswerError::Value(
                    format!("{until} is over already").into(),
                ));
            }
            data.insert("until".into(), json!(until));
        }
        Reply::Reassign { to } => {
            csm::is_there(store, row.shard, to).await?;
            data.insert("to".into(), json!(to));
        }
    }
    if let Some(by) = by {
        data.insert("by".into(), json!(by));
    }
    facts.push(fact(&row, reply.kind(), data, (reply, now)));
    let facts = facts
        .into_iter()
        .map(|fact| NewFact {
            shard: row.shard,
            arrived_at: now,
            json: fact.into(),
        })
        .collect();
    let parked = Vec::new();
    store.append(Incoming { facts, parked }).await?;
    Ok(row)
}

/// A task, whether or not it is open.
pub async fn find(store: &Store, task: &str) -> Result<TaskRow, AnswerError> {
    let row = store.task(task).await?;
    row.ok_or_else(|| AnswerError::Unknown(task.into()))
}

fn fits(task: &TaskChange, reply: &Reply) -> Result<(), AnswerError> {
    let id = task.task.clone();
    if task.kind != reply.answers() {
        let kind = task.kind;
        return Err(AnswerError::OtherKind { task: id, kind });
    }
    if task.state != TaskState::Open {
        let state = task.state;
        return Err(AnswerError::NotOpen { task: id, state });
    }
    Ok(())
}

fn short(outcome: &str) -> Result<&str, AnswerError> {
    if outcome.chars().count() > OUTCOME_CHARS_MAX {
        let why = format!("an outcome has at most {OUTCOME_CHARS_MAX} characters");
        return Err(AnswerError::Value(why.into()));
    }
    Ok(outcome)
}

/// The fact that tells an answer, or what was learnt with it. It carries no time: it happens when it is read.
fn fact(
    row: &TaskRow,
    kind: &str,
    data: Map<String, Value>,
    (reply, now): (&Reply, Timestamp),
) -> String {
    // What ends a task is told once, however often a button is pressed; what moves it may come again.
    let once = match reply {
        Reply::Approve | Reply::Reject | Reply::Done { .. } => String::new(),
        Reply::Snooze { .. } | Reply::Reassign { .. } => now.to_string(),
    };
    let digest = model::id::digest(&[&row.task.task, kind, &once]);
    let digest: String = digest[..12]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let fact = Fact {
        specversion: "1.0".into(),
        id: digest.into(),
        source: SOURCE.into(),
        kind: kind.into(),
        subject: Some(row.task.account.as_str().into()),
        time: None,
        is_history: false,
        arrived_at: None,
        data,
    };
    json!(fact).to_string()
}
