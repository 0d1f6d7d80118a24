//! Lateness and holds: time may have made a condition true before the fact did, and a late fact may show that it was
//! false in between (language.md, 5.4).

use super::Turn;
use super::place::Place;
use crate::account::Account;
use crate::fold::{self, Event, Late, Which};
use crate::known::Known;
use crate::lookahead::{next_change, sooner};
use crate::memory::{Hold, Memory};
use jiff::Timestamp;
use std::cell::OnceCell;
use workflow::program::{Expr, Risk, Start, Status, Workflow};

/// At most so many moments between a late event and now are looked at.
const LOOKS_MAX: usize = 256;

/// What has to hold for a while.
enum Held<'a> {
    Start(&'a Workflow, &'a Expr, Box<str>),
    Risk(&'a Risk),
}

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
                self.hold_risk_again(risk, until);
            }
        }
    }

    /// Takes an event in. One that comes late may show that a condition was false while it was held to be true: at a moment
    /// in between at which it is false with the event, and was not without it.
    pub(super) fn observe_late(&mut self, event: &Event) {
        let is_late = event.at < self.now && !self.holds().is_empty();
        let before = is_late.then(|| self.account.clone());
        self.observe(event);
        let Some(before) = before else {
            return;
        };
        for (held, since) in self.holds() {
            let from = since.max(event.at);
            let Some(until) = self.false_until(&before, &held, from) else {
                continue;
            };
            match held {
                Held::Start(workflow, _, subject) => self.hold_again(workflow, &subject, until),
                Held::Risk(risk) => self.hold_risk_again(risk, until),
            }
        }
    }

    /// The holds that count at present, and since when.
    fn holds(&self) -> Vec<(Held<'a>, Timestamp)> {
        let mut all = Vec::new();
        for (workflow, when) in self.held_starts() {
            for subject in self.followed(workflow.for_each) {
                let memory = self.memory(workflow, &subject);
                if let Some(hold) = memory.and_then(|subject| subject.hold) {
                    all.push((Held::Start(workflow, when, subject), hold.since));
                }
            }
        }
        for risk in &self.context.program.risks {
            let state = self.account.head.risks.get(&risk.name);
            if let Some(hold) = state.and_then(|state| state.hold) {
                all.push((Held::Risk(risk), hold.since));
            }
        }
        all
    }

    /// Until when what is held was false by the event alone, from some moment on; none: it never was.
    fn false_until(&self, before: &Account, held: &Held<'a>, from: Timestamp) -> Option<Timestamp> {
        let (place, expr) = match held {
            Held::Start(workflow, when, subject) => (Place::subject(workflow, subject), *when),
            Held::Risk(risk) => (Place::default(), &risk.opens),
        };
        let read = |account: &Account, at: Timestamp| {
            let known = Known {
                context: self.context,
                head: &account.head,
                parts: &account.parts,
                current: OnceCell::new(),
                memo: None,
            };
            place.look(self, &known, |scene| {
                let then = scene.at(at);
                (then.truth(expr), next_change(&then, expr))
            })
        };
        let mut at = from;
        let mut until = None;
        for _ in 0..LOOKS_MAX {
            if at >= self.now {
                break;
            }
            let (with, next) = read(self.account, at);
            let (without, other) = read(before, at);
            let next = sooner(next, other).map_or(self.now, |next| next.min(self.now));
            if with == Some(false) && without != Some(false) {
                until = Some(next);
            }
            at = next;
        }
        until
    }

    fn hold_risk_again(&mut self, risk: &Risk, since: Timestamp) {
        let state = self.account.head.risks.get_mut(&risk.name);
        if let Some(state) = state {
            state.hold = state.hold.map(|hold| Hold { since, ..hold });
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
