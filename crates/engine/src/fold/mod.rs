//! Folding facts into state: entities, events, answers; what is not taken is said by name.

mod answer;
mod csm;
mod event;
mod patch;
mod seen;
mod text;
mod value;

pub(crate) use answer::{Answer, Said, read as read_answer};
pub(crate) use event::{Event, read as read_event};
pub(crate) use patch::{
    Late, Patch, Which, apply, as_it_was, delete, read as read_patch, read_id as read_patch_id,
};
pub(crate) use seen::{is_first_read, is_seen, remember};
pub(crate) use value::rejected;

pub use csm::csm;
pub use text::from_text;
pub use value::{ID_CHARACTERS_MAX, TEXT_CHARACTERS_MAX};

use crate::account::Account;
use model::fact::{SUPPRESSED, UNSUPPRESSED};
use model::{Fact, ParkCode, Parked};
use workflow::program::{EventType, Schema};

/// What kind of fact it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sort<'a> {
    /// A patch of an entity.
    Updated(Which),
    /// A delete of an entity.
    Deleted(Which),
    /// A declared event.
    Event(&'a EventType),
    /// An answer to a task or a message.
    Answer,
    /// What became of a message.
    Settled,
    /// What may not be sent to a contact's address, or may again.
    Stop,
    /// Only the engine tells facts of this type.
    Reserved,
    /// Not declared.
    Unknown,
    /// Not about an account.
    Elsewhere,
}

/// Prefixes of the types that are the engine's own.
const RESERVED: [&str; 6] = [
    "message.",
    "task.",
    "risk.",
    "health.",
    "stage.",
    "workflow.",
];
/// The source under which our own senders tell fates.
pub const OWN_SOURCE: &str = "sottaku";

/// Tells the kind of a fact.
pub(crate) fn sort<'a>(schema: &'a Schema, fact: &Fact) -> Sort<'a> {
    match &*fact.kind {
        "account.updated" => Sort::Updated(Which::Account),
        "contract.updated" => Sort::Updated(Which::Contract),
        "contact.updated" => Sort::Updated(Which::Contact),
        "account.deleted" => Sort::Deleted(Which::Account),
        "contract.deleted" => Sort::Deleted(Which::Contract),
        "contact.deleted" => Sort::Deleted(Which::Contact),
        "task.approved" | "task.rejected" | "task.done" | "task.snoozed" | "task.reassigned"
        | "message.delivered" | "message.bounced" | "message.complained" | "message.replied"
        | "message.clicked" | "message.opened" => Sort::Answer,
        "message.settled" if &*fact.source == OWN_SOURCE => Sort::Settled,
        SUPPRESSED | UNSUPPRESSED if &*fact.source == OWN_SOURCE => Sort::Stop,
        SUPPRESSED | UNSUPPRESSED => Sort::Reserved,
        _ if fact.is_csm() || fact.is_control() => Sort::Elsewhere,
        kind => match schema.events.get(kind) {
            Some(declared) if !declared.is_engine => Sort::Event(declared),
            _ if RESERVED.iter().any(|prefix| kind.starts_with(prefix)) => Sort::Reserved,
            Some(_) => Sort::Reserved,
            None => Sort::Unknown,
        },
    }
}

/// Why a fact can't be used; none: it can.
pub(crate) fn unusable(schema: &Schema, account: &Account, fact: &Fact) -> Option<Parked> {
    match sort(schema, fact) {
        Sort::Updated(which) => read_patch(which, schema, fact).err(),
        Sort::Deleted(Which::Account) => None,
        Sort::Deleted(which) => read_patch_id(which, fact).err(),
        Sort::Event(declared) => {
            read_event(account, declared, fact, jiff::Timestamp::UNIX_EPOCH).err()
        }
        Sort::Reserved => Some(reserved(&fact.kind)),
        Sort::Answer | Sort::Settled | Sort::Stop | Sort::Unknown | Sort::Elsewhere => None,
    }
}

/// Only Sottaku itself tells facts of this type.
pub(crate) fn reserved(kind: &str) -> Parked {
    Parked {
        code: ParkCode::ReservedType,
        message: format!(
            "only Sottaku itself tells facts of type `{kind}`; send it under a name of your own"
        )
        .into(),
        field: Some("type".into()),
    }
}

/// The subject is missing or cannot be one.
pub fn bad_subject() -> Parked {
    Parked {
        code: ParkCode::BadSubject,
        message: "`subject` must be the account's id: 1 to 128 characters, no control characters"
            .into(),
        field: Some("subject".into()),
    }
}
