//! Where an expression is read: for which subject, run and recipient.

use super::Turn;
use crate::evaluate::{Item, RunScope, Scene, StepResults};
use crate::known::Known;
use crate::run::Run;
use model::Value;
use std::collections::BTreeMap;
use workflow::program::{ForEach, StepResult, Workflow};

/// Where an expression is read.
#[derive(Clone, Copy, Default)]
pub(super) struct Place<'p> {
    /// The workflow and its subject.
    of: Option<(&'p Workflow, &'p str)>,
    run: Option<&'p Run>,
    recipient: Option<&'p str>,
    /// What a run that would start now would remember; one that has started remembers by itself.
    remembered: Option<&'p Remembered>,
    /// The event that is looked at, or would start the run.
    event: Option<&'p BTreeMap<Box<str>, Value>>,
}

/// Values of `remember` by their names.
pub(super) type Remembered = BTreeMap<Box<str>, Option<Value>>;

/// Before a run starts none of its steps has a result.
struct NoSteps;

impl StepResults for NoSteps {
    fn result(&self, _step: &str, result: &StepResult) -> Option<Value> {
        match result {
            StepResult::Outcome | StepResult::Event(_) | StepResult::Chosen => None,
            StepResult::Sent
            | StepResult::Delivered
            | StepResult::Opened
            | StepResult::Clicked
            | StepResult::Replied
            | StepResult::Bounced
            | StepResult::Skipped
            | StepResult::Done
            | StepResult::Ok
            | StepResult::TimedOut => Some(Value::Bool(false)),
        }
    }
}

impl<'p> Place<'p> {
    /// Of a subject that has no run (yet).
    pub(super) fn subject(workflow: &'p Workflow, subject: &'p str) -> Self {
        Self {
            of: Some((workflow, subject)),
            ..Self::default()
        }
    }

    /// Inside a run.
    pub(super) fn run(workflow: &'p Workflow, run: &'p Run) -> Self {
        Self {
            of: Some((workflow, &run.subject)),
            run: Some(run),
            ..Self::default()
        }
    }

    /// The same with an event to look at.
    pub(super) fn on(self, event: Option<&'p BTreeMap<Box<str>, Value>>) -> Self {
        Self { event, ..self }
    }

    /// The same with what a run that would start now would remember.
    pub(super) fn remembering(self, remembered: &'p Remembered) -> Self {
        Self {
            remembered: Some(remembered),
            ..self
        }
    }

    /// The same for one recipient.
    pub(super) fn to(self, contact: &'p str) -> Self {
        Self {
            recipient: Some(contact),
            ..self
        }
    }

    /// Reads at this place.
    pub(super) fn look<R>(
        self,
        turn: &Turn<'_, '_>,
        known: &Known<'_>,
        read: impl FnOnce(&Scene<'_>) -> R,
    ) -> R {
        let mut scene = Scene::within(
            &turn.stretches,
            (turn.context.program, known),
            &turn.zone,
            turn.now,
        );
        let Some((workflow, subject)) = self.of else {
            return read(&scene);
        };
        match workflow.for_each {
            ForEach::Account => {}
            ForEach::Risk => scene.case = known.case(subject),
            ForEach::Contract => scene.contract = Some(subject),
            ForEach::Contact => scene.item = Some(Item::Contact(subject)),
        }
        if let Some(contact) = self.recipient {
            scene.item = Some(Item::Contact(contact));
        }
        scene.event = self.event;
        scene.started_by = self.run.map(|run| &run.started_by).or(self.event);
        let remembered: Vec<Option<Value>> = self.remembered(workflow);
        let steps: &dyn StepResults = match self.run {
            Some(run) => run,
            None => &NoSteps,
        };
        scene.run = Some(RunScope {
            with: &workflow.with,
            remember: &remembered,
            steps,
        });
        read(&scene)
    }

    fn remembered(self, workflow: &Workflow) -> Vec<Option<Value>> {
        let Some(remembered) = self.run.map(|run| &run.remembered).or(self.remembered) else {
            return Vec::new();
        };
        let value = |name: &str| remembered.get(name).cloned().flatten();
        workflow
            .remember
            .iter()
            .map(|(name, _)| value(name))
            .collect()
    }
}
