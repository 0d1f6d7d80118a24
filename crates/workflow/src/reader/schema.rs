//! The schema: entities, events and their fields.

use super::Notes;
use super::keys::{Keys, is_map};
use super::value::{check_name, flag, scalar, text, word};
use crate::diagnostic::{Span, nearest};
use crate::program::{Entity, EventType, Field, FieldType, PickList, Schema};
use crate::yaml::{Node, NodeKind};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most words of a pick-list.
pub(crate) const WORDS_MAX: usize = 200;

/// The longest name of an event.
pub(crate) const EVENT_BYTES_MAX: usize = 128;

const TYPES: [(&str, FieldType); 12] = [
    ("text", FieldType::Text),
    ("number", FieldType::Number),
    ("percent", FieldType::Percent),
    ("money", FieldType::Money),
    ("date", FieldType::Date),
    ("time", FieldType::Time),
    ("boolean", FieldType::Boolean),
    ("email", FieldType::Email),
    ("locale", FieldType::Locale),
    ("timezone", FieldType::Timezone),
    ("contact", FieldType::Contact),
    ("csm", FieldType::Csm),
];

/// What fields are of.
pub(crate) const ENTITIES: [&str; 4] = ["account", "contract", "contact", "csm"];
/// Keys of a field's long form.
pub(crate) const FIELD_KEYS: [&str; 5] = ["type", "required", "title", "written_by", "pii"];

/// Reads `entities`.
pub(crate) fn entities(
    notes: &mut Notes,
    node: &Node,
    schema: &mut Schema,
    failed: &mut BTreeSet<Box<str>>,
) {
    let Some(keys) = Keys::of(notes, node, "`entities`", &ENTITIES) else {
        failed.extend(ENTITIES.map(Box::from));
        return;
    };
    for name in ENTITIES {
        let Some(value) = keys.get(notes, name) else {
            continue;
        };
        let target = match name {
            "account" => &mut schema.account,
            "contract" => &mut schema.contract,
            "contact" => &mut schema.contact,
            _ => &mut schema.csm,
        };
        entity(notes, value, name, target, failed);
    }
}

fn entity(
    notes: &mut Notes,
    node: &Node,
    name: &str,
    entity: &mut Entity,
    failed: &mut BTreeSet<Box<str>>,
) {
    if !is_map(notes, node, "an entity") {
        failed.insert(name.into());
        return;
    }
    for entry in node.entries() {
        if !check_name(notes, &entry.key, entry.key_span) {
            continue;
        }
        if entity.fields.contains_key(&entry.key) {
            let message = format!("`{name}.{}` is defined twice", entry.key);
            notes.error("E105", entry.key_span, message);
            continue;
        }
        match field(notes, &entry.value, entry.key_span) {
            Some(field) => {
                entity.fields.insert(entry.key.clone(), field);
            }
            None => {
                failed.insert(format!("{name}.{}", entry.key).into());
            }
        }
    }
}

/// Reads `events`. An event that fails to check is there without the fields that failed.
pub(crate) fn events(
    notes: &mut Notes,
    node: &Node,
    schema: &mut Schema,
    failed: &mut BTreeSet<Box<str>>,
) {
    if !is_map(notes, node, "`events`") {
        return;
    }
    for entry in node.entries() {
        if !check_event_name(notes, &entry.key, entry.key_span) {
            continue;
        }
        if schema.events.contains_key(&entry.key) {
            let message = format!("the event `{}` is defined twice", entry.key);
            notes.error("E105", entry.key_span, message);
            continue;
        }
        let mut fields = Entity::default();
        if !entry.value.is_null() {
            entity(notes, &entry.value, &entry.key, &mut fields, failed);
        }
        let event = EventType {
            fields: fields.fields,
            is_engine: false,
        };
        schema.events.insert(entry.key.clone(), event);
    }
}

/// `noun.participle`, and none of the engine's own.
fn check_event_name(notes: &mut Notes, name: &str, span: Span) -> bool {
    let is_shaped = name.len() <= EVENT_BYTES_MAX
        && name.contains('.')
        && name.split('.').all(super::value::is_name);
    let own = [
        "account", "contract", "csm", "message", "task", "risk", "health", "stage", "workflow",
        "sottaku",
    ];
    let noun = name.split('.').next().unwrap_or("");
    let is_patch = noun == "contact" && (name.ends_with(".updated") || name.ends_with(".deleted"));
    if is_shaped && !own.contains(&noun) && !is_patch {
        return true;
    }
    let (message, help) = if is_shaped {
        (
            format!("`{name}` is one of Sottaku's own events"),
            "give yours another noun",
        )
    } else {
        (
            format!(
                "`{}` is not the name of an event",
                super::value::short(name)
            ),
            "an event is named `noun.participle`, for example `user.logged_in`",
        )
    };
    notes.error_help("E103", span, message, help.to_owned());
    false
}

