//! How often one token may be answered with a change.

use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Changes of one token in [`WITHIN`].
const CHANGES_MAX: u32 = 20;
/// The time of that limit.
const WITHIN: SignedDuration = SignedDuration::from_mins(1);
/// Tokens that are remembered; only tokens of ours are, so nobody fills this from outside.
const TOKENS_MAX: usize = 10_000;

/// The changes of late, by token; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace(Arc<Mutex<BTreeMap<[u8; 32], Asked>>>);

/// Since when, and how often.
type Asked = (Timestamp, u32);

impl Pace {
    /// Counts a change of this token, if it may have one more now.
    pub(crate) fn admits(&self, token: &str, now: Timestamp) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= TOKENS_MAX {
            seen.retain(|_, (since, _)| now.duration_since(*since) < WITHIN);
        }
        let key = *blake3::hash(token.as_bytes()).as_bytes();
        if seen.len() >= TOKENS_MAX && !seen.contains_key(&key) {
            // A flood of right tokens is a flood of people: none of them is turned away.
            return true;
        }
        let (since, count) = seen.entry(key).or_insert((now, 0));
        if now.duration_since(*since) >= WITHIN {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        *count <= CHANGES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_has_its_own_pace() {
        let pace = Pace::default();
        let now = Timestamp::UNIX_EPOCH;
        for _ in 0..CHANGES_MAX {
            assert!(pace.admits("a", now));
        }
        assert!(!pace.admits("a", now));
        assert!(pace.admits("b", now));
        assert!(pace.admits("a", now + WITHIN));
    }
}
