//! Entities as the account knows them: fields with the moment each was said.

use crate::stored::stored_struct;
use jiff::Timestamp;
use model::Value;
use std::collections::BTreeMap;

/// A field's value and when it was said.
#[derive(Clone, Debug, PartialEq)]
pub struct Stamped {
    /// The value; `None` is unknown (it was said to be `null`).
    pub value: Option<Value>,
    /// `occurred_at` of the newest fact that carried the field, changed or not.
    pub at: Timestamp,
}
stored_struct!(Stamped { value, at });

/// Fields by name.
pub type Fields = BTreeMap<Box<str>, Stamped>;

/// A contract or contact, there or deleted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entity {
    /// Its fields; a contact's personal ones are in the part `contacts`.
    pub fields: Fields,
    /// Whether it is there now.
    pub is_there: bool,
    /// When it was last said to be deleted; older patches no longer count.
    pub deleted_at: Option<Timestamp>,
    /// When it was last patched, as the sources say.
    pub patched_at: Option<Timestamp>,
    /// `seen_at` of its first fact.
    pub first_at: Option<Timestamp>,
}
stored_struct!(Entity {
    fields,
    is_there,
    deleted_at,
    patched_at,
    first_at
});

impl Entity {
    /// The value of a field, if the entity is there and the field is known.
    pub fn value(&self, field: &str) -> Option<&Value> {
        if self.is_there {
            self.fields.get(field)?.value.as_ref()
        } else {
            None
        }
    }
}