/// One field: `required text`, `a | b`, or the long form.
fn field(notes: &mut Notes, node: &Node, key_span: Span) -> Option<Field> {
    if let NodeKind::Map(_) = &node.kind {
        return long_field(notes, node);
    }
    if node.is_null() {
        let help = "for example `text`, `required date` or `low | normal | high`";
        notes.error_help("E103", key_span, "this field has no type", help.to_owned());
        return None;
    }
    let scalar = scalar(notes, node, "a field's type")?;
    let (is_required, kind) = match scalar.text.strip_prefix("required ") {
        Some(rest) => (true, rest.trim()),
        None => (false, scalar.text.trim()),
    };
    Some(Field {
        kind: field_type(notes, kind, node.span)?,
        is_required,
        is_written_by_workflows: false,
        is_personal: false,
        title: None,
    })
}

fn long_field(notes: &mut Notes, node: &Node) -> Option<Field> {
    let keys = Keys::of(notes, node, "a field", &FIELD_KEYS)?;
    let kind = keys.need(notes, "type")?;
    let kind_text = scalar(notes, kind, "a field's type")?;
    let kind = field_type(notes, &kind_text.text, kind.span)?;
    let required = keys
        .get(notes, "required")
        .and_then(|node| flag(notes, node, "`required`"));
    let personal = keys
        .get(notes, "pii")
        .and_then(|node| flag(notes, node, "`pii`"));
    let title = keys
        .get(notes, "title")
        .and_then(|node| text(notes, node, "a title"));
    let writers = [("source", false), ("workflows", true)];
    let written = keys
        .get(notes, "written_by")
        .and_then(|node| word(notes, node, "`written_by`", &writers));
    Some(Field {
        kind,
        is_required: required.unwrap_or(false),
        is_written_by_workflows: written.unwrap_or(false),
        is_personal: personal.unwrap_or(false),
        title,
    })
}

/// A type where there is nothing but a type: `number`, `a | b`.
pub(crate) fn declared_type(notes: &mut Notes, node: &Node, key_span: Span) -> Option<FieldType> {
    if node.is_null() {
        notes.error("E103", key_span, "this has no type");
        return None;
    }
    let scalar = scalar(notes, node, "a type")?;
    field_type(notes, scalar.text.trim(), node.span)
}

fn field_type(notes: &mut Notes, text: &str, span: Span) -> Option<FieldType> {
    if text.contains('|') {
        return pick_list(notes, text, span).map(FieldType::Pick);
    }
    if let Some((_, kind)) = TYPES.iter().find(|(word, _)| *word == text) {
        return Some(kind.clone());
    }
    let message = format!("`{}` is not a type", super::value::short(text));
    let near = nearest(text, TYPES.iter().map(|(word, _)| *word));
    let help = near.map_or_else(
        || "a type is `text number percent money date time boolean email locale timezone contact csm` or words like `low | high`".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    notes.error_help("E103", span, message, help);
    None
}

fn pick_list(notes: &mut Notes, text: &str, span: Span) -> Option<Arc<PickList>> {
    let words: Vec<Box<str>> = text.split('|').map(|word| word.trim().into()).collect();
    let bad = words.iter().find(|word| !super::value::is_name(word));
    if let Some(bad) = bad {
        let message = format!(
            "`{}` is not a word for a pick-list",
            super::value::short(bad)
        );
        notes.error_help(
            "E103",
            span,
            message,
            "for example `low | normal | high`".to_owned(),
        );
        return None;
    }
    let different: BTreeSet<&Box<str>> = words.iter().collect();
    if different.len() < words.len() || words.len() > WORDS_MAX {
        let message = format!("a pick-list has at most {WORDS_MAX} words, each once");
        notes.error("E105", span, message);
        return None;
    }
    Some(Arc::new(PickList {
        words,
        is_ordered: true,
    }))
}
