//! Everything an expression may read at one instant.

use super::knowledge::{Knowledge, RiskCase, StepResults};
use super::list::Item;
use super::memo::{Asked, Question};
use super::reading::Reading;
use crate::calendar::{Stretches, day_number, day_of, from_number, midnight_after, start_of};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::Value;
use std::collections::BTreeMap;
use workflow::Program;
use workflow::program::{Expr, ExprKind};

/// How deep names may lead to further names; the checker refuses circles, so this is never reached.
pub(crate) const DEPTH_MAX: u8 = 64;

/// What belongs to one run or workflow: needed by `with`, `remember` and `steps`.
#[derive(Clone, Copy)]
pub struct RunScope<'a> {
    /// The workflow's `with`.
    pub with: &'a [(Box<str>, Expr)],
    /// The values of its `remember`, frozen at the start.
    pub remember: &'a [Option<Value>],
    /// What became of its steps.
    pub steps: &'a dyn StepResults,
}

/// Everything an expression may read at one instant.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The definitions.
    pub program: &'a Program,
    /// What is known of the account.
    pub known: &'a dyn Knowledge,
    /// The account's zone.
    pub zone: &'a TimeZone,
    /// The instant.
    pub(crate) now: Timestamp,
    /// Its civil day in the account's zone.
    pub(crate) today: Date,
    /// Where days are found by plain arithmetic; none: the zone is asked.
    pub(crate) stretches: Option<&'a Stretches>,
    /// The subject's own contract; none: the account's current one.
    pub contract: Option<&'a str>,
    /// The case of a risk that is the subject.
    pub case: Option<RiskCase>,
    /// The event that is being looked at.
    pub event: Option<&'a BTreeMap<Box<str>, Value>>,
    /// The event that started the run, or would.
    pub started_by: Option<&'a BTreeMap<Box<str>, Value>>,
    /// The item of the innermost `where`, the recipient, or the subject.
    pub item: Option<Item<'a>>,
    /// The run or workflow.
    pub run: Option<RunScope<'a>>,
    /// How deep names have led.
    pub(crate) depth: u8,
    /// Whether counts are taken for what was seen, inside a quotient of counts of one event.
    pub(crate) is_as_seen: bool,
}

impl<'a> Scene<'a> {
    /// The scene of the account itself at `now`; the public fields narrow it.
    pub fn new(
        program: &'a Program,
        known: &'a dyn Knowledge,
        zone: &'a TimeZone,
        now: Timestamp,
    ) -> Self {
        Self {
            today: day_of(now, zone),
            ..Self::base(program, known, zone, now)
        }
    }

    /// The scene of the account itself, the day not yet found.
    fn base(
        program: &'a Program,
        known: &'a dyn Knowledge,
        zone: &'a TimeZone,
        now: Timestamp,
    ) -> Self {
        Self {
            program,
            known,
            zone,
            now,
            today: Date::ZERO,
            stretches: None,
            contract: None,
            case: None,
            event: None,
            started_by: None,
            item: None,
            run: None,
            depth: 0,
            is_as_seen: false,
        }
    }

    /// The scene of the account itself, days found by plain arithmetic where that serves.
    pub fn within(
        stretches: &'a Stretches,
        (program, known): (&'a Program, &'a dyn Knowledge),
        zone: &'a TimeZone,
        now: Timestamp,
    ) -> Self {
        Self {
            today: stretches.day_of(now).unwrap_or_else(|| day_of(now, zone)),
            stretches: Some(stretches),
            ..Self::base(program, known, zone, now)
        }
    }

    /// The same with a contract as the subject.
    pub fn with_contract(self, contract: &'a str) -> Self {
        Self {
            contract: Some(contract),
            ..self
        }
    }

    /// The same with an event to look at.
    pub fn with_event(self, event: &'a BTreeMap<Box<str>, Value>) -> Self {
        Self {
            event: Some(event),
            ..self
        }
    }

