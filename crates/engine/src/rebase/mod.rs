//! What a new text changes for accounts that another one decided before (engine.md, 6; language.md, 6).
//!
//! Worked out once for two texts; [`crate::Input::Rebase`] then brings one account over.

mod cover;
mod meaning;
mod steps;

pub(crate) use cover::Cover;
pub(crate) use steps::changes as step_changes;
pub use steps::{StepChange, StepEdit};

use jiff::Timestamp;
use meaning::Meanings;
use std::collections::{BTreeMap, BTreeSet};
use workflow::Program;
use workflow::program::{Definition, Start, Status, Workflow};

/// What becomes of a run that rests at a step which the new text does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resting {
    /// It goes on with the step after it.
    #[default]
    Next,
    /// It ends (`stopped`).
    End,
}

impl Resting {
    /// Both words.
    pub const ALL: [Self; 2] = [Self::Next, Self::End];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::End => "end",
        }
    }
}

/// How the start condition of a workflow stands to the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// It means the same: memories and holds stay.
    Kept,
    /// It reads the same, and what it reads means something else: who is newly in is handled by `existing`.
    Redefined,
    /// It was edited, or the workflow goes live: `existing` decides for all.
    New,
}

/// What a new text changes for accounts that another one decided before.
#[derive(Clone, Debug)]
pub struct Change {
    /// The new text's workflows by name.
    pub(crate) workflows: BTreeMap<Box<str>, Revised>,
    /// Workflows that the new text does not have: retired, so that their runs end.
    pub(crate) removed: Vec<Workflow>,
    /// Risks that are new, or of which `opens` means something else.
    pub(crate) risks: BTreeSet<Box<str>>,
    /// Risks that the new text does not have.
    pub(crate) lost_risks: BTreeSet<Box<str>>,
    /// Whether health means something else.
    pub(crate) is_health_redefined: bool,
    /// Whether the label `stage` means something else.
    pub(crate) is_stage_redefined: bool,
    /// What must be kept of events now, and was not.
    pub(crate) cover: Cover,
    /// What becomes of runs that rest at a step which is gone.
    pub(crate) resting: Resting,
    /// When the new text was applied.
    pub applied_at: Option<Timestamp>,
}

/// One workflow as it was, and how it starts now.
#[derive(Clone, Debug)]
pub(crate) struct Revised {
    /// How it stood; none where it is new or the text before can't be read.
    pub(crate) old: Option<Workflow>,
    /// What becomes of memories.
    pub(crate) edge: Edge,
    /// Whether `for` has another length.
    pub(crate) is_hold_changed: bool,
    /// Whether it was tried out in the shadow until now: what it did there reached nobody.
    pub(crate) leaves_shadow: bool,
}

impl Change {
    /// Compares two texts. Without the one before nobody knows what was meant: every condition counts as redefined.
    pub fn between(old: Option<&Program>, new: &Program, resting: Resting) -> Self {
        let mut meant = old.map(Meanings::of);
        let mut means = Meanings::of(new);
        let mut changed = |definition: Option<Definition>, before: Option<Definition>| {
            let after = definition.map(|one| means.definition(one));
            let before = before.and_then(|one| Some(meant.as_mut()?.definition(one)));
            after != before
        };
        let risks = new.risks.iter().enumerate().filter(|(index, risk)| {
            let before = old.and_then(|old| old.risks.iter().position(|one| one.name == risk.name));
            changed(Some(Definition::Risk(*index)), before.map(Definition::Risk))
        });
        let risks = risks.map(|(_, risk)| risk.name.clone()).collect();
        let is_health_redefined = changed(
            new.health.as_ref().map(|_| Definition::Health),
            old.and_then(|old| old.health.as_ref())
                .map(|_| Definition::Health),
        );
        let is_stage_redefined = changed(stage(new), old.and_then(stage));
        let is_gone = |name: &str| new.risks.iter().all(|risk| *risk.name != *name);
        let lost = old.into_iter().flat_map(|old| &old.risks);
        let lost = lost.filter(|risk| is_gone(&risk.name));
        let lost_risks = lost.map(|risk| risk.name.clone()).collect();
        let workflows = new.workflows.iter().map(|workflow| {
            let before = old.and_then(|old| find(old, &workflow.name));
            let edge = edge((meant.as_mut(), before), (&mut means, workflow));
            (workflow.name.clone(), revised(before, workflow, edge))
        });
        let workflows = workflows.collect();
        Self {
            workflows,
            removed: old.map_or_else(Vec::new, |old| removed(old, new)),
            risks,
            lost_risks,
            is_health_redefined,
            is_stage_redefined,
            cover: Cover::between(old, new),
            resting,
            applied_at: None,
        }
    }

    /// How the start of a workflow of the new text stands to the one before.
    pub fn edge(&self, workflow: &str) -> Edge {
        self.workflows
            .get(workflow)
            .map_or(Edge::New, |revised| revised.edge)
    }
}

fn stage(program: &Program) -> Option<Definition> {
    let at = program
        .labels
        .iter()
        .position(|label| &*label.name == "stage");
    at.map(Definition::Label)
}

/// A workflow of a text.
pub(crate) fn find<'p>(program: &'p Program, name: &str) -> Option<&'p Workflow> {
    program
        .workflows
        .iter()
        .find(|workflow| *workflow.name == *name)
}

/// Whether it follows what happens to accounts at all.
pub(crate) fn is_in_force(status: Status) -> bool {
    match status {
        Status::Draft | Status::Retired => false,
        Status::Shadow | Status::Live | Status::Paused | Status::Closing => true,
    }
}

fn revised(before: Option<&Workflow>, workflow: &Workflow, edge: Edge) -> Revised {
    let leaves_shadow = before.is_some_and(|before| before.status == Status::Shadow)
        && workflow.status != Status::Shadow;
    let hold = |workflow: &Workflow| match &workflow.start {
        Start::When { hold, .. } => *hold,
        Start::Event { .. } | Start::Every { .. } => None,
    };
    Revised {
        old: before.cloned(),
        edge: if leaves_shadow { Edge::New } else { edge },
        is_hold_changed: before.is_some_and(|before| hold(before) != hold(workflow)),
        leaves_shadow,
    }
}

fn edge(
    (meant, before): (Option<&mut Meanings<'_>>, Option<&Workflow>),
    (means, workflow): (&mut Meanings<'_>, &Workflow),
) -> Edge {
    let Some(meant) = meant else {
        return Edge::Redefined;
    };
    let Some(before) = before.filter(|before| is_in_force(before.status)) else {
        return Edge::New;
    };
    if meant.start(before) == means.start(workflow) {
        Edge::Kept
    } else if meant.start_by_name(before) == means.start_by_name(workflow) {
        Edge::Redefined
    } else {
        Edge::New
    }
}

/// What the new text does not have, retired.
fn removed(old: &Program, new: &Program) -> Vec<Workflow> {
    let gone = old
        .workflows
        .iter()
        .filter(|workflow| find(new, &workflow.name).is_none());
    gone.map(|workflow| Workflow {
        status: Status::Retired,
        ..workflow.clone()
    })
    .collect()
}
