//! Subjects: what one run belongs to, and which of them there are.

use super::Turn;
use super::offer::Offer;
use crate::entity::Entity;
use crate::head::Case;
use model::Value;
use std::collections::BTreeMap;
use workflow::program::{FieldType, ForEach};

impl Turn<'_, '_> {
    /// The subjects that are there.
    pub(super) fn subjects(&self, for_each: ForEach) -> Vec<Box<str>> {
        let head = &self.account.head;
        let there = |entities: &BTreeMap<Box<str>, Entity>| {
            let there = entities.iter().filter(|(_, entity)| entity.is_there);
            there.map(|(id, _)| id.clone()).collect()
        };
        match for_each {
            ForEach::Account if self.has_account() => vec![self.account.id.as_str().into()],
            ForEach::Contract => there(&head.contracts),
            ForEach::Contact => there(&head.contacts),
            ForEach::Risk if self.has_account() => self.cases(|_| None),
            ForEach::Account | ForEach::Risk => Vec::new(),
        }
    }

    /// Those whose condition is followed: beside the open cases of a risk, the one that closed last.
    pub(super) fn followed(&self, for_each: ForEach) -> Vec<Box<str>> {
        match for_each {
            ForEach::Risk if self.has_account() => self.cases(<[Case]>::last),
            ForEach::Account | ForEach::Contract | ForEach::Contact | ForEach::Risk => {
                self.subjects(for_each)
            }
        }
    }

    /// The open cases of all risks, each behind one of the closed ones of its risk.
    fn cases(&self, closed: impl Fn(&[Case]) -> Option<&Case>) -> Vec<Box<str>> {
        let risks = self.context.program.risks.iter();
        let states = risks.filter_map(|risk| self.account.head.risks.get(&risk.name));
        let cases = states.flat_map(|state| closed(&state.closed).into_iter().chain(&state.case));
        cases.map(|case| case.id.clone()).collect()
    }

    /// Whether a subject is there; a case of a risk is, also when it is closed.
    pub(super) fn is_there(&self, for_each: ForEach, subject: &str) -> bool {
        let head = &self.account.head;
        let has = |entities: &BTreeMap<Box<str>, Entity>| {
            entities.get(subject).is_some_and(|entity| entity.is_there)
        };
        match for_each {
            ForEach::Account => self.has_account(),
            ForEach::Contract => has(&head.contracts),
            ForEach::Contact => has(&head.contacts),
            ForEach::Risk => self.has_account() && self.known().case(subject).is_some(),
        }
    }

    /// An account is there from its first fact until it is deleted.
    fn has_account(&self) -> bool {
        let entity = &self.account.head.account;
        entity.is_there || entity.deleted_at.is_none()
    }

    /// Whether the case of a risk opened marked: `existing` decides of what it makes true.
    pub(super) fn is_marked_case(&self, for_each: ForEach, subject: &str) -> bool {
        for_each == ForEach::Risk
            && self.account.head.risks.values().any(|state| {
                let case = state.case.as_ref();
                case.is_some_and(|case| case.is_marked && *case.id == *subject)
            })
    }

    /// The subjects that an event is about: the one that it names; where its type names none, all.
    pub(super) fn subjects_of(&self, for_each: ForEach, offer: &Offer) -> Vec<Box<str>> {
        let event = &offer.event;
        let declared = self.context.program.schema.events.get(&event.kind);
        let named_by = match for_each {
            ForEach::Account => None,
            ForEach::Risk => {
                return match &offer.case {
                    Some(case) => vec![case.clone()],
                    None => self.subjects(for_each),
                };
            }
            ForEach::Contract => declared
                .filter(|declared| declared.fields.contains_key("contract"))
                .map(|_| "contract"),
            ForEach::Contact => declared.and_then(|declared| contact_field(&declared.fields)),
        };
        let Some(field) = named_by else {
            return self.subjects(for_each);
        };
        let named = event.fields.get(field).and_then(Value::text);
        let there = named.filter(|subject| self.is_there(for_each, subject));
        there.map(Box::from).into_iter().collect()
    }

    /// Forgets closed cases that nothing asks for any more, and what was remembered of them.
    pub(super) fn prune_cases(&mut self) {
        let workflows = self.context.program.workflows.iter();
        let for_risks: Vec<&str> = workflows
            .filter(|workflow| workflow.for_each == ForEach::Risk)
            .map(|workflow| &*workflow.name)
            .collect();
        let head = &mut self.account.head;
        let runs = for_risks.iter().filter_map(|name| head.workflows.get(name));
        let runs: Vec<Box<str>> = runs
            .flat_map(|state| state.runs.iter().map(|run| run.subject.clone()))
            .collect();
        let mut gone: Vec<Box<str>> = Vec::new();
        for state in head.risks.values_mut() {
            let last = state.closed.last().map(|case| case.id.clone());
            state.closed.retain(|case| {
                let is_kept = last.as_ref() == Some(&case.id) || runs.contains(&case.id);
                if !is_kept {
                    gone.push(case.id.clone());
                }
                is_kept
            });
        }
        for name in for_risks {
            if let Some(state) = head.workflows.get_mut(name) {
                state
                    .subjects
                    .retain(|subject, _| !gone.iter().any(|gone| **gone == *subject));
            }
        }
    }
}

/// The field by which an event names a contact: `contact`, or else the first of that type.
fn contact_field(fields: &BTreeMap<Box<str>, workflow::program::Field>) -> Option<&str> {
    let mut contacts = fields
        .iter()
        .filter(|(_, field)| field.kind == FieldType::Contact)
        .map(|(name, _)| &**name);
    let first = contacts.next()?;
    let is_named_so = first == "contact" || contacts.any(|name| name == "contact");
    Some(if is_named_so { "contact" } else { first })
}
