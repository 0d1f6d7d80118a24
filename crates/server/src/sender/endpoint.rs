//! Endpoints of webhooks: one that fails again and again is left alone for a while, then asked by one call.

use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Failures in a row after which an endpoint is left alone.
const FAILURES_MAX: u32 = 5;
/// For how long at first; twice as long each further time.
const REST: SignedDuration = SignedDuration::from_secs(60);
/// For how long at most.
const REST_MAX: SignedDuration = SignedDuration::from_mins(30);

/// How each endpoint does, as this process sees it.
#[derive(Debug, Default)]
pub(super) struct Endpoints(Mutex<BTreeMap<Box<str>, Standing>>);

#[derive(Debug)]
struct Standing {
    failures: u32,
    /// Not called before.
    rests_until: Timestamp,
}

impl Endpoints {
    /// Whether an endpoint may be called now; else until when it is left alone. Who may call one that rested is the
    /// only one who may, until it is known what came of it or another rest has passed.
    pub(super) fn may(&self, name: &str, now: Timestamp) -> Result<(), Timestamp> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(standing) = all.get_mut(name) else {
            return Ok(());
        };
        if standing.failures < FAILURES_MAX {
            return Ok(());
        }
        if now < standing.rests_until {
            return Err(standing.rests_until);
        }
        standing.rests_until = later(now, rest(standing.failures));
        Ok(())
    }

    /// Those that are left alone now, and until when.
    pub(super) fn resting(&self, now: Timestamp) -> Vec<(Box<str>, Timestamp)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let resting = all.iter().filter(|(_, standing)| {
            standing.failures >= FAILURES_MAX && now < standing.rests_until
        });
        resting
            .map(|(name, standing)| (name.clone(), standing.rests_until))
            .collect()
    }

    /// Takes note of what came of a call.
    pub(super) fn note(&self, name: &str, is_good: bool, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_good {
            all.remove(name);
            return;
        }
        let standing = all.entry(name.into()).or_insert(Standing {
            failures: 0,
            rests_until: now,
        });
        standing.failures = standing.failures.saturating_add(1);
        if standing.failures >= FAILURES_MAX {
            standing.rests_until = later(now, rest(standing.failures));
        }
    }
}

fn rest(failures: u32) -> SignedDuration {
    let doublings = failures.saturating_sub(FAILURES_MAX).min(10);
    (REST * (1_i32 << doublings)).min(REST_MAX)
}

fn later(now: Timestamp, rest: SignedDuration) -> Timestamp {
    now.saturating_add(rest).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::noon;

    #[test]
    fn an_endpoint_that_fails_is_left_alone_and_then_asked_once() {
        let endpoints = Endpoints::default();
        let at = |seconds: i64| later(noon(), SignedDuration::from_secs(seconds));
        for _ in 0..5 {
            assert_eq!(endpoints.may("crm", at(0)), Ok(()));
            endpoints.note("crm", false, at(0));
        }
        assert_eq!(endpoints.may("crm", at(59)), Err(at(60)));
        assert_eq!(endpoints.may("other", at(59)), Ok(()));
        assert_eq!(endpoints.resting(at(59)), [("crm".into(), at(60))]);
        assert_eq!(endpoints.resting(at(60)), [], "it may be asked");
        assert_eq!(endpoints.may("crm", at(60)), Ok(()), "one asks");
        assert_eq!(endpoints.may("crm", at(60)), Err(at(120)), "and only one");
        endpoints.note("crm", false, at(61));
        assert_eq!(endpoints.may("crm", at(62)), Err(at(61 + 120)));
        for _ in 0..50 {
            endpoints.note("crm", false, at(200));
        }
        assert_eq!(endpoints.may("crm", at(201)), Err(at(200 + 1_800)));
        endpoints.note("crm", true, at(2_000));
        assert_eq!(endpoints.may("crm", at(2_000)), Ok(()));
    }
}
