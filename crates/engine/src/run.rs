//! Runs: one passage of one subject through a workflow, as it is stored.

use crate::named::Named;
use crate::stored::{Bytes, DecodeError, Stored, stored_enum, stored_struct};
use jiff::Timestamp;
use model::{MessageId, RunId, Value};
use std::collections::{BTreeMap, BTreeSet};

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// In its steps.
    Steps,
    /// Its steps are done; the goal is still watched.
    Watching,
    /// The goal was reached: the steps under `then` are done, free of goal and `while`.
    Then,
    /// Over.
    Ended,
}
stored_enum!(Phase { 0 = Steps, 1 = Watching, 2 = Then, 3 = Ended });

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// All steps are done.
    Finished,
    /// `while` became false, or the subject was deleted.
    Left,
    /// The goal was reached.
    Goal,
    /// A step stopped it.
    Stopped,
    /// It moved without an end and was stopped loudly.
    Stuck,
}
stored_enum!(How { 0 = Finished, 1 = Left, 2 = Goal, 3 = Stopped, 4 = Stuck });

impl How {
    /// The word in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Left => "left",
            Self::Goal => "goal",
            Self::Stopped => "stopped",
            Self::Stuck => "stuck",
        }
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// What it belongs to: the account's, contract's or contact's id.
    pub subject: Box<str>,
    /// When it began.
    pub started_at: Timestamp,
    /// How far it is.
    pub phase: Phase,
    /// How and when it ended.
    pub ended: Option<(How, Timestamp)>,
    /// Steps that are done or under way, by id.
    pub steps: Named<StepState>,
    /// The value of each name in `remember`, as it was at the start.
    pub remembered: BTreeMap<Box<str>, Option<Value>>,
    /// Since when the run rests at the step it is at.
    pub rests_since: Timestamp,
    /// The step at which it rests, or that it did last; where it goes on when steps come or go around it.
    pub rests_at: Option<Box<str>>,
    /// Since when events that it will wait for are kept: the last message, alert, task or call, or its start.
    pub listens_since: Option<Timestamp>,
    /// Events that steps still ahead will wait for, by step: the first that came, its fields that are read.
    pub heard: BTreeMap<Box<str>, BTreeMap<Box<str>, Value>>,
    /// Of the event that started it, the fields that its workflow reads.
    pub started_by: BTreeMap<Box<str>, Value>,
    /// Whether it gets no steps and is only watched for the goal.
    pub is_held_out: bool,
}
stored_struct!(Run {
    id,
    subject,
    started_at,
    phase,
    ended,
    steps,
    remembered,
    rests_since
} since 2 {
    rests_at,
    listens_since,
    heard,
    started_by,
    is_held_out
});

impl Run {
    /// Whether it can still do something of its own.
    pub fn is_open(&self) -> bool {
        self.phase != Phase::Ended
    }

    /// Whether it keeps its subject from starting again: goal and `while` still concern it.
    pub fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Steps | Phase::Watching)
    }
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepPhase {
    /// Not decided for everybody yet.
    Waiting,
    /// Done.
    Acted,
    /// Passed over.
    Skipped,
    /// A branch: the `then` way was taken.
    TookThen,
    /// A branch: the `else` way was taken.
    TookElse,
    /// A `match` or a `split`: the way that `chosen` names was taken, without a name the `otherwise`.
    Chose,
    /// What was waited for did not come in time: the `otherwise` was taken.
    TimedOut,
}
stored_enum!(StepPhase {
    0 = Waiting,
    1 = Acted,
    2 = Skipped,
    3 = TookThen,
    4 = TookElse,
    5 = Chose,
    6 = TimedOut
});

