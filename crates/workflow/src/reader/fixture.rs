//! Values of fixtures: typed by the schema, written as facts carry them.

use super::Notes;
use super::notation::{parse_date, parse_time};
use super::value::{flag, scalar, short};
use crate::diagnostic::{Span, nearest};
use crate::expression::{Scope, Want, compile};
use crate::program::{ExprKind, Field, FieldType, Type};
use crate::scenario::Json;
use crate::yaml::{Entry, Node};
use jiff::Timestamp;
use model::{Decimal, Value};
use serde_json::Value as JsonValue;
use std::collections::BTreeMap;

/// A number with its suffix: `12`, `-0.5`, `20k`, `3M`.
fn parse_number(text: &str) -> Option<Decimal> {
    let (digits, factor) = match (text.strip_suffix('k'), text.strip_suffix('M')) {
        (Some(digits), _) => (digits, 1_000),
        (None, Some(digits)) => (digits, 1_000_000),
        (None, None) => (text, 1),
    };
    let number: Decimal = digits.parse().ok()?;
    number.mul(Decimal::from_count(factor))
}

fn parse_percent(text: &str) -> Option<Decimal> {
    let number: Decimal = text.strip_suffix('%')?.parse().ok()?;
    number.div(Decimal::from_count(100))
}

/// A field's value as JSON; `null` makes it unknown.
pub(crate) fn json(notes: &mut Notes, node: &Node, kind: &FieldType) -> Option<JsonValue> {
    if node.is_null() {
        return Some(JsonValue::Null);
    }
    let text = &scalar(notes, node, "a value")?.text;
    let (read, wanted) = match kind {
        FieldType::Text
        | FieldType::Email
        | FieldType::Locale
        | FieldType::Timezone
        | FieldType::Contact
        | FieldType::Csm => (Some(JsonValue::from(text.as_ref())), "text"),
        FieldType::Number => (
            parse_number(text).map(|number| Value::Number(number).to_json()),
            "a number, for example `12`",
        ),
        FieldType::Money => (
            parse_number(text).map(|number| Value::Money(number).to_json()),
            "an amount, for example `3M`",
        ),
        FieldType::Percent => (
            parse_percent(text).map(|share| Value::Percent(share).to_json()),
            "a percentage, for example `60%`",
        ),
        FieldType::Boolean => return flag(notes, node, "this value").map(JsonValue::from),
        FieldType::Date => (
            parse_date(text).map(|date| JsonValue::from(date.to_string())),
            "a day, for example `2026-01-05`",
        ),
        FieldType::Time => (
            text.parse::<Timestamp>()
                .ok()
                .map(|time| JsonValue::from(time.to_string())),
            "a time, for example `2026-01-05T09:00:00+09:00`",
        ),
        FieldType::Pick(list) => return pick(notes, text, node.span, &list.words),
    };
    if read.is_none() {
        let message = format!("`{}` does not fit this field: it is {wanted}", short(text));
        notes.error("E103", node.span, message);
    }
    read
}

fn pick(notes: &mut Notes, text: &str, span: Span, words: &[Box<str>]) -> Option<JsonValue> {
    if words.iter().any(|word| **word == *text) {
        return Some(JsonValue::from(text));
    }
    let all: Vec<&str> = words.iter().map(|word| &**word).collect();
    let help = nearest(text, all.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    let message = format!("`{}` is not one of: {}", short(text), all.join(", "));
    notes.error_help("E304", span, message, help);
    None
}

/// The fields of one entity or event, and what it is called in messages.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'s> {
    /// `account`, `user.logged_in` …
    pub(crate) name: &'s str,
    /// Its fields.
    pub(crate) fields: &'s BTreeMap<Box<str>, Field>,
    /// What surrounds it.
    pub(crate) scope: &'s Scope,
}

impl<'s> Fields<'s> {
    /// A field; E201 if there is none.
    pub(crate) fn field(&self, notes: &mut Notes, field: &str, span: Span) -> Option<&'s Field> {
        let found = self.fields.get(field);
        let failed = &self.scope.world.failed;
        let dotted = format!("{}.{}", self.name, short(field));
        if found.is_none() && !failed.contains(self.name) && !failed.contains(&*dotted) {
            let near = nearest(field, self.fields.keys().map(|name| &**name));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            notes.error_help("E201", span, format!("there is no `{dotted}`"), help);
        }
        found
    }

    /// A map of fields as JSON.
    pub(crate) fn object(&self, notes: &mut Notes, node: &Node) -> Json {
        let mut object = Json::new();
        if !super::keys::is_map(notes, node, "a map of fields") {
            return object;
        }
        for entry in node.entries() {
            let Some(field) = self.field(notes, &entry.key, entry.key_span) else {
                continue;
            };
            if let Some(value) = json(notes, &entry.value, &field.kind) {
                object.insert(entry.key.to_string(), value);
            }
        }
        object
    }
}

/// A metric, segment, label or `health.…` held at a value; `Some(None)` is unknown.
pub(crate) fn pinned(notes: &mut Notes, entry: &Entry, scope: &Scope) -> Option<Option<Value>> {
    let ty = held_type(notes, entry, scope)?;
    if entry.value.is_null() {
        return Some(None);
    }
    let text = &scalar(notes, &entry.value, "a value")?.text;
    if &**text == "unknown" {
        return Some(None);
    }
    let is_percent = ty == Type::Percent;
    let value = match ty {
        Type::Bool => {
            return flag(notes, &entry.value, "this value").map(|flag| Some(Value::Bool(flag)));
        }
        Type::Number => parse_number(text).map(Value::Number),
        Type::Percent => parse_percent(text).map(Value::Percent),
        Type::Money => parse_number(text).map(Value::Money),
        Type::Date => parse_date(text).map(Value::Date),
        Type::Time => time(text).map(Value::Time),
        Type::Text => Some(Value::Text(text.clone())),
        Type::Word(list) => {
            pick(notes, text, entry.value.span, &list.words)?;
            Some(Value::Word(text.clone()))
        }
        Type::Contact | Type::List(_) => None,
    };
    if value.is_none() {
        let message = format!("`{}` does not fit `{}`", short(text), entry.key);
        let help = (is_percent && parse_number(text).is_some())
            .then(|| format!("did you mean `{text}%`?"));
        notes.error_help("E103", entry.value.span, message, help);
    }
    value.map(Some)
}

/// The type of a name that can be held at a value.
fn held_type(notes: &mut Notes, entry: &Entry, scope: &Scope) -> Option<Type> {
    match compile(&entry.key, scope, &Want::Anything) {
        Ok(expr) if is_holdable(&expr.kind) => Some(expr.ty),
        Ok(_) => {
            let message = format!(
                "`{}` is not a metric, segment, label or `health.…`",
                short(&entry.key)
            );
            notes.error("E201", entry.key_span, message);
            None
        }
        Err(mistakes) => {
            for mistake in mistakes {
                notes.error_help(mistake.code, entry.key_span, mistake.message, mistake.help);
            }
            None
        }
    }
}

fn is_holdable(kind: &ExprKind) -> bool {
    matches!(
        kind,
        ExprKind::Metric(_) | ExprKind::Segment(_) | ExprKind::Label(_) | ExprKind::Health(_)
    )
}

/// An instant: with an offset, or a civil day or time taken as UTC.
fn time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let civil = match text.split_once(' ') {
        Some((day, time)) => parse_date(day)?.to_datetime(parse_time(time)?),
        None => parse_date(text)?.at(0, 0, 0, 0),
    };
    civil
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|zoned| zoned.timestamp())
}
