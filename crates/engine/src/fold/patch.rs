//! Entity facts: patches field by field and deletes, the newest `occurred_at` winning.

use super::value::{id, rejected, typed};
use crate::account::Account;
use crate::entity::{Entity, Fields, Stamped};
use crate::head::Head;
use jiff::Timestamp;
use model::decision::Rejected;
use model::{Fact, ParkCode, Parked, Value};
use workflow::program::{Entity as Declared, Schema};

/// Which entity a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Account,
    Contract,
    Contact,
}

impl Which {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Contract => "contract",
            Self::Contact => "contact",
        }
    }

    fn declared(self, schema: &Schema) -> &Declared {
        match self {
            Self::Account => &schema.account,
            Self::Contract => &schema.contract,
            Self::Contact => &schema.contact,
        }
    }
}

/// A patch that was read and found usable.
#[derive(Debug, Default)]
pub(crate) struct Patch {
    /// Which contract or contact; empty for the account and a CSM.
    pub(crate) id: Box<str>,
    values: Vec<(Box<str>, Option<Value>, bool)>,
    pub(crate) rejected: Vec<Rejected>,
}

impl Patch {
    /// A change of one field by our own hand.
    pub(crate) fn of(id: Box<str>, field: &str, value: Option<Value>, is_personal: bool) -> Self {
        Self {
            id,
            values: vec![(field.into(), value, is_personal)],
            rejected: Vec::new(),
        }
    }
}

/// Reads the data of an entity fact.
pub(crate) fn read(which: Which, schema: &Schema, fact: &Fact) -> Result<Patch, Parked> {
    let own_id = read_id(which, fact)?;
    read_fields(which.name(), which.declared(schema), fact, own_id)
}

/// Reads which contract or contact a fact is about.
pub(crate) fn read_id(which: Which, fact: &Fact) -> Result<Box<str>, Parked> {
    let name = which.name();
    match which {
        Which::Account => Ok("".into()),
        Which::Contract | Which::Contact => fact
            .data
            .get(name)
            .and_then(|json| json.as_str())
            .and_then(|text| id(text).ok())
            .ok_or_else(|| bad_data(name, name, "must be an id of 1 to 128 characters")),
    }
}

/// Reads the fields of a patch of the entity `name`.
pub(crate) fn read_fields(
    name: &str,
    declared: &Declared,
    fact: &Fact,
    id: Box<str>,
) -> Result<Patch, Parked> {
    let mut patch = Patch {
        id,
        ..Patch::default()
    };
    for (key, json) in &fact.data {
        if key == name && name != "account" && name != "csm" {
            continue;
        }
        let path = || format!("{name}.{key}");
        let Some(field) = declared.fields.get(&**key) else {
            patch
                .rejected
                .push(rejected("unknown_field", &path(), json));
            continue;
        };
        match typed(key, field, json) {
            Ok(None) if field.is_required => {
                return Err(bad_data(&path(), key, "is required and can't be null"));
            }
            Ok(value) => {
                let is_personal = field.is_personal || matches!(&**key, "name" | "email");
                patch.values.push((key.as_str().into(), value, is_personal));
            }
            Err(_) if field.is_required => {
                return Err(bad_data(&path(), key, "is required and has a wrong value"));
            }
            Err(wrong) => patch.rejected.push(rejected(wrong.code(), &path(), json)),
        }
    }
    Ok(patch)
}

/// A required field is missing or wrong.
pub(crate) fn bad_data(path: &str, field: &str, what: &str) -> Parked {
    Parked {
        code: ParkCode::BadData,
        message: format!("`{path}` {what}; send the fact again with it, or `sottaku parked replay` after the schema is changed").into(),
        field: Some(field.into()),
    }
}

/// A value that came too late: a newer fact had said the field already.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Late {
    key: Box<str>,
    value: Option<Value>,
    is_personal: bool,
    /// When the value that stands was said.
    pub(crate) until: Timestamp,
}