    /// The same with an item, recipient or subject.
    pub fn with_item(self, item: Item<'a>) -> Self {
        Self {
            item: Some(item),
            ..self
        }
    }

    /// The same inside a run.
    pub fn with_run(self, run: RunScope<'a>) -> Self {
        Self {
            run: Some(run),
            ..self
        }
    }

    /// The same state at another instant.
    pub fn at(self, now: Timestamp) -> Self {
        Self {
            now,
            today: self.day_of(now),
            ..self
        }
    }

    /// The instant.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The civil day in the account's zone.
    pub fn today(&self) -> Date {
        self.today
    }

    /// The instant at which a civil day of the account begins.
    pub fn start_of(&self, day: Date) -> Timestamp {
        let found = self
            .stretches
            .and_then(|stretches| stretches.start_of(day_number(day)));
        found.unwrap_or_else(|| start_of(day, self.zone))
    }

    /// The civil day of an instant.
    pub(crate) fn day_of(&self, at: Timestamp) -> Date {
        let found = self.stretches.and_then(|stretches| stretches.day_of(at));
        found.unwrap_or_else(|| day_of(at, self.zone))
    }

    /// The instant at which the civil day changes next.
    pub(crate) fn midnight_after(&self) -> Option<Timestamp> {
        let tomorrow = day_number(self.today) + 1;
        // A stretch may only be asked where today lies in one too.
        let found = self.stretches.and_then(|stretches| {
            stretches.day_of(self.now)?;
            stretches.start_of(tomorrow)
        });
        found.or_else(|| midnight_after(self.now, self.zone))
    }

    /// A question as of now.
    pub(crate) fn question(&self, asked: Asked) -> Question {
        Question {
            asked,
            at: self.now,
            is_as_seen: self.is_as_seen,
        }
    }

    /// The scene in which a definition is read: the account's current contract, no run, no event.
    pub(crate) fn of_definitions(self) -> Self {
        Self {
            contract: None,
            case: None,
            event: None,
            started_by: None,
            item: None,
            run: None,
            depth: self.depth.saturating_add(1),
            ..self
        }
    }

    /// The instant at which the day with this number begins, if the calendar reaches so far.
    pub(crate) fn start_of_number(&self, day: i32) -> Option<Timestamp> {
        let found = self.stretches.and_then(|stretches| stretches.start_of(day));
        found.or_else(|| from_number(day).map(|day| self.start_of(day)))
    }

    /// The same, one name further in.
    pub(crate) fn deeper(self) -> Self {
        Self {
            depth: self.depth.saturating_add(1),
            ..self
        }
    }

    /// The scene in which the `where` of a metric is read: that of definitions, with the event.
    pub(crate) fn of_event(self) -> Self {
        Self {
            event: self.event,
            ..self.of_definitions()
        }
    }

    /// The id of the contract that `contract.x` means.
    pub(crate) fn contract_id(&self) -> Option<&'a str> {
        match self.item {
            Some(Item::Contract(id)) => Some(id),
            Some(Item::Contact(_) | Item::Risk(_)) | None => {
                self.contract.or_else(|| self.known.current_contract())
            }
        }
    }

    /// What an expression gives; an *at least* is not known. Where an `else` stands behind it, that shows.
    pub fn value(&self, expr: &Expr) -> Option<Value> {
        self.shown(expr).value()
    }

    /// Whether a condition is true; none: unknown.
    pub fn truth(&self, expr: &Expr) -> Option<bool> {
        self.reading(expr).truth()
    }

    /// Whether a condition is true, unknown being not.
    pub fn is_true(&self, expr: &Expr) -> bool {
        self.truth(expr) == Some(true)
    }

    /// What an expression shows where it stands alone.
    fn shown(&self, expr: &Expr) -> Reading {
        if let ExprKind::Else(first, second) = &expr.kind {
            return match self.shown(first) {
                known @ Reading::Known(_) => known,
                Reading::AtLeast(_) | Reading::Unseen | Reading::Unknown => self.shown(second),
            };
        }
        self.reading(expr)
    }
}
