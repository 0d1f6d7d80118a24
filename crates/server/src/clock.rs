//! The wall clock, read nowhere else; a test turns one by hand.

use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};

/// Tells the wall-clock time.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<Mutex<Timestamp>>>);

impl Clock {
    /// The machine's clock.
    pub fn wall() -> Self {
        Self(None)
    }

    /// A clock that stands still until it is turned.
    pub fn by_hand(start: Timestamp) -> Self {
        Self(Some(Arc::new(Mutex::new(start))))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            None => Timestamp::now(),
            Some(hand) => *hand.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Turns a clock that goes by hand; the machine's stays as it is.
    pub fn turn(&self, by: SignedDuration) {
        if let Some(hand) = &self.0 {
            let mut now = hand.lock().unwrap_or_else(PoisonError::into_inner);
            *now = now.saturating_add(by).unwrap_or(*now);
        }
    }
}
