//! Readers: from YAML trees to checked parts, noting every mistake.

pub(crate) mod calendar;
pub(crate) mod definition;
pub(crate) mod engine_event;
pub(crate) mod expression;
pub(crate) mod health;
pub(crate) mod keys;
pub(crate) mod metric;
pub(crate) mod named;
pub(crate) mod notation;
pub(crate) mod notes;
pub(crate) mod policy;
pub(crate) mod route;
pub(crate) mod schema;
pub(crate) mod value;

pub(crate) use keys::Keys;
pub(crate) use notes::Notes;
