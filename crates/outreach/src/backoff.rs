//! How long to wait before the next attempt: a pure function of how many there were.

use crate::egress::RETRY_AFTER_MAX;
use std::time::Duration;

/// The waits after the first, second … attempt; from then on the last one.
pub const WAITS: [Duration; 6] = [
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(3_600),
    Duration::from_secs(4 * 3_600),
    Duration::from_secs(8 * 3_600),
];

/// The wait after attempt number `attempt` (the first is 1): up to a fifth longer than the schedule says, by a hash
/// of `key` and the attempt, so that what failed together does not come back together.
pub fn wait(key: &str, attempt: u32) -> Duration {
    let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    spread(WAITS[index.min(WAITS.len() - 1)], key, attempt)
}

/// `base`, and up to a fifth of it more.
pub(crate) fn spread(base: Duration, key: &str, attempt: u32) -> Duration {
    let digest = model::id::digest(&[key, &attempt.to_string()]);
    let draw = u32::from(u16::from_be_bytes([digest[0], digest[1]]));
    base + base * draw / 65_536 / 5
}

/// The wait after an attempt for which the other side may have asked for a longer one.
pub fn wait_at_least(key: &str, attempt: u32, asked: Option<Duration>) -> Duration {
    let own = wait(key, attempt);
    asked.map_or(own, |asked| own.max(asked.min(RETRY_AFTER_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_within_a_fifth() {
        for attempt in 1..20_u32 {
            let base = WAITS[usize::try_from(attempt - 1).unwrap_or(0).min(5)];
            let wait = wait("m_x", attempt);
            assert!(wait >= base && wait < base + base / 5 + Duration::from_millis(1));
        }
    }

    #[test]
    fn the_same_attempt_waits_the_same() {
        assert_eq!(wait("m_x", 3), wait("m_x", 3));
        assert_ne!(wait("m_x", 3), wait("m_y", 3));
    }

    #[test]
    fn what_is_asked_is_honoured_up_to_a_day() {
        let hour = Duration::from_secs(3_600);
        assert_eq!(wait_at_least("m", 1, Some(hour)), hour);
        assert_eq!(
            wait_at_least("m", 1, Some(hour * 24 * 365)),
            RETRY_AFTER_MAX
        );
        assert_eq!(
            wait_at_least("m", 1, Some(Duration::from_secs(1))),
            wait("m", 1)
        );
    }
}
