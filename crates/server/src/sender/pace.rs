//! The pace of posts: one a second in each channel, unless the settings say otherwise, and none while Slack asks for a pause.

use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a post waits for its turn here; one that would wait longer waits in the store.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(30);

/// When each channel may be posted to next, as this process sees it.
#[derive(Debug)]
pub(super) struct Pace {
    next: Mutex<BTreeMap<Box<str>, Timestamp>>,
    /// Between two posts in a channel.
    gap: Duration,
}

impl Pace {
    pub(super) fn new(gap: Duration) -> Self {
        let next = Mutex::default();
        Self { next, gap }
    }

    /// Takes the channel's next turn and says how long to wait for it; or, where that is too long, takes none.
    pub(super) fn turn(&self, channel: &str, now: Timestamp) -> Result<Duration, Duration> {
        let mut all = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, next| *next > now);
        let next = all.get(channel).copied().unwrap_or(now).max(now);
        let wait = Duration::try_from(next.duration_since(now)).unwrap_or_default();
        if wait > WAIT_MAX {
            return Err(wait);
        }
        all.insert(channel.into(), later(next, self.gap));
        Ok(wait)
    }

    /// Nothing is posted to the channel for so long.
    pub(super) fn pause(&self, channel: &str, now: Timestamp, pause: Duration) {
        let mut all = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let next = all.entry(channel.into()).or_insert(now);
        *next = (*next).max(later(now, pause));
    }
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::noon;

    #[test]
    fn a_channel_is_posted_to_once_a_second_and_not_while_it_rests() {
        let pace = Pace::new(Duration::from_secs(1));
        let seconds = Duration::from_secs;
        assert_eq!(pace.turn("#a", noon()), Ok(seconds(0)));
        assert_eq!(pace.turn("#a", noon()), Ok(seconds(1)));
        assert_eq!(pace.turn("#a", noon()), Ok(seconds(2)));
        assert_eq!(pace.turn("#b", noon()), Ok(seconds(0)));
        let soon = later(noon(), seconds(10));
        assert_eq!(pace.turn("#a", soon), Ok(seconds(0)));
        pace.pause("#a", soon, seconds(31));
        assert_eq!(pace.turn("#a", soon), Err(seconds(31)));
        let after = later(soon, seconds(2));
        assert_eq!(pace.turn("#a", after), Ok(seconds(29)));
        let turns = (0..100).filter(|_| pace.turn("#c", noon()).is_ok());
        assert_eq!(turns.count(), 31);
        assert_eq!(pace.turn("#c", noon()), Err(seconds(31)));
    }
}
