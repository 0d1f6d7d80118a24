//! What is worked out of a program once, so that no decision does it again.

use crate::account::Account;
use crate::metric::{Plan, read_in};
use crate::turn::{SENT, is_answered, is_recorded};
use model::Value;
use std::collections::{BTreeMap, BTreeSet};
use workflow::Program;
use workflow::program::{Expr, ExprKind, Start, Step, StepResult, Type, Until, Verb, Workflow};

/// The known fields of an event.
type Fields = BTreeMap<Box<str>, Value>;

/// What is worked out of a program once.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What must be kept of events.
    pub plan: Plan,
    /// The label whose changes are told, if there is one: `stage`, with an expression that reads it.
    pub(crate) stage: Option<(usize, Expr)>,
    /// The steps that wait for an event, by its type.
    pub(crate) listeners: BTreeMap<Box<str>, Vec<Listener>>,
    /// The workflows with such a step.
    listening: BTreeSet<Box<str>>,
    /// The types of events that start runs.
    starts: BTreeSet<Box<str>>,
    /// By workflow, the fields that it reads of the event that started its run.
    kept: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
}

/// A step that waits for an event.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    /// The workflow, by its place in the program.
    pub(crate) workflow: usize,
    /// The step.
    pub(crate) step: Box<str>,
    /// The event's fields that are read afterwards: only these are kept.
    pub(crate) fields: BTreeSet<Box<str>>,
}

impl Rules {
    /// Works a program out.
    pub fn of(program: &Program) -> Self {
        let mut listeners = BTreeMap::new();
        let mut listening = BTreeSet::new();
        for (index, workflow) in program.workflows.iter().enumerate() {
            if listen((index, workflow), &mut listeners) {
                listening.insert(workflow.name.clone());
            }
        }
        let stage = program
            .labels
            .iter()
            .enumerate()
            .find(|(_, label)| &*label.name == "stage");
        let workflows = || program.workflows.iter();
        Self {
            listeners,
            listening,
            plan: Plan::of(program),
            starts: workflows().flat_map(starts_on).cloned().collect(),
            kept: workflows()
                .map(|workflow| (workflow.name.clone(), started_by(workflow)))
                .collect(),
            stage: stage.map(|(index, label)| {
                let read = Expr {
                    kind: ExprKind::Label(index),
                    ty: Type::Word(label.words.clone()),
                };
                (index, read)
            }),
        }
    }

    /// Whether a back-fill reads facts of a type in the log: what metrics count, and what takes messages out again.
    pub fn is_read_again(&self, kind: &str) -> bool {
        let counts = |kind: &str| self.plan.by_event.contains_key(kind);
        counts(kind) || (kind == "message.settled" && counts(SENT))
    }

    /// Whether the end of an account's back-fill asks what its records tell of our own events.
    pub fn asks_records(&self, account: &Account) -> bool {
        let backfill = account.head.metrics.backfill.as_ref();
        let mut bases = backfill.into_iter().flat_map(|it| it.tallies.keys());
        bases.any(|basis| {
            let need = self.plan.bases.get(basis);
            need.is_some_and(|need| is_recorded(&need.event) || is_answered(&need.event))
        })
    }

    /// Whether a step of the workflow waits for an event.
    pub(crate) fn listens(&self, workflow: &str) -> bool {
        self.listening.contains(workflow)
    }

    /// Whether an event of this type starts runs.
    pub(crate) fn is_start(&self, kind: &str) -> bool {
        self.starts.contains(kind)
    }

    /// Of the event that starts a run, the fields that its workflow reads.
    pub(crate) fn kept(&self, workflow: &Workflow, event: Option<&Fields>) -> Fields {
        let read = self.kept.get(&workflow.name);
        let fields = event.into_iter().flatten();
        fields
            .filter(|(name, _)| read.is_some_and(|read| read.contains(*name)))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// The place of `stage` among the labels.
    pub(crate) fn stage_index(&self) -> Option<usize> {
        self.stage.as_ref().map(|(index, _)| *index)
    }
}

/// Notes the steps of a workflow that wait for an event. Gives whether there are any.
fn listen(
    (index, workflow): (usize, &Workflow),
    listeners: &mut BTreeMap<Box<str>, Vec<Listener>>,
) -> bool {
    let mut steps: Vec<&Step> = workflow.steps.iter().collect();
    let mut is_any = false;
    while let Some(step) = steps.pop() {
        steps.extend(step.blocks().into_iter().flatten());
        let Verb::WaitFor {
            until: Until::Event { events, .. },
            ..
        } = &step.verb
        else {
            continue;
        };
        is_any = true;
        for event in events {
            let listener = Listener {
                workflow: index,
                step: step.id.clone(),
                fields: fields_read(workflow, &step.id),
            };
            listeners.entry(event.clone()).or_default().push(listener);
        }
    }
    is_any
}

/// The fields of the event of a step that the workflow or a template reads.
fn fields_read(workflow: &Workflow, id: &str) -> BTreeSet<Box<str>> {
    let mut found = BTreeSet::new();
    for expr in read_in(workflow) {
        expr.each(&mut |part| {
            if let ExprKind::Step {
                step,
                result: StepResult::Event(field),
            } = &part.kind
                && **step == *id
            {
                found.insert(field.clone());
            }
        });
    }
    found
}

/// The types of events on which runs of a workflow start.
fn starts_on(workflow: &Workflow) -> &[Box<str>] {
    match &workflow.start {
        Start::Event { events, .. } => events,
        Start::When { .. } | Start::Every { .. } => &[],
    }
}

/// What a workflow reads of the event that started a run.
fn started_by(workflow: &Workflow) -> BTreeSet<Box<str>> {
    let mut found = BTreeSet::new();
    for expr in read_in(workflow) {
        expr.each(&mut |part| {
            if let ExprKind::StartedBy(field) | ExprKind::StartedByContact { field, .. } =
                &part.kind
            {
                found.insert(field.clone());
            }
        });
    }
    found
}
