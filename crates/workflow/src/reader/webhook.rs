//! Calls of somebody else's server.

use super::Notes;
use super::desk::Desk;
use super::expression::expression;
use super::keys::is_map;
use super::step::Place;
use super::value::{check_name, scalar, short};
use crate::diagnostic::nearest;
use crate::expression::{Scope, Want};
use crate::program::{Expr, Verb};
use crate::yaml::Node;

/// Reads a `webhook`.
pub(crate) fn webhook(notes: &mut Notes, desk: &Desk<'_>, place: &Place<'_, '_>) -> Option<Verb> {
    let name = name(notes, desk, place.value);
    let body = match place.keys.get(notes, "body") {
        Some(node) => body(notes, desk, node),
        None => Some(Vec::new()),
    };
    Some(Verb::Webhook {
        name: name?,
        body: body?,
    })
}

/// E207 unless the webhook is declared.
fn name(notes: &mut Notes, desk: &Desk<'_>, node: &Node) -> Option<Box<str>> {
    let name = scalar(notes, node, "a webhook")?;
    let known = &desk.workspace.webhooks;
    if known.contains(&name.text) {
        return Some(name.text.clone());
    }
    let help = nearest(&name.text, known.iter().map(|name| &**name))
        .map(|near| format!("did you mean `{near}`?"));
    let message = format!("there is no webhook `{}`", short(&name.text));
    notes.error_help("E207", node.span, message, help);
    None
}

fn body(notes: &mut Notes, desk: &Desk<'_>, node: &Node) -> Option<Vec<(Box<str>, Expr)>> {
    if !is_map(notes, node, "`body`") {
        return None;
    }
    let scope = Scope {
        has_csm: true,
        ..desk.scope.clone()
    };
    // The order of keys means nothing, so it must not show in the revision.
    let mut entries: Vec<_> = node.entries().iter().collect();
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    let read: Vec<Option<(Box<str>, Expr)>> = entries
        .into_iter()
        .map(|entry| {
            let is_named = check_name(notes, &entry.key, entry.key_span);
            let value = expression(notes, &entry.value, &scope, &Want::Anything)?;
            is_named.then(|| (entry.key.clone(), value))
        })
        .collect();
    read.into_iter().collect()
}
