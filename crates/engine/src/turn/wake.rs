//! Wake-ups: the next instant at which time alone could change something. Early now and then, never late.

use super::Turn;
use super::path::next;
use super::place::Place;
use super::ready::Ready;
use crate::evaluate::{Memo, Scene};
use crate::health;
use crate::known::Known;
use crate::lookahead::{holds_until, next_change, sooner};
use crate::memory::Hold;
use crate::run::{Phase, Run};
use jiff::{SignedDuration, Timestamp};
use workflow::program::{Definition, Expr, Period, Start, Status, Step, Verb, Workflow};

/// The earliest of several instants, as far as there are any.
#[derive(Default)]
struct Earliest(Option<Timestamp>);

impl Earliest {
    fn add(&mut self, at: Option<Timestamp>) {
        self.0 = match (self.0, at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
}

impl Turn<'_, '_> {
    /// When the account must be looked at though nothing arrives.
    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        let mut earliest = Earliest::default();
        earliest.add(self.history_due());
        let memo = Memo::default();
        let known = self.known_by(&memo);
        // A frozen account follows its holds too: what they come to when its history closes must not depend on who looked.
        self.definitions_wake(&known, &mut earliest);
        for workflow in &self.context.program.workflows {
            if workflow.status != Status::Draft && workflow.status != Status::Retired {
                self.starts_wake(workflow, &known, &mut earliest);
                if !self.account.head.is_frozen() {
                    self.runs_wake(workflow, &known, &mut earliest);
                }
            }
        }
        let wake_at = earliest.0?.max(self.now);
        if !self.cause.acts || wake_at > self.now {
            return Some(wake_at);
        }
        // A wake-up has done all that was to be done now: the next one is later, whatever the look-ahead says.
        self.now.checked_add(SignedDuration::from_mins(1)).ok()
    }

    fn definitions_wake(&self, known: &Known<'_>, earliest: &mut Earliest) {
        let program = self.context.program;
        Place::default().look(self, known, |scene| {
            for definition in &program.order {
                match definition {
                    Definition::Health => earliest.add(health::next_change(scene)),
                    Definition::Risk(index) => {
                        self.risk_wake(&program.risks[*index], scene, earliest)
                    }
                    Definition::Label(index)
                        if Some(*index) == self.context.rules.stage_index() =>
                    {
                        if let Some((_, stage)) = &self.context.rules.stage {
                            earliest.add(next_change(scene, stage));
                        }
                    }
                    Definition::Label(_) | Definition::Metric(_) | Definition::Segment(_) => {}
                }
            }
        });
    }

    /// When a hold will be full. One that is full already has been looked at, and waits for its history to close.
    fn hold_ends(&self, hold: Hold, period: Period) -> Option<Timestamp> {
        self.hold_due(hold, period).filter(|due| *due > self.now)
    }

    fn risk_wake(
        &self,
        risk: &workflow::program::Risk,
        scene: &Scene<'_>,
        earliest: &mut Earliest,
    ) {
        let state = self.account.head.risks.get(&risk.name);
        earliest.add(next_change(scene, &risk.opens));
        if state.is_some_and(|state| state.case.is_some()) {
            earliest.add(next_change(scene, &risk.closes));
        }
        let hold = state.and_then(|state| state.hold).zip(risk.hold);
        earliest.add(hold.and_then(|(hold, period)| self.hold_ends(hold, period)));
    }

    fn starts_wake(&self, workflow: &Workflow, known: &Known<'_>, earliest: &mut Earliest) {
        let (when, hold) = match &workflow.start {
            Start::When { when, hold, .. } => (when, hold),
            Start::Event { .. } => return,
            Start::Every { schedule, .. } => {
                return earliest.add(self.occurs_at(workflow, schedule));
            }
        };
        let state = self.account.head.workflows.get(&workflow.name);
        for subject in self.followed(workflow.for_each) {
            let place = Place::subject(workflow, &subject);
            earliest.add(place.look(self, known, |scene| next_change(scene, when)));
            let held = state
                .and_then(|state| state.subjects.get(&subject)?.hold)
                .zip(*hold);
            earliest.add(held.and_then(|(hold, period)| self.hold_ends(hold, period)));
        }
    }

    fn runs_wake(&self, workflow: &Workflow, known: &Known<'_>, earliest: &mut Earliest) {
        let Some(state) = self.account.head.workflows.get(&workflow.name) else {
            return;
        };
        for run in &state.runs {
            earliest.add(self.overdue_at(workflow, run));
            if workflow.status != Status::Paused {
                earliest.add(self.expired_at(workflow, run));
                earliest.add(self.step_wake((workflow, run), known));
            }
            if run.is_running() {
                self.ends_wake((workflow, run), known, earliest);
            }
        }
    }

    fn ends_wake(
        &self,
        (workflow, run): (&Workflow, &Run),
        known: &Known<'_>,
        earliest: &mut Earliest,
    ) {
        let place = Place::run(workflow, run);
        let change = |expr: &Expr| place.look(self, known, |scene| next_change(scene, expr));
        if let Some(goal) = &workflow.goal {
            earliest.add(change(&goal.when));
            let deadline = self.goal_deadline(goal, run);
            earliest.add(deadline.filter(|at| run.phase == Phase::Watching || *at > self.now));
        }
        earliest.add(workflow.while_true.as_ref().and_then(change));
    }

    fn step_wake(
        &self,
        (workflow, run): (&Workflow, &Run),
        known: &Known<'_>,
    ) -> Option<Timestamp> {
        let steps = match (run.phase, &workflow.goal) {
            (Phase::Steps, _) => &workflow.steps,
            (Phase::Then, Some(goal)) => &goal.then,
            (Phase::Then, None) | (Phase::Watching | Phase::Ended, _) => return None,
        };
        let Some(step) = next(steps, run) else {
            return Some(self.now);
        };
        let ready = match self.ready(workflow, run, step) {
            Ready::Now | Ready::Passed => return Some(self.now),
            Ready::At(at) => Some(at),
            Ready::Rests => None,
        };
        let place = Place::run(workflow, run);
        sooner(
            ready,
            place.look(self, known, |scene| moves_at(scene, step)),
        )
    }
}

/// When time alone could move a step's window, or change whom it concerns.
fn moves_at(scene: &Scene<'_>, step: &Step) -> Option<Timestamp> {
    let window = step.at.as_ref();
    let moved = window.and_then(|at| next_change(scene, &at.date));
    let Verb::Send { to, .. } = &step.verb else {
        return moved;
    };
    let others = to.iter().filter_map(|to| holds_until(scene, to)).min();
    sooner(moved, others)
}
