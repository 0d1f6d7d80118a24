//! The rules of the house that a machine can hold.
//!
//! A rule is a function from a [`Tree`] of committed files to a list of [`Complaint`]s, so that
//! each is proved twice beside its text: on a made-up tree that it must flag, and on one that it
//! must not. `tests/tree.rs` then asks every rule about the real tree.

pub mod complaint;
pub mod manifest;
pub mod rules;
pub mod scan;
pub mod tree;

pub use complaint::{Complaint, Reason};
pub use tree::{File, Tree};
