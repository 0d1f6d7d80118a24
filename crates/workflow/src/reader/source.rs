//! Sources: topics of Kafka and what their records say.

use super::expression::{condition, expression};
use super::keys::is_map;
use super::named::Named;
use super::schema::{ENTITIES, declared_type};
use super::source_fields::fields;
use super::value::{scalar, short, text, word};
use super::{Keys, Notes};
use crate::diagnostic::{Span, nearest};
use crate::expression::{RecordNames, Scope, Want, type_of};
use crate::program::{
    Deletes, Expr, Field, FieldType, Past, TopicFormat, TopicSays, TopicSource, Type,
};
use crate::yaml::Node;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Keys of a source.
pub(crate) const KEYS: [&str; 13] = [
    "topic", "format", "record", "where", "account", "csm", "type", "fields", "time", "id",
    "deletes", "snapshot", "backlog",
];
/// The longest name that Kafka gives a topic.
const TOPIC_BYTES_MAX: usize = 249;
/// The most fields whose type is said, and that are mapped.
pub(super) const FIELDS_MAX: usize = 500;

const FORMATS: [(&str, TopicFormat); 3] = [
    ("json", TopicFormat::Json),
    ("cloudevents", TopicFormat::CloudEvents),
    ("debezium", TopicFormat::Debezium),
];
const PASTS: [(&str, Past); 3] = [
    ("history", Past::History),
    ("news", Past::News),
    ("skip", Past::Skip),
];
const DELETES: [(&str, Deletes); 3] = [
    ("delete", Deletes::Entity),
    ("skip", Deletes::Skip),
    ("map", Deletes::Map),
];

/// Reads one source.
pub(crate) fn source(notes: &mut Notes, named: &Named<'_>, scope: &Scope) -> Option<TopicSource> {
    let keys = Keys::of(notes, named.node, "a source", &KEYS)?;
    let before = notes.errors();
    let topic = keys
        .need(notes, "topic")
        .and_then(|node| topic(notes, node));
    let format = keys
        .need(notes, "format")
        .and_then(|node| word(notes, node, "`format`", &FORMATS))?;
    let types = keys
        .get(notes, "record")
        .map(|node| record(notes, node))
        .unwrap_or_default();
    let names = RecordNames {
        types,
        has_rows: format == TopicFormat::Debezium,
    };
    let scope = Scope {
        world: Arc::clone(&scope.world),
        record: Some(Arc::new(names)),
        ..Scope::default()
    };
    let kind = kind(notes, &keys, format, &scope);
    let says = match &kind {
        Some(kind) => Some(TopicSays {
            fields: fields(notes, &keys, (kind, format), &scope),
            kind: kind.name.clone(),
        }),
        None => {
            only_with_type(notes, &keys);
            None
        }
    };
    let subject = subject(notes, &keys, kind.as_ref(), format, &scope);
    let value = |notes: &mut Notes, key: &str, ty: Type| {
        let node = keys.get(notes, key)?;
        expression(notes, node, &scope, &Want::Value(ty))
    };
    let time = value(notes, "time", Type::Time);
    let id = value(notes, "id", Type::Text);
    let condition = keys
        .get(notes, "where")
        .and_then(|node| condition(notes, node, &scope));
    let deletes = deletes(notes, &keys, kind.as_ref(), format);
    let snapshot = past(notes, &keys, "snapshot");
    if format != TopicFormat::Debezium {
        let message = "only rows of Debezium have a `snapshot`";
        refuse(notes, &keys, "snapshot", message);
    }
    let backlog = past(notes, &keys, "backlog");
    if notes.errors() > before {
        return None;
    }
    Some(TopicSource {
        topic: topic?,
        format,
        condition,
        subject,
        says,
        time,
        id,
        deletes,
        snapshot,
        backlog,
    })
}

/// What a source's records say, as far as the schema knows it.
pub(super) struct Kind<'s> {
    pub(super) name: Box<str>,
    pub(super) entity: Option<&'static str>,
    pub(super) fields: &'s BTreeMap<Box<str>, Field>,
    pub(super) span: Span,
}

fn topic(notes: &mut Notes, node: &Node) -> Option<Box<str>> {
    let topic = text(notes, node, "`topic`")?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let fits = (1..=TOPIC_BYTES_MAX).contains(&topic.len());
    if fits && topic.chars().all(is_plain) && &*topic != "." && &*topic != ".." {
        return Some(topic);
    }
    let message = format!("`{}` is not the name of a topic", short(&topic));
    let help = "a topic has 1 to 249 letters, digits, `.`, `_` and `-`";
    notes.error_help("E103", node.span, message, help.to_owned());
    None
}

/// The types of what expressions reckon with, by path.
fn record(notes: &mut Notes, node: &Node) -> BTreeMap<Box<str>, Type> {
    let mut types = BTreeMap::new();
    if !is_map(notes, node, "`record`") {
        return types;
    }
    too_many(notes, node, "`record`");
    for entry in node.entries().iter().take(FIELDS_MAX) {
        if let Some(ty) = declared_type(notes, &entry.value, entry.key_span) {
            types.insert(entry.key.clone(), kept(&ty));
        }
    }
    types
}

