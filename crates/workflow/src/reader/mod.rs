//! Readers: from YAML trees to checked parts, noting every mistake.

pub(crate) mod act;
pub(crate) mod branch;
pub(crate) mod calendar;
pub(crate) mod case;
pub(crate) mod cases;
pub(crate) mod cron;
pub(crate) mod crowd;
pub(crate) mod definition;
pub(crate) mod desk;
pub(crate) mod engine_event;
pub(crate) mod expression;
pub(crate) mod fixture;
pub(crate) mod given;
pub(crate) mod goal;
pub(crate) mod guard;
pub(crate) mod head;
pub(crate) mod health;
pub(crate) mod keys;
pub(crate) mod later;
pub(crate) mod metric;
pub(crate) mod moved;
pub(crate) mod named;
pub(crate) mod notation;
pub(crate) mod notes;
pub(crate) mod policy;
pub(crate) mod route;
pub(crate) mod scenario;
pub(crate) mod schema;
pub(crate) mod set;
pub(crate) mod source;
mod source_fields;
pub(crate) mod split;
pub(crate) mod start;
pub(crate) mod step;
pub(crate) mod survey;
pub(crate) mod timeline;
pub(crate) mod value;
pub(crate) mod wait;
pub(crate) mod webhook;
pub(crate) mod workflow;

pub(crate) use keys::Keys;
pub(crate) use notes::Notes;

#[cfg(test)]
mod tests;
