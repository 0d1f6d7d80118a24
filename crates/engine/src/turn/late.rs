//! Lateness and holds: time may have made a condition true before the fact did, and a late fact may show that it was
//! false in between (language.md, 5.4).

use super::Turn;
use super::place::Place;
use crate::account::Account;
use crate::fold::{self, Late, Which};
use crate::known::Known;
use crate::memory::{Hold, Memory};
use jiff::Timestamp;
use std::cell::OnceCell;
use workflow::program::{Expr, Start, Status, Workflow};

impl<'a> Turn<'a, '_> {
    /// Live, a fact may come before a wake-up that is due: what time has made true by now did not wait for the fact.
    pub(super) fn find_risen(&mut self) {
        let is_overdue = self.account.head.wake_at.is_some_and(|at| at <= self.now);
        if !self.is_live() || !is_overdue {
            return;
        }
        let mut risen = Vec::new();
        for (workflow, when) in self.held_starts() {
            for subject in self.followed(workflow.for_each) {
                let memory = self
                    .memory(workflow, &subject)
                    .map(|subject| subject.memory);
                let is_true = || {
                    self.look(Place::subject(workflow, &subject), |scene| {
                        scene.is_true(when)
                    })
                };
                if memory != Some(Memory::True) && is_true() {
                    risen.push((workflow.name.clone(), subject));
                }
            }
        }
        for risk in self
            .context
            .program
            .risks
            .iter()
            .filter(|risk| risk.hold.is_some())
        {
            let state = self.account.head.risks.get(&risk.name);
            let is_calm = state.is_none_or(|state| state.hold.is_none() && state.case.is_none());
            if is_calm && self.look(Place::default(), |scene| scene.is_true(&risk.opens)) {
                risen.push((risk.name.clone(), "".into()));
            }
        }
        self.risen = risen;
    }

    /// Whether time alone made it true.
    pub(super) fn is_risen(&self, name: &str, subject: &str) -> bool {
        self.risen
            .iter()
            .any(|(risen, of)| **risen == *name && **of == *subject)
    }

    /// Values that came too late may show that a condition was false while it was held to be true.
    pub(super) fn reset_holds(&mut self, (which, id): (Which, &str), late: &[Late], at: Timestamp) {
        let Some(until) = late.iter().map(|late| late.until).min() else {
            return;
        };
        let mut then: Account = self.account.clone();
        fold::as_it_was(&mut then, which, id, late, at);
        let was_false = |turn: &Self, place: Place<'_>, expr: &Expr| {
            let known = Known {
                context: turn.context,
                head: &then.head,
                parts: &then.parts,
                current: OnceCell::new(),
                memo: None,
            };
            place.look(turn, &known, |scene| scene.at(at).truth(expr)) == Some(false)
        };
        let is_inside = |hold: &Hold| hold.since <= at && at < until;
        for (workflow, when) in self.held_starts() {
            for subject in self.followed(workflow.for_each) {
                let hold = self
                    .memory(workflow, &subject)
                    .and_then(|subject| subject.hold);
                if hold.as_ref().is_some_and(is_inside)
                    && was_false(self, Place::subject(workflow, &subject), when)
                {
                    self.hold_again(workflow, &subject, until);
                }
            }
        }
        for risk in &self.context.program.risks {
            let hold = self
                .account
                .head
                .risks
                .get(&risk.name)
                .and_then(|state| state.hold);
            if hold.as_ref().is_some_and(is_inside)
                && was_false(self, Place::default(), &risk.opens)
            {
                let state = self
                    .account
                    .head
                    .risks
                    .entry(risk.name.clone())
                    .or_default();
                state.hold = state.hold.map(|hold| Hold {
                    since: until,
                    ..hold
                });
            }
        }
    }

    fn hold_again(&mut self, workflow: &Workflow, subject: &str, since: Timestamp) {
        let state = self.account.head.workflows.get_mut(&workflow.name);
        if let Some(subject) = state.and_then(|state| state.subjects.get_mut(subject)) {
            subject.hold = subject.hold.map(|hold| Hold { since, ..hold });
        }
    }

    /// Workflows whose `when` has to hold for a while.
    fn held_starts(&self) -> impl Iterator<Item = (&'a Workflow, &'a Expr)> + use<'a> {
        self.context
            .program
            .workflows
            .iter()
            .filter_map(|workflow| {
                let Start::When { when, hold, .. } = &workflow.start else {
                    return None;
                };
                (hold.is_some() && workflow.status != Status::Draft).then_some((workflow, when))
            })
    }
}
