//! Branches: `then` and `else`, and blocks of steps inside other verbs.

use super::Notes;
use super::desk::Desk;
use super::step::{Place, steps};
use crate::program::{Step, Verb};
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
    let then = block(notes, desk, place.value, place);
    let otherwise = match place.keys.get(notes, "else") {
        Some(node) => block(notes, desk, node, place),
        None => Some(Vec::new()),
    };
    Some(Verb::Branch {
        then: then?,
        otherwise: otherwise?,
    })
}

/// A list of steps inside a step: its windows don't bind the steps of its siblings.
pub(crate) fn block(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    node: &Node,
    place: &Place<'_, '_>,
) -> Option<Vec<Step>> {
    let above = desk.windows_above.len();
    let read = steps(notes, desk, node, place.survey);
    desk.windows_above.truncate(above);
    read
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
