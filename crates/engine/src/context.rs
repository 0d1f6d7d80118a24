//! What a decision is given beside the account: the program, the CSMs, the clock and the input.

use crate::entity::Entity;
use crate::rebase::Change;
use crate::rules::Rules;
use jiff::Timestamp;
use model::{Logged, Record, Value};
use std::collections::BTreeMap;
use workflow::Program;

/// Which clock the shard runs on (engine.md, 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The store's wall clock.
    Live,
    /// The account's own time, moved by facts and ticks.
    Log,
}

/// The shard's copies of the CSMs, by id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Csms(pub BTreeMap<Box<str>, Entity>);

/// What a scenario holds fast: values, and what would be left to chance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pins {
    /// By the name of a metric, segment, label or `health.x`; `None` is unknown.
    pub values: BTreeMap<Box<str>, Option<Value>>,
    /// The arm that is drawn, by the step that splits; a step that is not named takes its first.
    pub arms: BTreeMap<Box<str>, Box<str>>,
    /// Whether the subject is held out.
    pub is_held_out: bool,
}

/// What a decision is given beside the account.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The checked program.
    pub program: &'a Program,
    /// What was worked out of it, once.
    pub rules: &'a Rules,
    /// The shard's copies of the CSMs.
    pub csms: &'a Csms,
    /// Scenarios only.
    pub pins: Option<&'a Pins>,
    /// The clock.
    pub clock: Clock,
}

/// A record that the journal kept of the account.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnRecord {
    /// The record.
    pub record: Record,
    /// Of a mail, whom it was for: records name addresses.
    pub contact: Option<Box<str>>,
}

/// What there is to decide about.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A fact of the account.
    Fact(&'a Logged),
    /// A fact from before the first text took effect: it counts as marked history.
    History(&'a Logged),
    /// The account's wake-up.
    Wake,
    /// The imported history ends here (`sottaku.history_ended`, or the first apply).
    CloseHistory,
    /// The account was decided by another text before.
    Rebase(&'a Change),
    /// A fact of the log, from before the account's present text: what it tells bases that the text brought.
    Backfill(&'a Logged),
    /// The log was read up to where the present text decides.
    Backfilled {
        /// Since when the log is kept; none: from its beginning.
        kept_from: Option<Timestamp>,
        /// The account's records in the order they were decided, where [`Rules::asks_records`] says so.
        own: &'a [OwnRecord],
    },
    /// The values held fast changed: scenarios only.
    Repinned {
        /// From when the new values hold.
        at: Timestamp,
    },
}

/// Which parts to load beside the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartsNeeded {
    /// Only the head.
    None,
    /// Every part of the account.
    All,
}

/// Which parts an input needs.
pub fn parts_needed(program: &Program, input: &Input<'_>) -> PartsNeeded {
    let _ = program;
    match input {
        Input::Fact(_)
        | Input::History(_)
        | Input::Wake
        | Input::CloseHistory
        | Input::Rebase(_)
        | Input::Backfill(_)
        | Input::Backfilled { .. }
        | Input::Repinned { .. } => PartsNeeded::All,
    }
}
