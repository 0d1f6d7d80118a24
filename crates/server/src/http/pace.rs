//! How often one token of ours may be asked about, and may change something. Only tokens that were opened are counted, so
//! nobody fills this from outside.

use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Changes by one token in [`WITHIN`].
const CHANGES_MAX: u32 = 20;
/// Looks by one token in [`WITHIN`]: a mail goes through many scanners, and none of them may wear us out.
const LOOKS_MAX: u32 = 1_200;
/// Clicks and opens of one token in [`WITHIN`]: each writes.
const CLICKS_MAX: u32 = 60;
/// The time of these limits.
const WITHIN: SignedDuration = SignedDuration::from_mins(1);
/// Tokens that are remembered.
const TOKENS_MAX: usize = 10_000;

/// What is asked by a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asks {
    /// A page that changes nothing.
    Look,
    /// A link or an image that is noticed.
    Click,
    /// A change.
    Change,
}

impl Asks {
    fn most(self) -> u32 {
        match self {
            Self::Look => LOOKS_MAX,
            Self::Click => CLICKS_MAX,
            Self::Change => CHANGES_MAX,
        }
    }
}

/// What was asked of late, by token; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace(Arc<Mutex<BTreeMap<Key, Asked>>>);

/// What is asked, and the hash of the token.
type Key = (Asks, [u8; 32]);
/// Since when, and how often.
type Asked = (Timestamp, u32);

impl Pace {
    /// Counts what is asked by this token, if it may be asked once more now.
    pub(crate) fn admits(&self, asks: Asks, token: &str, now: Timestamp) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= TOKENS_MAX {
            seen.retain(|_, (since, _)| now.duration_since(*since) < WITHIN);
        }
        let key = (asks, *blake3::hash(token.as_bytes()).as_bytes());
        if seen.len() >= TOKENS_MAX && !seen.contains_key(&key) {
            // A flood of right tokens is a flood of people: none of them is turned away.
            return true;
        }
        let (since, count) = seen.entry(key).or_insert((now, 0));
        if now.duration_since(*since) >= WITHIN {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= asks.most()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_has_its_own_pace_for_what_it_asks() {
        for asks in [Asks::Look, Asks::Click, Asks::Change] {
            let pace = Pace::default();
            let now = Timestamp::UNIX_EPOCH;
            for _ in 0..asks.most() {
                assert!(pace.admits(asks, "a", now));
            }
            assert!(!pace.admits(asks, "a", now));
            assert!(pace.admits(asks, "b", now));
            assert!(pace.admits(asks, "a", now + WITHIN));
        }
        let pace = Pace::default();
        let now = Timestamp::UNIX_EPOCH;
        for _ in 0..=CHANGES_MAX {
            pace.admits(Asks::Change, "a", now);
        }
        assert!(pace.admits(Asks::Look, "a", now));
    }
}
