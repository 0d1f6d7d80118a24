//! Branches: `then` and `else`, and blocks of steps inside other verbs.

use super::Notes;
use super::desk::Desk;
use super::step::{Place, steps};
use crate::program::{Expr, Step, Verb};
use crate::yaml::{Node, NodeKind};

/// Reads `then` and `else`.
pub(crate) fn then(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    place: &Place<'_, '_>,
    id: Option<&str>,
) -> Option<Verb> {
    if !place.keys.has("if") {
        let span = place.keys.span_of("then").unwrap_or(place.value.span);
        notes.error("E102", span, "`then` needs an `if` beside it");
    }
    if let Some(id) = id {
        desk.pass(place.survey, id);
    }
    let then = block(notes, desk, (place.value, &place.learnt), place);
    let otherwise = match place.keys.get(notes, "else") {
        Some(node) => block(notes, desk, (node, &[]), place),
        None => Some(Vec::new()),
    };
    Some(Verb::Branch {
        then: then?,
        otherwise: otherwise?,
    })
}

/// A list of steps inside a step, and what is known on the way to it: neither that nor its windows bind its siblings.
pub(crate) fn block(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    (node, learnt): (&Node, &[Expr]),
    place: &Place<'_, '_>,
) -> Option<Vec<Step>> {
    let above = desk.windows_above.len();
    let known = desk.known.clone();
    desk.known.extend_from_slice(learnt);
    let read = steps(notes, desk, node, place.survey);
    desk.known = known;
    desk.windows_above.truncate(above);
    read
}

/// Whether a step, or one inside it, rests until something happens: what was known before may be gone by then.
/// Working hours are no such rest: they part what belongs together by a night, and the render is strict.
pub(crate) fn rests(step: &Node) -> bool {
    step.entries().iter().any(|entry| {
        let is_rest = matches!(&*entry.key, "wait" | "at" | "approval");
        is_rest || rests_below(&entry.value)
    })
}

fn rests_below(node: &Node) -> bool {
    match &node.kind {
        NodeKind::List(items) => items.iter().any(rests),
        NodeKind::Map(entries) => entries.iter().any(|entry| rests_below(&entry.value)),
        NodeKind::Scalar(_) | NodeKind::Broken => false,
    }
}

/// E103: nothing waits under `goal.then`.
pub(crate) fn refuse_waits(notes: &mut Notes, node: &Node) {
    let NodeKind::List(items) = &node.kind else {
        return;
    };
    for entry in items.iter().flat_map(Node::entries) {
        if &*entry.key == "wait" {
            notes.error(
                "E103",
                entry.key_span,
                "a step under `goal.then` cannot wait",
            );
        }
        refuse_waits(notes, &entry.value);
    }
}
