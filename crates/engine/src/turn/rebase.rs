//! A new text takes over an account: memories by `existing`, places by the old order, definitions without news
//! (engine.md, 6; language.md, 6).

use super::Turn;
use super::begin::Beginning;
use super::place::Place;
use crate::calendar;
use crate::health;
use crate::memory::{Hold, Memory, Subject};
use crate::rebase::{Change, Edge, Revised, is_in_force};
use workflow::program::{Existing, Expr, Period, Start, Workflow};

/// The keys of `start` with `when`.
#[derive(Clone, Copy)]
struct When<'w> {
    when: &'w Expr,
    hold: Option<Period>,
    condition: Option<&'w Expr>,
    existing: Existing,
}

impl<'a> Turn<'a, '_> {
    /// Brings the account from the text that decided it last to the present one.
    pub(crate) fn rebase(&mut self, change: &'a Change) {
        self.is_moved = true;
        self.change = Some(change);
        change
            .cover
            .apply(self.account, calendar::day_of(self.now, &self.zone));
        self.forget_definitions(change);
        for workflow in &self.context.program.workflows {
            if let Some(revised) = change.workflows.get(&workflow.name) {
                self.follow_text(workflow, revised);
            }
        }
        self.memo.forget();
        self.definitions();
        for workflow in &change.removed {
            self.retire(workflow);
        }
        if !self.account.head.is_frozen() {
            self.ends();
        }
        for workflow in &self.context.program.workflows {
            if let Some(revised) = change.workflows.get(&workflow.name) {
                self.revise_start(workflow, revised);
            }
        }
        self.change = None;
        // What a new text ends or begins is no news to start on.
        self.offers.clear();
        self.settle();
    }

    /// What means something else begins anew; what it gives now is no news.
    fn forget_definitions(&mut self, change: &Change) {
        let head = &mut self.account.head;
        if change.is_health_redefined {
            head.health = health::State::default();
        }
        if change.is_stage_redefined {
            head.labels.remove("stage");
        }
        for risk in &change.lost_risks {
            head.risks.remove(risk);
        }
        for risk in &change.risks {
            let state = head.risks.entry(risk.clone()).or_default();
            state.hold = None;
            // Whatever opens it first is how things stood, not what happened.
            state.is_marked = state.case.is_none();
        }
    }

    /// Whether what a risk gives now comes of the new text.
    pub(super) fn is_risk_redefined(&self, risk: &str) -> bool {
        let redefined = self
            .change
            .is_some_and(|change| change.risks.contains(risk));
        redefined || self.is_backfilled
    }

    /// Whether the band that health gives now comes of the new text.
    pub(super) fn is_health_redefined(&self) -> bool {
        let redefined = self.change.is_some_and(|change| change.is_health_redefined);
        redefined || self.is_backfilled
    }

    /// Whether the stage that is given now comes of the new text.
    pub(super) fn is_stage_redefined(&self) -> bool {
        let redefined = self.change.is_some_and(|change| change.is_stage_redefined);
        redefined || self.is_backfilled
    }

    /// A workflow that the new text does not have: its runs end; who went through is remembered.
    fn retire(&mut self, workflow: &'a Workflow) {
        for run in 0..self.runs(workflow) {
            self.check_end(workflow, run);
        }
        if let Some(state) = self.account.head.workflows.get_mut(&workflow.name) {
            for subject in state.subjects.values_mut() {
                subject.hold = None;
                subject.is_waiting = false;
            }
        }
    }

    pub(super) fn runs(&self, workflow: &Workflow) -> usize {
        let state = self.account.head.workflows.get(&workflow.name);
        state.map_or(0, |state| state.runs.len())
    }

    /// Every subject's memory of the start condition.
    fn revise_start(&mut self, workflow: &'a Workflow, revised: &Revised) {
        if !is_in_force(workflow.status) {
            return;
        }
        let (when, hold, condition, existing) = match &workflow.start {
            Start::When {
                when,
                hold,
                condition,
                existing,
            } => (when, hold, condition, existing),
            Start::Event { .. } => return,
            Start::Every { schedule, .. } => {
                if revised.edge == Edge::New && !self.account.head.is_frozen() {
                    self.await_next(workflow, schedule);
                }
                return;
            }
        };
        let keys = When {
            when,
            hold: *hold,
            condition: condition.as_ref(),
            existing: *existing,
        };
        for subject in self.followed(workflow.for_each) {
            let how = (revised.edge, revised.is_hold_changed);
            self.revise_subject(workflow, keys, how, &subject);
        }
    }

    /// One subject's memory of the start condition.
    fn revise_subject(
        &mut self,
        workflow: &'a Workflow,
        keys: When<'_>,
        (edge, is_hold_changed): (Edge, bool),
        subject: &str,
    ) {
        let before = self.memory(workflow, subject).cloned().unwrap_or_default();
        let mut after = before.clone();
        let enters = match edge {
            Edge::Kept => is_hold_changed && self.refit(keys, &mut after),
            Edge::Redefined => self.redefine(workflow, keys, &mut after, subject),
            Edge::New => self.go_live(workflow, keys, &mut after, subject),
        };
        if after != before {
            self.memo.forget();
            let state = self.account.head.workflows.or_default(&workflow.name);
            state.subjects.insert(subject.into(), after);
        }
        if enters && !self.account.head.is_frozen() {
            self.enter(workflow, keys, subject, before.memory == Memory::True);
        }
    }

    /// What the start conditions in force give now, by workflow and subject.
    pub(super) fn start_truths(&self) -> Vec<(&'a Workflow, Box<str>, Option<bool>)> {
        let mut truths = Vec::new();
        for workflow in &self.context.program.workflows {
            let Start::When { when, .. } = &workflow.start else {
                continue;
            };
            if !is_in_force(workflow.status) {
                continue;
            }
            for subject in self.followed(workflow.for_each) {
                let place = Place::subject(workflow, &subject);
                let truth = self.look_again(place, |scene| scene.truth(when));
                truths.push((workflow, subject, truth));
            }
        }
        truths
    }

    /// Start conditions that give something else than before, though nothing happened: `existing` decides.
    pub(super) fn revise_truths(&mut self, before: Vec<(&'a Workflow, Box<str>, Option<bool>)>) {
        for (workflow, subject, truth) in before {
            let Start::When {
                when,
                hold,
                condition,
                existing,
            } = &workflow.start
            else {
                continue;
            };
            let keys = When {
                when,
                hold: *hold,
                condition: condition.as_ref(),
                existing: *existing,
            };
            if self.truth_of(workflow, keys, &subject) != truth {
                self.revise_subject(workflow, keys, (Edge::Redefined, false), &subject);
            }
        }
    }

    /// Starts a run; that nothing starts for one who was in before is no news.
    fn enter(&mut self, workflow: &'a Workflow, keys: When<'_>, subject: &str, was_in: bool) {
        let told = self.out.records.len();
        if !self.begin(workflow, subject, Beginning::when(keys.condition)) && was_in {
            self.out.records.truncate(told);
        }
    }

    /// The condition is the same and its hold has another length: who has held long enough by that is handled by
    /// `existing`, who has not goes on holding.
    fn refit(&self, keys: When<'_>, subject: &mut Subject) -> bool {
        let Some(hold) = subject.hold else {
            return false;
        };
        let due = keys
            .hold
            .map_or(Some(self.now), |period| self.hold_due(hold, period));
        if due.is_none_or(|due| due > self.now) || subject.is_waiting {
            return false;
        }
        subject.hold = None;
        keys.existing == Existing::Include
    }

    /// The workflow goes live, or its condition was edited: `existing` decides for all.
    fn go_live(
        &self,
        workflow: &Workflow,
        keys: When<'_>,
        subject: &mut Subject,
        of: &str,
    ) -> bool {
        subject.is_waiting = false;
        subject.hold = None;
        if self.account.head.is_frozen() {
            // Its close asks `existing` for all that is true then.
            subject.memory = Memory::Never;
            return false;
        }
        match self.truth_of(workflow, keys, of) {
            None => {
                subject.memory = Memory::Pending;
                false
            }
            Some(false) => {
                self.falls(subject);
                false
            }
            Some(true) => self.is_in(keys, subject),
        }
    }

    /// What the condition reads means something else: only who is newly in by that is handled by `existing`.
    fn redefine(
        &self,
        workflow: &Workflow,
        keys: When<'_>,
        subject: &mut Subject,
        of: &str,
    ) -> bool {
        if subject.memory != Memory::True || self.account.head.is_frozen() {
            return self.go_live(workflow, keys, subject, of);
        }
        match self.truth_of(workflow, keys, of) {
            None => subject.hold = subject.hold.map(|hold| self.pause(hold)),
            Some(false) => self.falls(subject),
            // How long it has been so was told by another meaning.
            Some(true) => subject.hold = subject.hold.and(keys.hold).map(|_| self.hold_of_now()),
        }
        false
    }

    fn truth_of(&self, workflow: &Workflow, keys: When<'_>, subject: &str) -> Option<bool> {
        self.look_again(Place::subject(workflow, subject), |scene| {
            scene.truth(keys.when)
        })
    }

    fn is_in(&self, keys: When<'_>, subject: &mut Subject) -> bool {
        subject.memory = Memory::True;
        let is_included = keys.existing == Existing::Include;
        subject.hold = keys
            .hold
            .filter(|_| is_included)
            .map(|_| self.hold_of_now());
        is_included && keys.hold.is_none()
    }

    fn hold_of_now(&self) -> Hold {
        Hold {
            since: self.now,
            paused_at: None,
        }
    }
}