pub(super) fn too_many(notes: &mut Notes, node: &Node, what: &str) {
    if node.entries().len() > FIELDS_MAX {
        let message = format!("{what} has more than {FIELDS_MAX} lines");
        notes.error("E103", node.span, message);
    }
}

/// The type of what is read out of a record: who a contact is, is found out later.
pub(super) fn kept(ty: &FieldType) -> Type {
    if *ty == FieldType::Contact {
        return Type::Text;
    }
    type_of(ty)
}

/// The fact's type; E202 if no event is called so, E213 if no source can tell it.
fn kind<'s>(
    notes: &mut Notes,
    keys: &Keys<'_>,
    format: TopicFormat,
    scope: &'s Scope,
) -> Option<Kind<'s>> {
    let node = match format {
        TopicFormat::CloudEvents => keys.get(notes, "type"),
        TopicFormat::Json | TopicFormat::Debezium => keys.need(notes, "type"),
    }?;
    let name = &scalar(notes, node, "`type`")?.text;
    let schema = &scope.world.schema;
    if let Some(entity) = name.strip_suffix(".updated")
        && let Some(entity) = ENTITIES.into_iter().find(|known| *known == entity)
    {
        return Some(Kind {
            name: name.clone(),
            entity: Some(entity),
            fields: &scope.entity(entity)?.fields,
            span: node.span,
        });
    }
    match schema.events.get(name) {
        Some(event) if !event.is_engine => Some(Kind {
            name: name.clone(),
            entity: None,
            fields: &event.fields,
            span: node.span,
        }),
        Some(_) => {
            let message = format!("`{}` is told by Sottaku itself", short(name));
            let help = "a source tells events of your schema, and `account.updated` and its like";
            notes.error_help("E213", node.span, message, help.to_owned());
            None
        }
        None => {
            let updates = ENTITIES.map(|entity| format!("{entity}.updated"));
            let own = schema.events.iter().filter(|(_, event)| !event.is_engine);
            let known = own
                .map(|(name, _)| &**name)
                .chain(updates.iter().map(|name| &**name));
            let near = nearest(name, known);
            let help = near.map_or_else(
                || "declare it under `events`, or write `account.updated` and its like".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("there is no event `{}`", short(name));
            notes.error_help("E202", node.span, message, help);
            None
        }
    }
}

/// Keys that say something of a fact whose type is not said.
fn only_with_type(notes: &mut Notes, keys: &Keys<'_>) {
    if keys.has("type") || keys.is_misspelt("type") {
        return;
    }
    for key in ["fields", "csm", "deletes"] {
        let message = format!("`{key}` needs a `type`: without it a CloudEvent says all itself");
        refuse(notes, keys, key, &message);
    }
}

/// E104 where a key stands that can't be there.
fn refuse(notes: &mut Notes, keys: &Keys<'_>, key: &str, message: &str) {
    if let Some(span) = keys.span_of(key) {
        notes.error("E104", span, message);
    }
}

/// What the fact is about.
fn subject(
    notes: &mut Notes,
    keys: &Keys<'_>,
    kind: Option<&Kind<'_>>,
    format: TopicFormat,
    scope: &Scope,
) -> Option<Expr> {
    let is_csm = kind.is_some_and(|kind| kind.entity == Some("csm"));
    let (key, other) = match is_csm {
        true => ("csm", "account"),
        false => ("account", "csm"),
    };
    if kind.is_some() {
        let message = format!("`{other}` says nothing here: this fact needs `{key}`");
        refuse(notes, keys, other, &message);
    }
    let has_own = format == TopicFormat::CloudEvents;
    let node = match has_own || (kind.is_none() && !keys.has(key)) {
        true => keys.get(notes, key),
        false => keys.need(notes, key),
    }?;
    expression(notes, node, scope, &Want::Value(Type::Text))
}

fn deletes(
    notes: &mut Notes,
    keys: &Keys<'_>,
    kind: Option<&Kind<'_>>,
    format: TopicFormat,
) -> Deletes {
    let is_entity = kind.is_some_and(|kind| kind.entity.is_some());
    let usual = if is_entity {
        Deletes::Entity
    } else {
        Deletes::Skip
    };
    if format != TopicFormat::Debezium {
        refuse(
            notes,
            keys,
            "deletes",
            "only rows of Debezium have `deletes`",
        );
        return usual;
    }
    let node = keys.get(notes, "deletes");
    let said = node.and_then(|node| word(notes, node, "`deletes`", &DELETES));
    if let (Some(Deletes::Entity), Some(node), Some(kind), false) = (said, node, kind, is_entity) {
        let message = format!("`{}` is an event: there is nothing to delete", kind.name);
        let help = "write `skip`, or `map` if the event says that the row is gone";
        notes.error_help("E213", node.span, message, help.to_owned());
    }
    said.unwrap_or(usual)
}

fn past(notes: &mut Notes, keys: &Keys<'_>, key: &'static str) -> Past {
    let what = match key {
        "snapshot" => "`snapshot`",
        _ => "`backlog`",
    };
    let node = keys.get(notes, key);
    node.and_then(|node| word(notes, node, what, &PASTS))
        .unwrap_or(Past::History)
}
