//! Warnings about definitions that are right and may still surprise.

use super::defined::Definitions;
use super::definitions::Drafts;
use crate::expression::wakes_daily;
use crate::program::{CompleteSince, Definition, Schema, Source};
use crate::reader::Notes;

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
