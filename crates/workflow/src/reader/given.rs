//! Named values of a workflow: `with` and `remember`.

use super::desk::Desk;
use super::expression::expression;
use super::keys::is_map;
use super::named::is_word;
use super::value::check_name;
use super::{Keys, Notes};
use crate::diagnostic::Span;
use crate::expression::{Given, Scope, Want, changes_with_time, is_always_known};
use crate::program::{Expr, Type};
use crate::yaml::Node;

/// Values by name.
pub(crate) type NamedValues = Vec<(Box<str>, Expr)>;

/// Reads `with` or `remember`; `None` if an entry failed.
pub(crate) fn given(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    keys: &Keys<'_>,
    key: &'static str,
) -> Option<NamedValues> {
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
    let mut names = Vec::new();
    let read = entries(notes, node, &desk.scope, &scope, &mut names);
    if is_live {
        desk.scope.with = names;
        return read;
    }
    let read = read.and_then(|read| single_values(notes, node, read));
    for name in &mut names {
        name.changes_with_time = false;
        name.ty = name.ty.take().filter(|ty| !matches!(ty, Type::List(_)));
    }
    desk.scope.remember = names;
    read
}

/// E103: what is remembered is a value; a list would have to be kept with all that its items were.
fn single_values(notes: &mut Notes, node: &Node, read: NamedValues) -> Option<NamedValues> {
    let lists = read
        .iter()
        .filter(|(_, value)| matches!(value.ty, Type::List(_)));
    let lists: Vec<&str> = lists.map(|(name, _)| &**name).collect();
    for entry in node
        .entries()
        .iter()
        .filter(|entry| lists.contains(&&*entry.key))
    {
        let message = format!(
            "`{}` is a list, and `remember` keeps single values",
            entry.key
        );
        let help = "remember its `count(…)`, or name the list in `with`";
        notes.error_help("E103", entry.value.span, message, help.to_owned());
    }
    lists.is_empty().then_some(read)
}

/// Reads a step's own `with`: the names, and the scope in which its template knows them behind the workflow's.
pub(crate) fn step_names(
    notes: &mut Notes,
    desk: &Desk<'_>,
    keys: &Keys<'_>,
    mut scope: Scope,
) -> (Option<NamedValues>, Scope) {
    let Some(node) = keys.get(notes, "with") else {
        return ((!keys.has("with")).then(Vec::new), scope);
    };
    if !is_map(notes, node, "named values") {
        return (None, scope);
    }
    let mut names = Vec::new();
    let read = entries(notes, node, &desk.scope, &scope, &mut names);
    scope.with.extend(names);
    (read, scope)
}

/// The entries of a map of named values, by name: the order of keys means nothing, so it must not show in the revision.
fn entries(
    notes: &mut Notes,
    node: &Node,
    taken: &Scope,
    scope: &Scope,
    names: &mut Vec<Given>,
) -> Option<NamedValues> {
    let mut entries: Vec<_> = node.entries().iter().collect();
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    let mut all = Some(Vec::new());
    for entry in entries {
        let is_named = check_name(notes, &entry.key, entry.key_span)
            && is_free(notes, taken, &entry.key, entry.key_span);
        let expr = expression(notes, &entry.value, scope, &Want::Anything);
        names.push(Given {
            name: entry.key.clone(),
            ty: expr.as_ref().map(|expr| expr.ty.clone()),
            is_known: expr
                .as_ref()
                .is_some_and(|expr| is_always_known(expr, scope)),
            changes_with_time: expr
                .as_ref()
                .is_some_and(|expr| changes_with_time(expr, scope)),
        });
        match (is_named, expr, &mut all) {
            (true, Some(expr), Some(list)) => list.push((entry.key.clone(), expr)),
            _ => all = None,
        }
    }
    all
}

fn is_free(notes: &mut Notes, scope: &Scope, name: &str, span: Span) -> bool {
    let world = &scope.world;
    let is_taken = world.metrics.contains_key(name)
        || world.segments.contains_key(name)
        || world.labels.contains_key(name)
        || world.risks.contains_key(name)
        || world.roles.iter().any(|role| **role == *name)
        || scope
            .with
            .iter()
            .chain(&scope.remember)
            .any(|given| *given.name == *name)
        || is_word(name);
    if is_taken {
        notes.error("E105", span, format!("the name `{name}` is taken"));
    }
    !is_taken
}
