//! Named values of a workflow: `with` and `remember`.

use super::desk::Desk;
use super::expression::expression;
use super::keys::is_map;
use super::named::is_word;
use super::value::check_name;
use super::{Keys, Notes};
use crate::diagnostic::Span;
use crate::expression::{Given, Scope, Want, changes_with_time, is_always_known};
use crate::program::Expr;

/// Reads `with` or `remember`; `None` if an entry failed.
pub(crate) fn given(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    keys: &Keys<'_>,
    key: &'static str,
) -> Option<Vec<(Box<str>, Expr)>> {
    let Some(node) = keys.get(notes, key) else {
        return Some(Vec::new());
    };
    if !is_map(notes, node, "named values") {
        return None;
    }
    let is_live = key == "with";
    let scope = Scope {
        has_csm: is_live || desk.scope.has_csm,
        with: Vec::new(),
        remember: Vec::new(),
        ..desk.scope.clone()
    };
    // The order of keys means nothing, so it must not show in the revision.
    let mut entries: Vec<_> = node.entries().iter().collect();
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    let mut all = Some(Vec::new());
    for entry in entries {
        let is_named = check_name(notes, &entry.key, entry.key_span)
            && is_free(notes, desk, &entry.key, entry.key_span);
        let expr = expression(notes, &entry.value, &scope, &Want::Anything);
        let given = Given {
            name: entry.key.clone(),
            ty: expr.as_ref().map(|expr| expr.ty.clone()),
            is_known: expr
                .as_ref()
                .is_some_and(|expr| is_always_known(expr, &scope)),
            changes_with_time: is_live
                && expr
                    .as_ref()
                    .is_some_and(|expr| changes_with_time(expr, &scope)),
        };
        if is_live {
            &mut desk.scope.with
        } else {
            &mut desk.scope.remember
        }
        .push(given);
        match (is_named, expr, &mut all) {
            (true, Some(expr), Some(list)) => list.push((entry.key.clone(), expr)),
            _ => all = None,
        }
    }
    all
}

fn is_free(notes: &mut Notes, desk: &Desk<'_>, name: &str, span: Span) -> bool {
    let world = &desk.scope.world;
    let is_taken = world.metrics.contains_key(name)
        || world.segments.contains_key(name)
        || world.labels.contains_key(name)
        || world.risks.contains_key(name)
        || world.roles.iter().any(|role| **role == *name)
        || desk.scope.with.iter().any(|given| *given.name == *name)
        || is_word(name);
    if is_taken {
        notes.error("E105", span, format!("the name `{name}` is taken"));
    }
    !is_taken
}
