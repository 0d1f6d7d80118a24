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
    /// When the last run began that was not in shadow.
    pub started_at: Option<Timestamp>,
    /// Whether what a marked fact made true waits for the end of the history (an account that was live before).
    pub is_waiting: bool,
    /// The arm it drew, by the step that split: whoever was drawn keeps it.
    pub arms: BTreeMap<Box<str>, Box<str>>,
    /// How many of `starts` were in shadow: they reached nobody, so they count in shadow only.
    pub tried: BTreeMap<Box<str>, u32>,
    /// When the last run began in shadow.
    pub tried_at: Option<Timestamp>,
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
} since 3 {
    tried,
    tried_at
});

impl Subject {
    /// Whether a run began under a `once_per` value that counts now.
    pub(crate) fn has_started(&self, key: &str, is_shadow: bool) -> bool {
        let all = self.starts.get(key).copied().unwrap_or(0);
        let tried = self.tried.get(key).copied().unwrap_or(0);
        if is_shadow { all > 0 } else { all > tried }
    }

    /// When the last run began that counts now.
    pub(crate) fn last_start(&self, is_shadow: bool) -> Option<Timestamp> {
        let tried_at = self.tried_at.filter(|_| is_shadow);
        self.started_at.max(tried_at)
    }

    /// Keeps that a run begins under a `once_per` value. Gives its number, which is never given twice.
    pub(crate) fn count_start(&mut self, key: &str, now: Timestamp, is_shadow: bool) -> u32 {
        let earlier = self.starts.entry(key.into()).or_default();
        let number = *earlier;
        *earlier = earlier.saturating_add(1);
        if is_shadow {
            let tried = self.tried.entry(key.into()).or_default();
            *tried = tried.saturating_add(1);
            self.tried_at = Some(now);
        } else {
            self.started_at = Some(now);
        }
        number
    }
}
