//! Scenarios: the tests that CS Ops write, read from `*.test.yaml`.

mod accept;

pub use accept::{Change, accept};

use crate::diagnostic::Span;
use jiff::civil::DateTime;
use model::Value;
use std::collections::BTreeMap;

/// A JSON object as facts carry it.
pub type Json = serde_json::Map<String, serde_json::Value>;

/// One test.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Path inside DIR.
    pub file: Box<str>,
    /// Where its `test:` stands.
    pub span: Span,
    /// Its sentence.
    pub name: Box<str>,
    /// The workflow that runs; none: all.
    pub workflow: Option<Box<str>>,
    /// The account's id (the fixture's name).
    pub account: Box<str>,
    /// The fixture with `but` laid over it.
    pub fixture: Fixture,
    /// When the fixture arrives.
    pub start_at: DateTime,
    /// Until when it is watched.
    pub end_at: DateTime,
    /// Whether `start_at` is the moment of going live.
    pub is_going_live: bool,
    /// The arm that is drawn, by the step that splits; a step that is not named takes its first.
    pub arms: BTreeMap<Box<str>, Box<str>>,
    /// Whether the subject is held out.
    pub is_held_out: bool,
    /// What happens and what is expected, in order.
    pub timeline: Vec<Entry>,
    /// Where the whole test stands in its file.
    pub whole: Span,
    /// Where the list of the timeline stands, if there is one.
    pub timeline_span: Option<Span>,
}

/// The facts an account starts with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fixture {
    /// The account's fields.
    pub account: Json,
    /// The contract `k-1`, if any.
    pub contract: Option<Json>,
    /// The contacts `p-1 …`.
    pub contacts: Vec<Json>,
    /// The CSM, if any.
    pub csm: Option<Json>,
    /// Metrics, segments, labels and `health.x` held at a value, by name; `None` is unknown.
    pub pinned: BTreeMap<Box<str>, Option<Value>>,
}

/// One line of the timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When, in the account's zone.
    pub at: DateTime,
    /// Where it stands in the file.
    pub span: Span,
    /// What happens.
    pub action: Option<Action>,
    /// What is expected, each with the keys that were written.
    pub expect: Vec<Expected>,
    /// The whole entry's place.
    pub whole: Span,
    /// The places of the key `expect` and of its list, if they are written.
    pub expect_span: Option<(Span, Span)>,
}

/// What happens in a scenario.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// An event; a role may stand for a contact in its data.
    Event {
        /// Its type.
        kind: Box<str>,
        /// Its data.
        data: Json,
    },
    /// Fields change: by dotted field (`risk.open` among them), `contacts` whole, or a pinned name.
    Change(Vec<(Box<str>, serde_json::Value)>),
    /// The mail of a step is answered.
    Reply(Box<str>),
    /// A link in it is followed.
    Click(Box<str>),
    /// A task is done.
    Done {
        /// Its step.
        step: Box<str>,
        /// What came of it.
        outcome: Option<Box<str>>,
        /// Fields that are set with it, by dotted field.
        set: Vec<(Box<str>, serde_json::Value)>,
    },
    /// A step is approved.
    Approve(Box<str>),
    /// A step is rejected.
    Reject(Box<str>),
}

/// One expected record.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// `send`, `alert`, `task`, `webhook`, `set`, `ask`, `skip` or `end`.
    pub kind: model::Kind,
    /// The value beside the verb.
    pub what: Box<str>,
    /// Further keys: `to`, `template`, `contains`, `why`, `step`, `by`, `value`, …
    pub keys: BTreeMap<Box<str>, Box<str>>,
    /// Where it stands.
    pub span: Span,
}
