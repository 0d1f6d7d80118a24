//! Readers: from YAML trees to checked parts, noting every mistake.

pub(crate) mod expression;
pub(crate) mod keys;
pub(crate) mod notation;
pub(crate) mod notes;
pub(crate) mod value;

pub(crate) use keys::Keys;
pub(crate) use notes::Notes;
