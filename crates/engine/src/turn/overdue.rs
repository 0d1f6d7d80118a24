//! Tasks that are overdue: told once, as an event, where anything listens to it.

use super::Turn;
use super::tell::own_fields;
use crate::fold::Event;
use crate::run::{How, Outcome, Run, StepState};
use jiff::Timestamp;
use model::Value;
use workflow::program::{Step, Verb, Workflow};

/// The event.
const OVERDUE: &str = "task.overdue";

impl<'a> Turn<'a, '_> {
    /// Tells of every task whose time is over.
    pub(super) fn tell_overdue(&mut self) {
        if !self.hears(OVERDUE) {
            return;
        }
        for workflow in &self.context.program.workflows {
            let state = self.account.head.workflows.get(&workflow.name);
            let runs = state.map_or(0, |state| state.runs.len());
            for index in 0..runs {
                for (step, due_at) in self.tasks_due(workflow, self.run(workflow, index)) {
                    if due_at <= self.now {
                        self.tell_one(workflow, index, (step, due_at));
                    }
                }
            }
        }
    }

    /// When the next task of a run is overdue.
    pub(super) fn overdue_at(&self, workflow: &Workflow, run: &Run) -> Option<Timestamp> {
        if !self.hears(OVERDUE) {
            return None;
        }
        let tasks = self.tasks_due(workflow, run).into_iter();
        tasks.map(|(_, due_at)| due_at).min()
    }

    /// The open tasks of a run with the end of their time.
    fn tasks_due<'w>(&self, workflow: &'w Workflow, run: &Run) -> Vec<(&'w Step, Timestamp)> {
        let mut found = Vec::new();
        for (id, state) in run.steps.iter().filter(|(_, state)| is_open(state)) {
            let Some(step) = self.find_step(workflow, id) else {
                continue;
            };
            if let (Some(due_at), false) =
                (self.task_due_at(step, state), is_closed(workflow, run, id))
            {
                found.push((step, due_at));
            }
        }
        found
    }

    /// Whether a task of a run is still to be done.
    pub(super) fn has_open_task(&self, workflow: &str, run: &Run) -> bool {
        let workflow = self.workflow(workflow);
        workflow.is_some_and(|workflow| {
            let mut steps = run.steps.iter();
            steps.any(|(id, state)| {
                let is_done = state.outcomes.contains(&Outcome::Done);
                state.task.is_some() && !is_done && !is_closed(workflow, run, id)
            })
        })
    }

    /// Until when the task of a step is to be done, as it stands.
    pub(super) fn task_due_at(&self, step: &Step, state: &StepState) -> Option<Timestamp> {
        let Verb::Task { due, .. } = &step.verb else {
            return None;
        };
        let put_off = state.handed.as_ref().and_then(|handed| handed.until);
        put_off.or_else(|| due.and_then(|due| self.after(state.at, due)))
    }

    fn tell_one(&mut self, workflow: &Workflow, run: usize, (step, at): (&Step, Timestamp)) {
        let Verb::Task {
            title, assignee, ..
        } = &step.verb
        else {
            return;
        };
        let state = self.step_mut(workflow, run, &step.id);
        state.outcomes.insert(Outcome::Overdue);
        let fields = own_fields(&[
            ("workflow", Some(Value::Text(workflow.name.clone()))),
            ("step", Some(Value::Text(step.id.clone()))),
            ("title", Some(Value::Text(title.clone()))),
            ("assignee", Some(Value::Text(assignee.clone()))),
        ]);
        self.observe(&Event {
            kind: OVERDUE.into(),
            fields,
            at,
        });
    }
}

/// Whether a task was closed with its run: whatever ended that before its steps were done has closed their tasks.
pub(super) fn is_closed(workflow: &Workflow, run: &Run, step: &str) -> bool {
    let is_ordinary = has(&workflow.steps, step);
    run.ended
        .is_some_and(|(how, _)| how != How::Finished && is_ordinary)
}

fn is_open(state: &StepState) -> bool {
    state.task.is_some()
        && !state.outcomes.contains(&Outcome::Done)
        && !state.outcomes.contains(&Outcome::Overdue)
}

/// Whether a step stands among others, or inside one of them.
fn has(steps: &[Step], id: &str) -> bool {
    let is_it =
        |step: &Step| *step.id == *id || step.blocks().into_iter().any(|block| has(block, id));
    steps.iter().any(is_it)
}
