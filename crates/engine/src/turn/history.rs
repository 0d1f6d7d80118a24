//! Imported history: while it is open nothing starts; its close is like going live.

use super::{Cause, Closing, Turn};
use jiff::{SignedDuration, Timestamp};

/// Live, a history closes by itself so long after its last marked fact.
const OPEN_MAX: SignedDuration = SignedDuration::from_hours(24);

impl Turn<'_, '_> {
    /// Closes the account's history; without one nothing happens.
    pub(crate) fn close_history(&mut self) {
        let Some(history) = self.account.head.history.take() else {
            self.is_untouched = true;
            return;
        };
        self.is_moved = true;
        self.account.head.is_live = true;
        self.cause = Cause {
            closes: Some(if history.is_frozen {
                Closing::Frozen
            } else {
                Closing::Waiting
            }),
            ..Cause::default()
        };
        self.settle();
    }

    /// When the history closes by itself: live only.
    pub(super) fn history_due(&self) -> Option<Timestamp> {
        let history = self.account.head.history.filter(|_| self.is_live())?;
        let from = if history.is_frozen {
            history.marked_at
        } else {
            history.opened_at
        };
        from.checked_add(OPEN_MAX).ok()
    }

    /// Whether it is to close by itself now.
    pub(super) fn is_history_due(&self) -> bool {
        self.history_due().is_some_and(|due| due <= self.now)
    }
}
