//! A decision: all that one input changes, as the heart says it and the store keeps it.

use crate::{AccountId, MessageId, Outgoing, Record, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// All that one input changes beside the account's own state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// What happened, in the order of the public records.
    pub records: Vec<Record>,
    /// Messages to commit to the outbox.
    pub outbox: Vec<Outgoing>,
    /// Messages whose run ended before they left: those still queued are taken back.
    pub withdrawn: Vec<MessageId>,
    /// Tasks given, answered or closed.
    pub tasks: Vec<TaskChange>,
    /// What of the input was not taken, each by name: `unknown_event`, `unknown_field`, `wrong_value`, `ahead` …
    pub rejected: Vec<Rejected>,
    /// The fact could not be used at all.
    pub parked: Option<Parked>,
    /// Whether the fact had been seen before.
    pub is_duplicate: bool,
    /// Whether anything in the account's state changed, so that it must be written.
    pub is_changed: bool,
}

/// A piece of a fact that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rejected {
    /// `unknown_event`, `unknown_field`, `wrong_value`, `unknown_word`, `not_found`, `ahead`, `late`.
    pub code: Box<str>,
    /// The event or `entity.field`.
    pub name: Box<str>,
    /// One value seen, shortened.
    pub sample: Box<str>,
}

/// Why a fact was parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParkCode {
    /// The subject is missing, too long or holds control characters.
    BadSubject,
    /// Not a CloudEvent 1.0: a required attribute is missing or wrong.
    BadEnvelope,
    /// Only Sottaku itself tells facts of this type.
    ReservedType,
    /// The data is too large, too deep, or has too many keys.
    TooLarge,
    /// A required field is missing or has a wrong value.
    BadData,
    /// Under the log clock: no time from anywhere.
    NoTime,
    /// The time is outside 1970 to 2200.
    BadTime,
    /// Deciding it failed; the account waits.
    Poison,
}

impl ParkCode {
    /// The word in answers, tables and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadSubject => "bad_subject",
            Self::BadEnvelope => "bad_envelope",
            Self::ReservedType => "reserved_type",
            Self::TooLarge => "too_large",
            Self::BadData => "bad_data",
            Self::NoTime => "no_time",
            Self::BadTime => "bad_time",
            Self::Poison => "poison",
        }
    }
}

/// A fact put aside, with its reason; `replay` tries it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// Why.
    pub code: ParkCode,
    /// In words, with a way out.
    pub message: Box<str>,
    /// The field it is about.
    pub field: Option<Box<str>>,
}

/// What kind of task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Something to do.
    Do,
    /// Something to approve or reject.
    Approve,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Waits for somebody.
    Open,
    /// Done, with an outcome perhaps.
    Done,
    /// Approved.
    Approved,
    /// Rejected.
    Rejected,
    /// Nobody answered in time, or its run ended.
    Closed,
}

impl TaskState {
    /// The word in tables and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Closed => "closed",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Open,
            Self::Done,
            Self::Approved,
            Self::Rejected,
            Self::Closed,
        ]
        .into_iter()
        .find(|state| state.as_str() == word)
    }
}

/// A task as it is after a decision; written over what was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskChange {
    /// `t_` and a hash of run, step.
    pub task: Box<str>,
    /// The account.
    pub account: AccountId,
    /// The workflow.
    pub workflow: Box<str>,
    /// The subject.
    pub subject: Box<str>,
    /// The run.
    pub run: RunId,
    /// The step.
    pub step: Box<str>,
    /// To do or to approve.
    pub kind: TaskKind,
    /// What is to be done.
    pub title: Box<str>,
    /// The route of who does it.
    pub assignee: Box<str>,
    /// The CSM who has it: to whom it was handed, else the account's, where the route leads to that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csm: Option<Box<str>>,
    /// When it was given.
    pub opened_at: Timestamp,
    /// Until when.
    pub due_at: Option<Timestamp>,
    /// Where it stands.
    pub state: TaskState,
}
