//! Forgetting a person: what an account's state holds of a contact goes, their id stays.
//!
//! Distinct values are kept as hashes and metrics as numbers, so nothing of them can be read.

use crate::account::Account;
use crate::entity::{Entity, Fields};
use crate::run::{Run, StepState};
use model::Value;
use std::collections::BTreeMap;

/// The texts that are known of a contact, wherever they are kept.
pub fn texts(account: &Account, contact: &str) -> Vec<Box<str>> {
    let head = account.head.contacts.get(contact).map(|one| &one.fields);
    let fields = head.into_iter().chain(account.parts.contact(contact));
    fields
        .flatten()
        .filter_map(|(_, stamped)| match &stamped.value {
            Some(Value::Text(text)) => Some(text.clone()),
            Some(_) | None => None,
        })
        .collect()
}

/// The contacts that have an address, in order.
pub fn holders(account: &Account, address: &str) -> Vec<Box<str>> {
    let has = |id: &str| {
        let fields = account.parts.contact(id);
        let email = fields.and_then(|fields| fields.get("email"));
        let email = email.and_then(|email| email.value.as_ref()?.text());
        email.is_some_and(|email| email.eq_ignore_ascii_case(address))
    };
    let ids = account.parts.contacts().keys();
    ids.filter(|id| has(id)).cloned().collect()
}

/// Takes out all fields of a contact, and every text elsewhere that is theirs. Whoever they were, nobody holds the role.
pub fn erase(account: &mut Account, contact: &str, is_theirs: &dyn Fn(&str) -> bool) {
    if let Some(entity) = account.head.contacts.get_mut(contact) {
        entity.fields.clear();
    }
    account.parts.contacts_mut().remove(contact);
    clean_entity(&mut account.head.account, is_theirs);
    let others = account.head.contracts.values_mut();
    for entity in others.chain(account.head.contacts.values_mut()) {
        clean_entity(entity, is_theirs);
    }
    for fields in account.parts.contacts_mut().values_mut() {
        clean_fields(fields, is_theirs);
    }
    for state in account.head.workflows.values_mut() {
        for subject in state.subjects.values_mut() {
            subject.starts = cleaned_keys(std::mem::take(&mut subject.starts), is_theirs);
            subject.tried = cleaned_keys(std::mem::take(&mut subject.tried), is_theirs);
        }
        for run in &mut state.runs {
            clean_run(run, is_theirs);
        }
    }
}

fn is_personal(value: &Value, is_theirs: &dyn Fn(&str) -> bool) -> bool {
    value.text().is_some_and(is_theirs)
}

fn clean_entity(entity: &mut Entity, is_theirs: &dyn Fn(&str) -> bool) {
    clean_fields(&mut entity.fields, is_theirs);
}

fn clean_fields(fields: &mut Fields, is_theirs: &dyn Fn(&str) -> bool) {
    for stamped in fields.values_mut() {
        stamped.value = stamped
            .value
            .take()
            .filter(|value| !is_personal(value, is_theirs));
    }
}

fn clean_map(map: &mut BTreeMap<Box<str>, Value>, is_theirs: &dyn Fn(&str) -> bool) {
    map.retain(|_, value| !is_personal(value, is_theirs));
}

/// Keys that hold a value of an event: how often it began stays known, what the value was does not.
fn cleaned_keys(
    map: BTreeMap<Box<str>, u32>,
    is_theirs: &dyn Fn(&str) -> bool,
) -> BTreeMap<Box<str>, u32> {
    let named = |(number, (key, count)): (usize, (Box<str>, u32))| {
        if is_theirs(&key) {
            (format!("erased {number}").into(), count)
        } else {
            (key, count)
        }
    };
    map.into_iter().enumerate().map(named).collect()
}

fn clean_run(run: &mut Run, is_theirs: &dyn Fn(&str) -> bool) {
    for remembered in run.remembered.values_mut() {
        *remembered = remembered
            .take()
            .filter(|value| !is_personal(value, is_theirs));
    }
    clean_map(&mut run.started_by, is_theirs);
    for heard in run.heard.values_mut() {
        clean_map(heard, is_theirs);
    }
    for step in run.steps.values_mut() {
        clean_step(step, is_theirs);
    }
}

fn clean_step(step: &mut StepState, is_theirs: &dyn Fn(&str) -> bool) {
    clean_map(&mut step.event, is_theirs);
    step.result = step
        .result
        .take()
        .filter(|value| !is_personal(value, is_theirs));
}
