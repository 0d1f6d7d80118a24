//! What the data of a source's facts say, field by field.

use super::expression::expression;
use super::keys::is_map;
use super::source::{FIELDS_MAX, Kind, kept, too_many};
use super::value::short;
use super::{Keys, Notes};
use crate::diagnostic::{Span, nearest};
use crate::expression::{Scope, Want, named};
use crate::program::{Expr, TopicFormat, Type};
use std::collections::BTreeMap;

/// What the fact's data say: as it is written, or each field of the schema from the one of the same name.
pub(super) fn fields(
    notes: &mut Notes,
    keys: &Keys<'_>,
    (kind, format): (&Kind<'_>, TopicFormat),
    scope: &Scope,
) -> BTreeMap<Box<str>, Expr> {
    let Some(node) = keys.get(notes, "fields") else {
        if !keys.has("fields") {
            return of_the_same_name(kind, format);
        }
        return BTreeMap::new();
    };
    let mut read = BTreeMap::new();
    if !is_map(notes, node, "`fields`") {
        return read;
    }
    too_many(notes, node, "`fields`");
    for entry in node.entries().iter().take(FIELDS_MAX) {
        let Some(ty) = field_type(notes, kind, &entry.key, entry.key_span, scope) else {
            continue;
        };
        if let Some(value) = expression(notes, &entry.value, scope, &Want::Value(ty)) {
            read.insert(entry.key.clone(), value);
        }
    }
    for (name, field) in needed(kind) {
        let is_there = node.get(&name).is_some();
        if field && !is_there {
            let message = format!("`fields.{name}` is missing: `{}` needs it", kind.name);
            notes.error("E102", kind.span, message);
        }
    }
    read
}

/// The names a fact can't do without: an id of its own, and what its event requires.
fn needed(kind: &Kind<'_>) -> Vec<(Box<str>, bool)> {
    match kind.entity {
        Some(entity) => vec![(entity.into(), own_id(kind).is_some())],
        None => kind
            .fields
            .iter()
            .map(|(name, field)| (name.clone(), field.is_required))
            .collect(),
    }
}

/// The name under which an entity's fact says which one it is about.
fn own_id(kind: &Kind<'_>) -> Option<&'static str> {
    kind.entity
        .filter(|entity| matches!(*entity, "contract" | "contact"))
}

fn field_type(
    notes: &mut Notes,
    kind: &Kind<'_>,
    name: &str,
    span: Span,
    scope: &Scope,
) -> Option<Type> {
    if own_id(kind) == Some(name) {
        return Some(Type::Text);
    }
    let of = kind.entity.unwrap_or(&kind.name);
    if let Some(field) = kind.fields.get(name) {
        if field.is_written_by_workflows {
            let message = format!("`{of}.{name}` is written by workflows alone");
            let help = "take `written_by: workflows` out of the schema, or this line";
            notes.error_help("E213", span, message, help.to_owned());
            return None;
        }
        return Some(kept(&field.kind));
    }
    let failed = &scope.world.failed;
    if !failed.contains(of) && !failed.contains(format!("{of}.{name}").as_str()) {
        let near = nearest(name, kind.fields.keys().map(|name| &**name));
        let help = near.map(|near| format!("did you mean `{near}`?"));
        let message = format!("`{of}` has no field `{}`", short(name));
        notes.error_help("E201", span, message, help);
    }
    None
}

/// Each field of the schema from what is called so in the record.
fn of_the_same_name(kind: &Kind<'_>, format: TopicFormat) -> BTreeMap<Box<str>, Expr> {
    let place = match format {
        TopicFormat::CloudEvents => "record.data",
        TopicFormat::Json | TopicFormat::Debezium => "record",
    };
    let own = own_id(kind).map(|name| (Box::from(name), Type::Text));
    let fields = kind
        .fields
        .iter()
        .filter(|(_, field)| !field.is_written_by_workflows)
        .map(|(name, field)| (name.clone(), kept(&field.kind)));
    fields
        .chain(own)
        .map(|(name, ty)| {
            let value = named(&format!("{place}.{name}"), ty);
            (name, value)
        })
        .collect()
}
