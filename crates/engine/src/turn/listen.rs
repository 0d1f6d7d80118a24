//! Listening: events that a run waits for, or will wait for next, so that nothing is missed between sending and waiting.

use super::Turn;
use super::place::Place;
use crate::fold::Event;
use crate::rules::Listener;
use model::Value;
use std::collections::BTreeMap;
use workflow::program::{Step, Until, Verb, Workflow};

impl<'a> Turn<'a, '_> {
    /// Offers an event to the runs that wait for its like.
    pub(super) fn hear(&mut self, event: &Event) {
        let rules = self.context.rules;
        for listener in rules.listeners.get(&event.kind).into_iter().flatten() {
            let Some(workflow) = self.context.program.workflows.get(listener.workflow) else {
                continue;
            };
            let state = self.account.head.workflows.get(&workflow.name);
            let runs = state.map_or(0, |state| state.runs.len());
            for run in 0..runs {
                if self.listens(workflow, run, (listener, event)) {
                    self.keep_heard(workflow, run, (listener, event));
                }
            }
        }
    }

    /// Whether a run has a use for the event: it is in its steps, the first such event stands, and what came before the last
    /// thing it did is no answer to it.
    fn listens(
        &self,
        workflow: &'a Workflow,
        index: usize,
        (listener, event): (&Listener, &Event),
    ) -> bool {
        let run = self.run(workflow, index);
        let is_over = run
            .steps
            .get(&listener.step)
            .is_some_and(|state| state.is_over());
        let since = run.listens_since.unwrap_or(run.started_at);
        if !run.is_running()
            || is_over
            || run.heard.contains_key(&listener.step)
            || event.at < since
        {
            return false;
        }
        let Some(Verb::WaitFor {
            until: Until::Event { condition, .. },
            ..
        }) = self
            .find_step(workflow, &listener.step)
            .map(|step| &step.verb)
        else {
            return false;
        };
        condition.as_ref().is_none_or(|condition| {
            self.look(Place::run(workflow, run), |scene| {
                scene.with_event(&event.fields).is_true(condition)
            })
        })
    }

    fn keep_heard(
        &mut self,
        workflow: &Workflow,
        index: usize,
        (listener, event): (&Listener, &Event),
    ) {
        let mut fields: BTreeMap<Box<str>, Value> = event.fields.clone();
        fields.retain(|name, _| listener.fields.contains(&**name));
        self.is_moved = true;
        let run = self.run_mut(workflow, index);
        run.heard.insert(listener.step.clone(), fields);
    }

    /// The run has done something that others notice: it listens from here on.
    pub(super) fn listen_from_now(&mut self, workflow: &Workflow, index: usize, step: &Step) {
        let speaks = match &step.verb {
            Verb::Send { .. } | Verb::Alert { .. } | Verb::Task { .. } | Verb::Webhook { .. } => {
                true
            }
            Verb::Branch { .. }
            | Verb::Match { .. }
            | Verb::Split { .. }
            | Verb::Set { .. }
            | Verb::Wait { .. }
            | Verb::WaitFor { .. }
            | Verb::Stop { .. } => false,
        };
        if speaks && self.context.rules.listens(&workflow.name) {
            let now = self.now;
            let run = self.run_mut(workflow, index);
            run.listens_since = Some(now);
            run.heard.clear();
        }
    }
}
