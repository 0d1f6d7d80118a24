//! Holds: how long a condition has been true (`for`), which unknown pauses and false resets (language.md, 5.4).

use super::Turn;
use crate::calendar;
use crate::memory::Hold;
use jiff::Timestamp;
use workflow::program::Period;

impl Turn<'_, '_> {
    /// A hold that begins with the cause: when the fact happened, not before the last false evidence, not after now.
    pub(super) fn begin_hold(&self, false_at: Option<Timestamp>) -> Hold {
        let since = self.evidence_at();
        Hold {
            since: false_at
                .map_or(since, |false_at| since.max(false_at))
                .min(self.now),
            paused_at: None,
        }
    }

    /// The condition is unknown from now on.
    pub(super) fn pause(&self, hold: Hold) -> Hold {
        Hold {
            paused_at: Some(hold.paused_at.unwrap_or(self.now)),
            ..hold
        }
    }

    /// The condition is true again: the pause does not count.
    pub(super) fn resume(&self, hold: Hold) -> Hold {
        let Some(paused_at) = hold.paused_at else {
            return hold;
        };
        let pause = self.now.duration_since(paused_at);
        Hold {
            since: hold
                .since
                .checked_add(pause)
                .map_or(self.now, |since| since.min(self.now)),
            paused_at: None,
        }
    }

    /// When a hold that is not paused is full.
    pub(super) fn hold_due(&self, hold: Hold, period: Period) -> Option<Timestamp> {
        match hold.paused_at {
            Some(_) => None,
            None => self.after(hold.since, period),
        }
    }

    /// `at` and then `period`, in the account's zone.
    pub(super) fn after(&self, at: Timestamp, period: Period) -> Option<Timestamp> {
        calendar::add(&self.context.program.calendar, at, period, &self.zone)
    }
}
