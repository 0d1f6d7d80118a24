//! About how much memory an account takes, for those who keep many and may keep only so much.

use crate::account::Account;
use crate::entity::{Entity, Fields, Stamped};
use crate::head::{Head, WorkflowState};
use crate::memory::Subject;
use crate::metric::{Metrics, Tally};
use crate::parts::Parts;
use crate::run::{Run, StepState};

/// What the allocator adds to a piece of its own, and what a short name takes in it.
const PIECE: usize = 48;
/// A map in its first node has room for so many entries.
const NODE: usize = 11;
/// A word in sets of numbers, with its share of half empty nodes.
const NUMBER: usize = 16;

impl Account {
    /// About how many bytes it takes in memory.
    pub fn weight(&self) -> usize {
        size_of::<Self>() + PIECE + of_head(&self.head) + of_parts(&self.parts)
    }
}

fn of_head(head: &Head) -> usize {
    let entities = head.contracts.values().chain(head.contacts.values());
    let entities: usize = entities
        .map(|one| map::<Entity>(1) / NODE + of_fields(&one.fields))
        .sum();
    let workflows: usize = head.workflows.values().map(of_workflow).sum();
    let risks = map::<crate::head::RiskState>(head.risks.len());
    let words = map::<Box<str>>(head.labels.len() + head.stops.len());
    let days = NUMBER * head.id_days.len();
    of_fields(&head.account.fields)
        + entities
        + workflows
        + of_metrics(&head.metrics)
        + risks
        + words
        + days
}

/// Names and values in a map, whose nodes are part empty.
fn map<T>(len: usize) -> usize {
    let each = size_of::<(Box<str>, T)>();
    len.div_ceil(NODE / 2) * NODE * each + len * PIECE
}

fn of_fields(fields: &Fields) -> usize {
    map::<Stamped>(fields.len())
}

fn of_workflow(state: &WorkflowState) -> usize {
    let subjects = state.subjects.values().map(|subject| {
        let maps = map::<u32>(subject.starts.len()) + map::<u32>(subject.tried.len());
        size_of::<(Box<str>, Subject)>() + PIECE + maps + map::<Box<str>>(subject.arms.len())
    });
    let runs = state.runs.iter().map(|run| {
        let steps = run.steps.len() * (size_of::<(Box<str>, StepState)>() + 4 * PIECE);
        let kept = run.remembered.len() + run.started_by.len() + run.heard.len();
        size_of::<Run>() + 2 * PIECE + steps + map::<Stamped>(kept)
    });
    size_of::<(Box<str>, WorkflowState)>() + PIECE + subjects.sum::<usize>() + runs.sum::<usize>()
}

fn of_metrics(metrics: &Metrics) -> usize {
    let tallies = metrics.tallies.values().map(Tally::len);
    map::<Tally>(metrics.tallies.len()) + tallies.sum::<usize>() * 2 * NUMBER
}

fn of_parts(parts: &Parts) -> usize {
    let contacts = parts.contacts().values().map(of_fields).sum::<usize>();
    let (days, numbers) = parts.count();
    map::<Fields>(parts.contacts().len()) + contacts + days * NODE * NUMBER + numbers * NUMBER
}
