//! Memories: what a condition was when it was last known, and how long it has held.

use crate::stored::{stored_enum, stored_struct};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What a condition was when it was last known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Memory {
    /// It was never known.
    #[default]
    Never,
    /// False.
    False,
    /// True.
    True,
    /// Unknown at go-live, at an edit or at the close of a history: its first known value is handled by `existing`.
    Pending,
}
stored_enum!(Memory { 0 = Never, 1 = False, 2 = True, 3 = Pending });

/// How long a condition has held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Since when, pauses taken out.
    pub since: Timestamp,
    /// Since when it is unknown, which neither counts nor resets.
    pub paused_at: Option<Timestamp>,
}
stored_struct!(Hold { since, paused_at });

/// What a workflow remembers of one subject; kept even when the subject is deleted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subject {
    /// What `when` was when it was last known.
    pub memory: Memory,
    /// The hold that runs (`for`), until it starts a run.
    pub hold: Option<Hold>,
    /// The last moment for which `when` is known to have been false.
    pub false_at: Option<Timestamp>,
    /// How many runs began, by `once_per` value (empty where it has none).
    pub starts: BTreeMap<Box<str>, u32>,
    /// When the last run began.
    pub started_at: Option<Timestamp>,
    /// Whether what a marked fact made true waits for the end of the history (an account that was live before).
    pub is_waiting: bool,
    /// The arm it drew, by the step that split: whoever was drawn keeps it.
    pub arms: BTreeMap<Box<str>, Box<str>>,
}
stored_struct!(Subject {
    memory,
    hold,
    false_at,
    starts,
    started_at,
    is_waiting
} since 2 {
    arms
});