/// Applies a patch that was said at `at` and seen at `seen_at`. Gives the values that came too late.
pub(crate) fn apply(
    account: &mut Account,
    which: Which,
    patch: Patch,
    (at, seen_at): (Timestamp, Timestamp),
) -> Vec<Late> {
    let Account { head, parts, .. } = account;
    let entity = entity_mut(head, which, &patch.id);
    let mut late = Vec::new();
    if !touch(entity, at, seen_at) {
        return late;
    }
    for (key, value, is_personal) in patch.values {
        let is_apart = which == Which::Contact && is_personal;
        let fields = if is_apart {
            parts.contacts_mut().entry(patch.id.clone()).or_default()
        } else {
            &mut entity.fields
        };
        if let Some((value, until)) = set(fields, &key, value, at) {
            late.push(Late {
                key,
                value,
                is_personal: is_apart,
                until,
            });
        }
    }
    late
}

/// Puts late values in force in a copy of the account: how things stood then.
pub(crate) fn as_it_was(
    account: &mut Account,
    which: Which,
    id: &str,
    late: &[Late],
    at: Timestamp,
) {
    let Account { head, parts, .. } = account;
    let entity = entity_mut(head, which, id);
    for one in late {
        let fields = if one.is_personal {
            parts.contacts_mut().entry(id.into()).or_default()
        } else {
            &mut entity.fields
        };
        let value = one.value.clone();
        fields.insert(one.key.clone(), Stamped { value, at });
    }
}

fn entity_mut<'h>(head: &'h mut Head, which: Which, id: &str) -> &'h mut Entity {
    match which {
        Which::Account => &mut head.account,
        Which::Contract => head.contracts.entry(id.into()).or_default(),
        Which::Contact => head.contacts.entry(id.into()).or_default(),
    }
}

/// Applies a patch to a CSM's copy.
pub(crate) fn apply_csm(entity: &mut Entity, patch: Patch, at: Timestamp) {
    if touch(entity, at, at) {
        for (key, value, _) in patch.values {
            // A copy has no holds: what came too late needs no second look.
            drop(set(&mut entity.fields, &key, value, at));
        }
    }
}

/// Notes that a patch came; `false` when the entity was deleted after it.
fn touch(entity: &mut Entity, at: Timestamp, seen_at: Timestamp) -> bool {
    if entity.deleted_at.is_some_and(|deleted_at| at < deleted_at) {
        return false;
    }
    entity.is_there = true;
    entity.patched_at = entity.patched_at.max(Some(at));
    entity.first_at.get_or_insert(seen_at);
    true
}

/// Sets a field unless a newer fact has said it; of equal times the later in the log wins. Gives back a value that came
/// too late, with the time of the one that stands.
fn set(
    fields: &mut Fields,
    key: &str,
    value: Option<Value>,
    at: Timestamp,
) -> Option<(Option<Value>, Timestamp)> {
    match fields.get_mut(key) {
        Some(present) if present.at > at => return Some((value, present.at)),
        Some(present) => *present = Stamped { value, at },
        None => {
            fields.insert(key.into(), Stamped { value, at });
        }
    }
    None
}

/// Applies a delete that was said at `at`: what was said later stays. Gives whether anything changed.
pub(crate) fn delete(account: &mut Account, which: Which, id: &str, at: Timestamp) -> bool {
    let Account { head, parts, .. } = account;
    match which {
        Which::Account => {
            let mut is_changed = bury(&mut head.account, at);
            let all = head
                .contracts
                .values_mut()
                .chain(head.contacts.values_mut());
            for entity in all {
                is_changed |= bury(entity, at);
            }
            for personal in parts.contacts_mut().values_mut() {
                personal.retain(|_, stamped| stamped.at > at);
            }
            is_changed
        }
        Which::Contract => bury(head.contracts.entry(id.into()).or_default(), at),
        Which::Contact => {
            if let Some(personal) = parts.contacts_mut().get_mut(id) {
                personal.retain(|_, stamped| stamped.at > at);
            }
            bury(head.contacts.entry(id.into()).or_default(), at)
        }
    }
}

/// Takes away what was said until `at`.
pub(crate) fn bury(entity: &mut Entity, at: Timestamp) -> bool {
    if entity.deleted_at.is_some_and(|deleted_at| deleted_at >= at) {
        return false;
    }
    entity.deleted_at = Some(at);
    entity.fields.retain(|_, stamped| stamped.at > at);
    entity.is_there = entity.patched_at.is_some_and(|patched_at| patched_at > at);
    true
}
