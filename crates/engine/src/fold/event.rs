//! Events: reading their fields, references to contacts resolved once.

use super::patch::bad_data;
use super::value::{Wrong, rejected, typed};
use crate::account::Account;
use jiff::Timestamp;
use model::decision::Rejected;
use model::{Fact, Parked, Value};
use std::collections::BTreeMap;
use workflow::program::{EventType, FieldType};

/// An event as the metrics see it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    /// Its type.
    pub(crate) kind: Box<str>,
    /// Its known fields.
    pub(crate) fields: BTreeMap<Box<str>, Value>,
    /// When it happened.
    pub(crate) at: Timestamp,
}

/// Reads an event of a declared type.
pub(crate) fn read(
    account: &Account,
    declared: &EventType,
    fact: &Fact,
    at: Timestamp,
) -> Result<(Event, Vec<Rejected>), Parked> {
    let mut fields = BTreeMap::new();
    let mut not_taken = Vec::new();
    for (name, field) in &declared.fields {
        let path = || format!("{}.{name}", fact.kind);
        let Some(json) = fact.data.get(&**name).filter(|json| !json.is_null()) else {
            if field.is_required {
                return Err(bad_data(&path(), name, "is required and missing"));
            }
            continue;
        };
        let value = typed(name, field, json).and_then(|value| resolve(account, &field.kind, value));
        match value {
            Ok(Some(value)) => {
                fields.insert(name.clone(), value);
            }
            Ok(None) => {}
            Err(Wrong::NotFound) => not_taken.push(rejected(Wrong::NotFound.code(), &path(), json)),
            Err(_) if field.is_required => {
                return Err(bad_data(&path(), name, "is required and has a wrong value"));
            }
            Err(wrong) => not_taken.push(rejected(wrong.code(), &path(), json)),
        }
    }
    let unknown = fact
        .data
        .iter()
        .filter(|(name, _)| !declared.fields.contains_key(name.as_str()));
    not_taken.extend(
        unknown
            .map(|(name, json)| rejected("unknown_field", &format!("{}.{name}", fact.kind), json)),
    );
    let event = Event {
        kind: fact.kind.clone(),
        fields,
        at,
    };
    Ok((event, not_taken))
}

/// A reference to a contact by id or e-mail address becomes its id.
fn resolve(
    account: &Account,
    kind: &FieldType,
    value: Option<Value>,
) -> Result<Option<Value>, Wrong> {
    match (kind, value) {
        (FieldType::Contact, Some(Value::Text(text))) => contact(account, &text)
            .map(|id| Some(Value::Text(id)))
            .ok_or(Wrong::NotFound),
        (_, value) => Ok(value),
    }
}

/// The contact with this id, or else with this e-mail address.
pub(crate) fn contact(account: &Account, text: &str) -> Option<Box<str>> {
    let is_there = |id: &str| {
        account
            .head
            .contacts
            .get(id)
            .is_some_and(|contact| contact.is_there)
    };
    if is_there(text) {
        return Some(text.into());
    }
    if !text.contains('@') {
        return None;
    }
    let has_address = |stamped: &crate::entity::Stamped| {
        let address = stamped.value.as_ref().and_then(Value::text);
        address.is_some_and(|address| address.to_lowercase() == text.to_lowercase())
    };
    account
        .parts
        .contacts()
        .iter()
        .find(|(id, fields)| is_there(id) && fields.get("email").is_some_and(has_address))
        .map(|(id, _)| id.clone())
}
