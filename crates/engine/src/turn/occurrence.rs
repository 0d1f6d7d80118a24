//! Occurrences: a moment of the calendar starts a run for each subject for which `if` holds then (language.md, 5.6, 5.10).
//!
//! What a workflow remembers is what the clock showed at the last occurrence that was decided. So each is decided once,
//! whatever is stopped, changed or moved to another zone in between.

use super::Turn;
use super::begin::Beginning;
use crate::calendar::{Occurrence, occurrence_after};
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use model::{Kind, Record};
use workflow::program::{Schedule, Start, Workflow};

/// An occurrence may be decided so late; an earlier one is only listed as missed.
const LATE_MAX: SignedDuration = SignedDuration::from_hours(24);
/// So many missed occurrences of an outage are listed at most: its first ones and those of its last day.
const MISSED_MAX: usize = 100;

impl<'a> Turn<'a, '_> {
    /// Decides the occurrences of a workflow that are due: in a wake-up only, when all facts up to now are read. Gives
    /// whether a run began.
    pub(super) fn occur(&mut self, workflow: &'a Workflow) -> bool {
        let Start::Every {
            schedule,
            condition,
        } = &workflow.start
        else {
            return false;
        };
        if self.account.head.is_frozen() {
            return false;
        }
        let Some(last) = self.occurred(workflow) else {
            self.await_next(workflow, schedule);
            return false;
        };
        if !self.cause.acts {
            return false;
        }
        let mut due = self.due(schedule, last);
        let Some(latest) = due.pop() else {
            return false;
        };
        self.keep_occurred(workflow, latest.shown);
        let is_late = self.now.duration_since(latest.at) > LATE_MAX;
        due.extend(is_late.then_some(latest));
        for missed in due {
            self.miss(workflow, missed.at);
        }
        if is_late {
            return false;
        }
        let beginning = Beginning {
            condition: condition.as_ref(),
            event: None,
            says_if: false,
        };
        let mut has_begun = false;
        for subject in self.subjects(workflow.for_each) {
            has_begun |= self.begin(workflow, &subject, beginning);
        }
        has_begun
    }

    /// The next occurrence of a workflow: a wake-up.
    pub(super) fn occurs_at(&self, workflow: &Workflow, schedule: &Schedule) -> Option<Timestamp> {
        let last = self
            .occurred(workflow)
            .filter(|_| !self.account.head.is_frozen())?;
        self.following(schedule, last).map(|next| next.at)
    }

    /// What the clock showed at the last occurrence that was decided.
    fn occurred(&self, workflow: &Workflow) -> Option<DateTime> {
        let state = self.account.head.workflows.get(&workflow.name)?;
        state.occurred
    }

    /// From now on occurrences count: none of the past. One of this very instant counts for an account that has just come.
    pub(super) fn await_next(&mut self, workflow: &Workflow, schedule: &Schedule) {
        let is_new = self.account.head.first_at == Some(self.now) && self.cause.closes.is_none();
        let mut shown = self.zone.to_datetime(self.now);
        if is_new {
            shown = shown
                .checked_sub(SignedDuration::from_nanos(1))
                .unwrap_or(shown);
        }
        // In the second passage of a fold, what the clock shows has been there in the first.
        while let Some(next) = self.following(schedule, shown) {
            if next.at > self.now || (is_new && next.at == self.now) {
                break;
            }
            shown = next.shown;
        }
        self.keep_occurred(workflow, shown);
    }

    fn keep_occurred(&mut self, workflow: &Workflow, shown: DateTime) {
        let workflows = &mut self.account.head.workflows;
        workflows.or_default(&workflow.name).occurred = Some(shown);
        self.is_moved = true;
    }

    fn following(&self, schedule: &Schedule, shown: DateTime) -> Option<Occurrence> {
        occurrence_after(&self.context.program.calendar, schedule, shown, &self.zone)
    }

    /// The occurrences after `last` that are due: the first of them, and all of the last day.
    fn due(&self, schedule: &Schedule, last: DateTime) -> Vec<Occurrence> {
        let mut due: Vec<Occurrence> = Vec::new();
        let mut shown = last;
        let early = self.now.checked_sub(LATE_MAX).unwrap_or(self.now);
        while let Some(next) = self
            .following(schedule, shown)
            .filter(|next| next.at <= self.now)
        {
            shown = next.shown;
            due.push(next);
            if due.len() == MISSED_MAX {
                // Nobody reads a list of all that a long outage missed: on to its last day.
                shown = shown.max(self.zone.to_datetime(early));
            }
        }
        if due.len() > MISSED_MAX {
            // Of a last day full of occurrences, too, only the last ones are told.
            let surplus = due.len() - MISSED_MAX;
            due.drain(..surplus);
        }
        due
    }

    /// Lists an occurrence that nobody decided in time.
    fn miss(&mut self, workflow: &Workflow, at: Timestamp) {
        let record = Record {
            workflow: Some(workflow.name.clone()),
            why: Some("too_late".into()),
            value: Some(serde_json::Value::String(self.shown_at(at).into())),
            ..self.own_record(Kind::Skip)
        };
        self.push(record);
    }
}
