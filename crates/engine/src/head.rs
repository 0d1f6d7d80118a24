//! The head of an account: all that is needed of it at every decision, in one small row.

use crate::entity::{Entity, Fields};
use crate::health;
use crate::memory::{Hold, Subject};
use crate::metric;
use crate::named::Named;
use crate::packed;
use crate::run::Run;
use crate::stop::Stop;
use crate::stored::{Bytes, DecodeError, Stored, stored_struct};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use std::collections::{BTreeMap, BTreeSet};

/// The version that this program writes.
pub const HEAD_VERSION: u8 = 6;

/// The head of an account.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// The latest `now` it was decided at.
    pub now: Option<Timestamp>,
    /// When it must be looked at though nothing arrives.
    pub wake_at: Option<Timestamp>,
    /// `seen_at` of its first fact.
    pub first_at: Option<Timestamp>,
    /// Whether it was ever decided live: then marked facts do not freeze it.
    pub is_live: bool,
    /// The history that is open.
    pub history: Option<History>,
    /// The account's own fields.
    pub account: Entity,
    /// Contracts by id.
    pub contracts: BTreeMap<Box<str>, Entity>,
    /// Contacts by id, without what is personal.
    pub contacts: BTreeMap<Box<str>, Entity>,
    /// Metric states that are small.
    pub metrics: metric::Metrics,
    /// The last known word of each label that is watched.
    pub labels: BTreeMap<Box<str>, Box<str>>,
    /// The health band and what moves it.
    pub health: health::State,
    /// Risks that are open, or on the way to it.
    pub risks: BTreeMap<Box<str>, RiskState>,
    /// Workflows by name.
    pub workflows: Named<WorkflowState>,
    /// The days of `arrived_at` for which there is a part of fact ids.
    pub id_days: BTreeSet<Date>,
    /// What may not be sent to which contact: a copy, moved by facts. The row of the address has the last word.
    pub stops: BTreeMap<Box<str>, Vec<Stop>>,
}
stored_struct!(Head {
    now,
    wake_at,
    first_at,
    is_live,
    history,
    account,
    contracts,
    contacts,
    metrics,
    labels,
    health,
    risks,
    workflows,
    id_days,
} since 6 {
    stops
});

/// An imported history that is not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// `seen_at` of its first marked fact.
    pub opened_at: Timestamp,
    /// `seen_at` of its last.
    pub marked_at: Timestamp,
    /// Whether the account was not live before: nothing of it moves until the close.
    pub is_frozen: bool,
}
stored_struct!(History {
    opened_at,
    marked_at,
    is_frozen
});

/// How a risk stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RiskState {
    /// Since when `opens` holds, while no case is open.
    pub hold: Option<Hold>,
    /// The open case.
    pub case: Option<Case>,
    /// How many cases there were.
    pub cases: u32,
    /// The last moment for which `opens` is known to have been false.
    pub false_at: Option<Timestamp>,
    /// Whether a hold that runs began at go-live or in a history: the case it opens is marked.
    pub is_marked: bool,
    /// Whether `opens` was ever known outside a history.
    pub is_known: bool,
    /// Closed cases that runs still read, and the one that closed last, oldest first.
    pub closed: Vec<Case>,
}
stored_struct!(RiskState {
    hold,
    case,
    cases,
    false_at,
    is_marked,
    is_known
} since 2 {
    closed
});

/// A case of a risk: from its opening to its closing.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// `name-number`.
    pub id: Box<str>,
    /// When it opened.
    pub opened_at: Timestamp,
    /// Whether it was already so at go-live: `existing` decides.
    pub is_marked: bool,
    /// Whether it is grave, as judged when it opened.
    pub is_high: bool,
}
stored_struct!(Case {
    id,
    opened_at,
    is_marked,
    is_high
});

/// What a workflow keeps of an account.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkflowState {
    /// What it remembers, by subject.
    pub subjects: Named<Subject>,
    /// Its runs, oldest first; ended ones stay as long as their messages may matter.
    pub runs: Vec<Run>,
    /// What the clock showed at the last occurrence of its schedule that was decided.
    pub occurred: Option<DateTime>,
}
stored_struct!(WorkflowState { subjects, runs } since 2 { occurred });

impl Head {
    /// The stored form; packed where it is long.
    pub fn encode(&self) -> Vec<u8> {
        packed::pack(self.plain())
    }

    /// The stored form before it is packed, its version first.
    pub fn plain(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        out.push(HEAD_VERSION);
        self.write(&mut out);
        out
    }

    /// Reads the stored form back.
    pub fn decode(stored: &[u8]) -> Result<Self, DecodeError> {
        let stored = packed::unpack(stored)?;
        let mut bytes = Bytes::new(&stored);
        let version = bytes.take(1)?[0];
        if version == 0 || version > HEAD_VERSION {
            return Err(DecodeError::Version(version));
        }
        bytes.set_version(version);
        let head = Self::read(&mut bytes)?;
        bytes.end()?;
        Ok(head)
    }

    /// Whether nothing may move until the history is closed.
    pub fn is_frozen(&self) -> bool {
        self.history.is_some_and(|history| history.is_frozen)
    }

    /// The id of the account's current contract.
    pub fn current_contract(&self) -> Option<&str> {
        crate::known::current_contract(self)
    }

    /// The fields of the account itself.
    pub fn fields(&self) -> &Fields {
        &self.account.fields
    }
}
