//! Warnings about definitions that are right and may still surprise.

use super::defined::Definitions;
use super::definitions::Drafts;
use super::policies::{Names, Policies};
use super::workflows::Workflows;
use crate::expression::wakes_daily;
use crate::program::{CompleteSince, Definition, Schema, Source, Step, Verb};
use crate::reader::Notes;
use model::Purpose;
use std::collections::BTreeSet;

/// W411: a metric reads an event of which nobody says since when it is complete.
pub(crate) fn uncovered(
    notes: &mut Notes,
    drafts: &Drafts<'_>,
    definitions: &Definitions,
    since: &CompleteSince,
    schema: &Schema,
) {
    if since.all.is_some() {
        return;
    }
    for (at, metric) in definitions.metrics.iter().enumerate() {
        let Some(Source::Events(aggregate)) = metric.as_ref().map(|metric| &metric.source) else {
            continue;
        };
        let event = schema.events.get(&aggregate.event);
        let is_own = event.is_some_and(|event| event.is_engine);
        if is_own || since.events.contains_key(&aggregate.event) {
            continue;
        }
        let (_, file, span) = drafts.place(Definition::Metric(at));
        notes.open(file);
        let message = format!(
            "nothing says since when `{}` is complete, so a count of it is only *at least*",
            aggregate.event
        );
        let help = format!(
            "write `complete_since: {{{}: 2026-01-01}}`",
            aggregate.event
        );
        notes.warn("W411", span, message, help);
    }
}

/// W410: a condition for which every account must be looked at daily.
pub(crate) fn restless(notes: &mut Notes, drafts: &Drafts<'_>, definitions: &Definitions) {
    for definition in &definitions.order {
        let is_condition = match definition {
            Definition::Segment(_) | Definition::Label(_) | Definition::Risk(_) => true,
            Definition::Metric(_) | Definition::Health => false,
        };
        let exprs = definitions.expressions(*definition);
        if is_condition && exprs.iter().any(|expr| wakes_daily(expr)) {
            let (name, file, span) = drafts.place(*definition);
            notes.open(file);
            let message = format!(
                "`{name}` can change every day for every account, so all of them wake daily"
            );
            notes.warn("W410", span, message, None);
        }
    }
}

/// W608: somebody sends to a topic that can be left, and nothing says who writes. For what is promotional it is an error.
pub(crate) fn unsigned(
    notes: &mut Notes,
    names: &Names<'_>,
    policies: &Policies,
    workflows: &Workflows,
) {
    if policies.sender.is_some() {
        return;
    }
    let mut used = BTreeSet::new();
    for workflow in workflows.running.values() {
        sends(&workflow.steps, &mut used);
        if let Some(goal) = &workflow.goal {
            sends(&goal.then, &mut used);
        }
    }
    let is_service = |name: &str| {
        let topic = policies.topics.get(name);
        topic.is_some_and(|topic| topic.purpose == Purpose::Service) && used.contains(name)
    };
    let topics = names.each_topic();
    if let Some(first) = topics.iter().find(|named| is_service(named.name)) {
        notes.open(first.file);
        let message = format!(
            "`sender` is missing: mails of `{}` can be left, and don't leave without saying who writes",
            first.name
        );
        let help = "write `sender: {name: …, postal_address: …, contact: …}`";
        notes.warn("W608", first.span, message, help.to_owned());
    }
}

/// The topics that steps send to.
fn sends<'w>(steps: &'w [Step], used: &mut BTreeSet<&'w str>) {
    for step in steps {
        if let Verb::Send { topic, .. } = &step.verb {
            used.insert(topic);
        }
        for block in step.blocks() {
            sends(block, used);
        }
    }
}