/// What happened to a step's mail, or to its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The receiving server confirmed it.
    Delivered,
    /// Opened.
    Opened,
    /// Clicked.
    Clicked,
    /// Answered.
    Replied,
    /// Came back.
    Bounced,
    /// The task is done.
    Done,
    /// The webhook was accepted.
    Accepted,
    /// The task was not done in time.
    Overdue,
}
stored_enum!(Outcome {
    0 = Delivered,
    1 = Opened,
    2 = Clicked,
    3 = Replied,
    4 = Bounced,
    5 = Done,
    6 = Accepted,
    7 = Overdue
});

/// An approval that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The task that asks.
    pub task: Box<str>,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// Until when it may be answered.
    pub due_at: Timestamp,
    /// The answer: yes or no.
    pub answer: Option<bool>,
}
stored_struct!(Ask {
    task,
    asked_at,
    due_at,
    answer
});

/// What people changed of a task that was given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Handed {
    /// Put off until then, which is when it is due now.
    pub until: Option<Timestamp>,
    /// The CSM who has it now.
    pub to: Option<Box<str>>,
}
stored_struct!(Handed { until, to });

/// What a run keeps of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepState {
    /// How it stands.
    pub phase: StepPhase,
    /// When it was done, or arrived at.
    pub at: Timestamp,
    /// Messages by whom they are for; several where one expired.
    pub messages: Named<Message>,
    /// What came of them.
    pub outcomes: BTreeSet<Outcome>,
    /// What came of the task, in words.
    pub result: Option<Value>,
    /// The approval.
    pub ask: Option<Ask>,
    /// The task that was given.
    pub task: Option<Box<str>>,
    /// Whether a `hold` was printed.
    pub is_held: bool,
    /// The case or arm that was taken.
    pub chosen: Option<Box<str>>,
    /// The event that came while it waited: its fields that are read.
    pub event: BTreeMap<Box<str>, Value>,
    /// What people changed of its task.
    pub handed: Option<Handed>,
}
stored_struct!(StepState {
    phase,
    at,
    messages,
    outcomes,
    result,
    ask,
    task,
    is_held
} since 2 {
    chosen,
    event
} since 5 {
    handed
});

impl StepState {
    /// A step just arrived at.
    pub fn new(phase: StepPhase, at: Timestamp) -> Self {
        Self {
            phase,
            at,
            messages: Named::default(),
            outcomes: BTreeSet::new(),
            result: None,
            ask: None,
            task: None,
            is_held: false,
            chosen: None,
            event: BTreeMap::new(),
            handed: None,
        }
    }

    /// Whether the run goes on after it.
    pub fn is_over(&self) -> bool {
        self.phase != StepPhase::Waiting
    }

    /// Whether a message of it stands: put into the outbox and not taken out again.
    pub fn is_sent(&self) -> bool {
        self.phase == StepPhase::Acted
            && (self.messages.is_empty()
                || self.messages.values().any(|message| message.fate.counts()))
    }
}

/// What became of a message, as far as the engine cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// In the outbox, or on its way.
    Queued,
    /// Its fate is settled: sent, refused, unknown, withdrawn, shadow.
    Settled,
    /// Its window closed before it left: decided again.
    Expired,
    /// The gate said no.
    Suppressed,
    /// It was decided that this recipient gets none.
    Skipped,
}
stored_enum!(Fate { 0 = Queued, 1 = Settled, 2 = Expired, 3 = Suppressed, 4 = Skipped });

impl Fate {
    /// Whether it counts as sent.
    pub fn counts(self) -> bool {
        matches!(self, Self::Queued | Self::Settled)
    }
}

/// The newest message of a step to one recipient.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// How many of them have expired.
    pub expired: u32,
    /// What became of it.
    pub fate: Fate,
    /// When it was decided.
    pub at: Timestamp,
}
stored_struct!(Message {
    id,
    expired,
    fate,
    at
});

impl<A: Stored, B: Stored, C: Stored> Stored for (A, B, C) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
        self.2.write(out);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
        Ok((A::read(bytes)?, B::read(bytes)?, C::read(bytes)?))
    }
}
