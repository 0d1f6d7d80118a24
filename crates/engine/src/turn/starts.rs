//! Starts: where a condition rises, a run begins (language.md, 5.3 and 5.4; engine.md, 6).

use super::begin::Beginning;
use super::place::Place;
use super::{Closing, Turn};
use crate::memory::{Hold, Memory, Subject};
use workflow::program::{Existing, Expr, Period, Start, Status, Workflow};

/// The keys of `start` with `when`.
#[derive(Clone, Copy)]
struct When<'w> {
    hold: Option<Period>,
    condition: Option<&'w Expr>,
    existing: Existing,
    /// Whether time alone made it true, before the fact.
    is_risen: bool,
    /// Whether the subject is the case of a risk that was there before anybody looked.
    is_marked: bool,
}

impl<'a> Turn<'a, '_> {
    /// Follows every start condition. Gives whether a run began.
    pub(super) fn starts(&mut self) -> bool {
        let mut has_started = false;
        let offers = self.take_offers();
        for workflow in &self.context.program.workflows {
            match workflow.status {
                Status::Draft | Status::Retired => continue,
                Status::Shadow | Status::Live | Status::Paused | Status::Closing => {}
            }
            match &workflow.start {
                Start::When { .. } => {
                    for subject in self.followed(workflow.for_each) {
                        has_started |= self.edge(workflow, &subject);
                    }
                }
                Start::Event { .. } => has_started |= self.begin_on(workflow, &offers),
                Start::Every { .. } => has_started |= self.occur(workflow),
            }
        }
        has_started
    }

    /// One subject's memory of `when`, brought up to now. Gives whether a run began.
    fn edge(&mut self, workflow: &'a Workflow, subject: &str) -> bool {
        let Start::When {
            when,
            hold,
            condition,
            existing,
        } = &workflow.start
        else {
            return false;
        };
        let keys = When {
            hold: *hold,
            condition: condition.as_ref(),
            existing: *existing,
            is_risen: self.is_risen(&workflow.name, subject),
            is_marked: self.is_marked_case(workflow.for_each, subject),
        };
        let truth = self.look_again(Place::subject(workflow, subject), |scene| scene.truth(when));
        let before = self.memory(workflow, subject).cloned().unwrap_or_default();
        let mut after = before.clone();
        let fires = match (truth, self.cause.closes) {
            (None, Some(Closing::Frozen)) => {
                after.memory = Memory::Pending;
                after.hold = None;
                false
            }
            (None, Some(Closing::Waiting) | None) => {
                after.hold = before.hold.map(|hold| self.pause(hold));
                false
            }
            (Some(false), _) => {
                self.falls(&mut after);
                false
            }
            (Some(true), Some(Closing::Frozen)) => self.closes(keys, &mut after),
            (Some(true), Some(Closing::Waiting)) if before.is_waiting => {
                self.closes(keys, &mut after)
            }
            (Some(true), Some(Closing::Waiting) | None) => self.rises(keys, &mut after),
        };
        if after != before {
            self.is_moved = true;
            self.memo.forget();
            let state = self.account.head.workflows.or_default(&workflow.name);
            state.subjects.insert(subject.into(), after);
        }
        fires && self.begin(workflow, subject, Beginning::when(keys.condition))
    }

    pub(super) fn memory(&self, workflow: &Workflow, subject: &str) -> Option<&Subject> {
        self.account
            .head
            .workflows
            .get(&workflow.name)?
            .subjects
            .get(subject)
    }

    /// The condition is false: a hold is over.
    pub(super) fn falls(&self, subject: &mut Subject) {
        if subject.memory != Memory::False {
            subject.false_at = Some(self.evidence_at());
        }
        subject.memory = Memory::False;
        subject.hold = None;
        subject.is_waiting = false;
    }

    /// The condition is true. Gives whether that starts a run.
    fn rises(&self, keys: When<'_>, subject: &mut Subject) -> bool {
        let was_pending = match subject.memory {
            Memory::Pending => true,
            Memory::Never => keys.is_marked,
            Memory::False | Memory::True => false,
        };
        let is_new = match subject.memory {
            Memory::Never | Memory::False | Memory::Pending if was_pending => {
                keys.existing == Existing::Include
            }
            Memory::Never | Memory::False | Memory::Pending => true,
            Memory::True => false,
        };
        subject.memory = Memory::True;
        let mut is_ready = is_new;
        if keys.hold.is_some() {
            if is_new {
                subject.hold = Some(if was_pending || keys.is_risen {
                    self.hold_from_now()
                } else {
                    self.begin_hold(subject.false_at)
                });
            }
            subject.hold = subject.hold.map(|hold| self.resume(hold));
            is_ready = self.is_hold_full(keys, subject);
        }
        if is_new && (self.cause.is_marked || self.account.head.is_frozen()) {
            subject.is_waiting = true;
        }
        if subject.is_waiting || self.account.head.is_frozen() {
            return false;
        }
        if is_ready {
            subject.hold = None;
        }
        is_ready
    }

    /// A history closes and the condition is true: `existing` decides.
    fn closes(&self, keys: When<'_>, subject: &mut Subject) -> bool {
        subject.memory = Memory::True;
        subject.is_waiting = false;
        if keys.existing == Existing::Skip {
            subject.hold = None;
            return false;
        }
        if keys.hold.is_none() {
            return true;
        }
        let held = subject.hold.map(|hold| self.resume(hold));
        subject.hold = Some(held.unwrap_or_else(|| self.hold_from_now()));
        let is_full = self.is_hold_full(keys, subject);
        if is_full {
            subject.hold = None;
        }
        is_full
    }

    fn hold_from_now(&self) -> Hold {
        Hold {
            since: self.now,
            paused_at: None,
        }
    }

    fn is_hold_full(&self, keys: When<'_>, subject: &Subject) -> bool {
        let due = subject
            .hold
            .zip(keys.hold)
            .and_then(|(hold, period)| self.hold_due(hold, period));
        due.is_some_and(|due| due <= self.now)
    }
}
