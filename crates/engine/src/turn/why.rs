//! Why: conditions taken apart, subjects and runs as they stand. Changes nothing.

use super::Turn;
use super::blame::{Culprit, asks_event, culprit, needs, true_at};
use super::offer::Offer;
use super::path::next;
use super::place::Place;
use super::ready::Ready;
use super::tree::{Names, grow};
use crate::fold;
use crate::memory::Memory;
use crate::run::{Phase, Run};
use crate::why::{Asked, Blame, Deed, Offered, Passage, Rest, Standing, Tree, Why};
use model::Fact;
use workflow::program::{Expr, Start, Status, Step, Until, Verb, Workflow};

impl<'a> Turn<'a, '_> {
    /// What a workflow makes of the account now.
    pub(crate) fn explain(&self, workflow: &'a Workflow) -> Why {
        let mut subjects = self.subjects(workflow.for_each);
        let state = self.account.head.workflows.get(&workflow.name);
        let of_runs = state
            .iter()
            .flat_map(|state| state.runs.iter().map(|run| run.subject.clone()));
        subjects.extend(of_runs);
        subjects.sort();
        subjects.dedup();
        let subjects = subjects.iter();
        Why {
            workflow: workflow.name.clone(),
            title: workflow.title.clone(),
            status: workflow.status,
            at: self.now,
            zone: self.zone.iana_name().unwrap_or("UTC").into(),
            subjects: subjects
                .map(|subject| self.standing(workflow, subject))
                .collect(),
        }
    }

    /// What a workflow that starts on an event made of this one.
    pub(crate) fn explain_event(&self, workflow: &'a Workflow, fact: &Fact) -> Option<Offered> {
        let Start::Event {
            events, condition, ..
        } = &workflow.start
        else {
            return None;
        };
        let declared = self.context.program.schema.events.get(&fact.kind)?;
        let at = fact.time.unwrap_or(self.now);
        let (event, _) = fold::read_event(self.account, declared, fact, at).ok()?;
        let offer = Offer { event, case: None };
        if !events.contains(&offer.event.kind) {
            return None;
        }
        let subjects = self.subjects_of(workflow.for_each, &offer).into_iter();
        let subjects = subjects.map(|subject| {
            let place = Place::subject(workflow, &subject).on(Some(&offer.event.fields));
            let start = condition.as_ref();
            let start = start.map(|condition| self.tree(workflow, place, condition));
            let blame = match (&start, condition) {
                (Some(tree), Some(condition)) => {
                    self.blame(workflow, place, (condition, tree, true))
                }
                _ => None,
            };
            Asked {
                subject,
                start,
                blame,
            }
        });
        Some(Offered {
            event: fact.kind.clone(),
            at,
            subjects: subjects.collect(),
        })
    }

    fn standing(&self, workflow: &'a Workflow, subject: &str) -> Standing {
        let memory = self.memory(workflow, subject).cloned().unwrap_or_default();
        let place = Place::subject(workflow, subject);
        let (condition, hold) = match &workflow.start {
            Start::When { when, hold, .. } => (Some(when), *hold),
            Start::Event { condition, .. } | Start::Every { condition, .. } => {
                (condition.as_ref(), None)
            }
        };
        let guard = match &workflow.start {
            Start::When { condition, .. } => condition.as_ref(),
            Start::Event { .. } | Start::Every { .. } => None,
        };
        let events = match &workflow.start {
            Start::Event { events, .. } => events.clone(),
            Start::When { .. } | Start::Every { .. } => Vec::new(),
        };
        let next_at = match &workflow.start {
            Start::Every { schedule, .. } => self.occurs_at(workflow, schedule),
            Start::When { .. } | Start::Event { .. } => None,
        };
        let start = condition.map(|condition| self.tree(workflow, place, condition));
        let blame = match (&start, condition) {
            (Some(tree), Some(condition)) => self.blame(workflow, place, (condition, tree, false)),
            _ => None,
        };
        let state = self.account.head.workflows.get(&workflow.name);
        let runs = state.iter().flat_map(|state| &state.runs);
        Standing {
            subject: subject.into(),
            against: self.speaks_against(workflow, subject),
            start,
            guard: guard.map(|guard| self.tree(workflow, place, guard)),
            events,
            next_at,
            memory: word(memory.memory),
            held_since: memory.hold.map(|held| held.since),
            held_at: memory
                .hold
                .zip(hold)
                .and_then(|(held, period)| self.hold_due(held, period)),
            blame,
            started_at: memory.last_start(workflow.status == Status::Shadow),
            runs: runs
                .filter(|run| *run.subject == *subject)
                .map(|run| self.standing_run(workflow, run))
                .collect(),
        }
    }

    fn standing_run(&self, workflow: &'a Workflow, run: &Run) -> Passage {
        let place = Place::run(workflow, run);
        let tree = |expr: &Expr| self.tree(workflow, place, expr);
        let watches = run.is_running();
        let goal = workflow.goal.as_ref().filter(|_| watches);
        Passage {
            run: run.id.clone(),
            started_at: run.started_at,
            phase: run.phase,
            ended: run.ended,
            rests: self.rest(workflow, run),
            keeps: workflow.while_true.as_ref().filter(|_| watches).map(tree),
            goal: goal.map(|goal| tree(&goal.when)),
            steps: deeds(workflow, run),
        }
    }

    fn rest(&self, workflow: &'a Workflow, run: &Run) -> Option<Rest> {
        let steps = match (run.phase, &workflow.goal) {
            (Phase::Steps, _) => &workflow.steps,
            (Phase::Then, Some(goal)) => &goal.then,
            (Phase::Then, None) | (Phase::Watching | Phase::Ended, _) => return None,
        };
        let step = next(steps, run)?;
        let place = Place::run(workflow, run);
        let until = match self.ready(workflow, run, step) {
            Ready::At(at) => Some(at),
            Ready::Now | Ready::Passed => Some(self.now),
            Ready::Rests => None,
        };
        let waits_for = if let Verb::WaitFor {
            until: Until::Condition(condition),
            ..
        } = &step.verb
        {
            Some(condition)
        } else {
            step.condition.as_ref()
        };
        Some(Rest {
            step: step.id.clone(),
            since: run.rests_since,
            until,
            condition: waits_for.map(|condition| self.tree(workflow, place, condition)),
            held: self.waiting(workflow, run, step),
        })
    }

    /// An expression taken apart, as it is at a place.
    pub(super) fn tree(&self, workflow: &'a Workflow, place: Place<'_>, expr: &Expr) -> Tree {
        let names = Names::new(self.context.program, workflow);
        self.look(place, |scene| grow(scene, &names, expr))
    }

    /// What keeps a condition from being true; none if it is true, or only an event that has not come could tell.
    fn blame(
        &self,
        workflow: &'a Workflow,
        place: Place<'_>,
        (condition, tree, has_event): (&Expr, &Tree, bool),
    ) -> Option<Blame> {
        if tree.truth == Some(true) {
            return None;
        }
        let names = Names::new(self.context.program, workflow);
        let true_at = self.look(place, |scene| true_at(scene, condition));
        let (leaf, needs) = self.look(place, |scene| {
            let guilty = culprit(Culprit {
                scene: *scene,
                expr: condition,
                wanted: true,
            });
            if !has_event && asks_event(guilty.expr) {
                return None;
            }
            let leaf = grow(&guilty.scene, &names, guilty.expr);
            Some((leaf, needs(&names, guilty.expr, guilty.wanted)))
        })?;
        Some(Blame {
            leaf,
            needs: needs.into(),
            true_at,
        })
    }
}

fn word(memory: Memory) -> &'static str {
    match memory {
        Memory::Never => "never",
        Memory::False => "false",
        Memory::True => "true",
        Memory::Pending => "pending",
    }
}

/// The steps that are done or under way, in the order of time.
fn deeds(workflow: &Workflow, run: &Run) -> Vec<Deed> {
    let mut order = Vec::new();
    list(&workflow.steps, &mut order);
    list(
        workflow.goal.as_ref().map_or(&[][..], |goal| &goal.then),
        &mut order,
    );
    let place = |step: &str| order.iter().position(|id| **id == *step);
    let mut deeds: Vec<Deed> = run
        .steps
        .iter()
        .map(|(step, state)| Deed {
            step: step.into(),
            phase: state.phase,
            chosen: state.chosen.clone(),
            at: state.at,
        })
        .collect();
    deeds.sort_by_key(|deed| (deed.at, place(&deed.step)));
    deeds
}

fn list<'w>(steps: &'w [Step], order: &mut Vec<&'w str>) {
    for step in steps {
        order.push(&step.id);
        for block in step.blocks() {
            list(block, order);
        }
    }
}
