//! The schema: what is known of accounts, contracts, contacts and CSMs, and which events there are.

use super::expression::PickList;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All entities and events.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Schema {
    /// The account's fields.
    pub account: Entity,
    /// A contract's fields.
    pub contract: Entity,
    /// A contact's fields.
    pub contact: Entity,
    /// A CSM's fields.
    pub csm: Entity,
    /// Declared events by type, engine events (`message.sent`, `risk.opened` …) among them.
    pub events: BTreeMap<Box<str>, EventType>,
}

/// The fields of one entity.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Entity {
    /// Fields by name.
    pub fields: BTreeMap<Box<str>, Field>,
}

/// One event type.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EventType {
    /// Fields by name.
    pub fields: BTreeMap<Box<str>, Field>,
    /// Whether only the engine tells it.
    pub is_engine: bool,
}

/// One field.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    /// Its type.
    pub kind: FieldType,
    /// Whether it is always there.
    pub is_required: bool,
    /// Whether only workflows write it.
    pub is_written_by_workflows: bool,
    /// Whether it is personal data, which stays out of the head. A contact's name and email always are.
    pub is_personal: bool,
    /// For people.
    pub title: Option<Box<str>>,
}

/// The type of a field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum FieldType {
    /// Free text.
    Text,
    /// A plain number.
    Number,
    /// A share, `0.6` is 60 %.
    Percent,
    /// An amount.
    Money,
    /// A civil day.
    Date,
    /// An instant.
    Time,
    /// Yes or no.
    Boolean,
    /// An e-mail address.
    Email,
    /// A language tag.
    Locale,
    /// An IANA time zone.
    Timezone,
    /// The id of a contact of the account; in events also an address.
    Contact,
    /// The id of a CSM.
    Csm,
    /// One of some words, low to high.
    Pick(Arc<PickList>),
}
