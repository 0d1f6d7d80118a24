//! How fast mails leave: so many a minute and at once to each domain, and few at first from a new server. What is over is
//! told when to come again, and never dropped.
//!
//! Each limit is one instant, the earliest at which the next mail would be due if all kept to the rate; a mail may come before
//! it by as much as the burst allows. The instants live in this process, which goes at its share of the pace: as many of the
//! shards as it sends for.

use crate::config::{Pace, Rate, WarmUp};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The most domains and senders that are remembered; those that are at rest are forgotten.
const KNOWN_MAX: usize = 10_000;
/// The share of a minute, or of a day, that may leave at once.
const BURST_SHARE: i32 = 12;
/// How long a mail waits for its turn at a domain before it is put off.
const TURN_WAIT_MAX: Duration = Duration::from_secs(2);
/// How long a mail is put off that did not get its turn.
const TURN_PAUSE: SignedDuration = SignedDuration::from_secs(5);
const MINUTE: SignedDuration = SignedDuration::from_secs(60);
const DAY: SignedDuration = SignedDuration::from_secs(86_400);

/// The lanes of one process.
#[derive(Debug)]
pub(super) struct Lanes {
    settings: Pace,
    turn_wait_max: Duration,
    domains: Mutex<BTreeMap<Box<str>, Lane>>,
    senders: Mutex<BTreeMap<Box<str>, Lane>>,
}

#[derive(Debug, Default)]
struct Lane {
    /// When the next mail is due by the rate.
    due: Option<Timestamp>,
    turns: Option<Arc<Semaphore>>,
}

/// Which part of all shards this process sends for: so much of the pace is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) held: u32,
    pub(super) of: u32,
}

/// A mail's turn; others of its domain wait until it is dropped.
#[derive(Debug)]
pub(super) struct Turn(
    #[expect(dead_code, reason = "it is given back when dropped")] Option<OwnedSemaphorePermit>,
);

impl Lanes {
    pub(super) fn new(settings: Pace) -> Self {
        Self {
            settings,
            turn_wait_max: TURN_WAIT_MAX,
            domains: Mutex::default(),
            senders: Mutex::default(),
        }
    }

    /// Lets one mail from `sender` to `domain` go; or says until when it has to wait.
    pub(super) async fn enter(
        &self,
        sender: &str,
        domain: &str,
        (share, now): (Share, Timestamp),
    ) -> Result<Turn, Timestamp> {
        let domain = domain.to_ascii_lowercase();
        let rate = self.settings.domains.get(&*domain);
        let rate = rate.copied().unwrap_or(self.settings.each_domain);
        let turn = self
            .turn(&domain, rate)
            .await
            .ok_or_else(|| later(now, TURN_PAUSE))?;
        let warm_up = self
            .settings
            .warm_up
            .and_then(|warm_up| allowance(warm_up, now));
        if let Some(count) = warm_up {
            admit(&self.senders, sender, (count, DAY), (share, now))?;
        }
        if let Some(count) = rate.per_minute {
            let count = u64::from(count);
            admit(&self.domains, &domain, (count, MINUTE), (share, now))?;
        }
        Ok(turn)
    }

    async fn turn(&self, domain: &str, rate: Rate) -> Option<Turn> {
        let Some(at_once) = rate.at_once else {
            return Some(Turn(None));
        };
        let turns = {
            let mut lanes = self.domains.lock().unwrap_or_else(PoisonError::into_inner);
            let lane = lanes.entry(domain.into()).or_default();
            let count = usize::try_from(at_once).unwrap_or(usize::MAX);
            Arc::clone(
                lane.turns
                    .get_or_insert_with(|| Arc::new(Semaphore::new(count))),
            )
        };
        let turn = timeout(self.turn_wait_max, turns.acquire_owned()).await;
        turn.ok()?.ok().map(|turn| Turn(Some(turn)))
    }
}

impl Share {
    /// How long from one mail to the next, where all processes together send `count` in `span`.
    fn step(self, count: u64, span: SignedDuration) -> SignedDuration {
        // Whoever sends holds a shard, or held it a moment ago.
        let held = i128::from(self.held.clamp(1, self.of.max(1)));
        let nanos =
            span.as_nanos() * i128::from(self.of.max(1)) / (i128::from(count.max(1)) * held);
        SignedDuration::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX).max(1))
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// How many mails a sender may send today, while it is made known.
fn allowance(warm_up: WarmUp, now: Timestamp) -> Option<u64> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let days = warm_up.since.until(today).ok()?.get_days();
    let day = u32::try_from(days).unwrap_or(0);
    if day >= warm_up.days {
        return None;
    }
    let grown = |count: u64, _| count.saturating_mul(100 + u64::from(warm_up.grows_percent)) / 100;
    Some((0..day).fold(u64::from(warm_up.first_day), grown))
}

/// Takes one mail of `count` in `span`, or says when one will be free.
fn admit(
    lanes: &Mutex<BTreeMap<Box<str>, Lane>>,
    key: &str,
    (count, span): (u64, SignedDuration),
    (share, now): (Share, Timestamp),
) -> Result<(), Timestamp> {
    let step = share.step(count, span);
    let burst = (span / BURST_SHARE).max(step);
    let mut lanes = lanes.lock().unwrap_or_else(PoisonError::into_inner);
    if lanes.len() >= KNOWN_MAX {
        let is_busy = |lane: &Lane| {
            lane.turns
                .as_ref()
                .is_some_and(|turns| Arc::strong_count(turns) > 1)
        };
        lanes.retain(|_, lane| is_busy(lane) || lane.due.is_some_and(|due| due > now));
    }
    let lane = lanes.entry(key.into()).or_default();
    // A clock that was put back must not stop the mail until it has caught up.
    let due = lane
        .due
        .filter(|due| *due <= later(now, span.max(step) + burst))
        .unwrap_or(now)
        .max(now);
    let next = later(due, step);
    let earliest = next.checked_sub(burst).unwrap_or(now);
    if earliest > now {
        return Err(earliest);
    }
    lane.due = Some(next);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of it.
    const WHOLE: Share = Share { held: 8, of: 8 };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("an instant")
    }

    fn pace(per_minute: Option<u32>, at_once: Option<u32>, warm_up: Option<WarmUp>) -> Lanes {
        let rate = Rate {
            per_minute,
            at_once,
        };
        Lanes::new(Pace {
            domains: [("slow.example".into(), rate)].into(),
            warm_up,
            ..Pace::default()
        })
    }

    /// How many of one mail a second leave within so many seconds.
    async fn left(pace: &Lanes, domain: &str, seconds: i64, each_second: usize) -> usize {
        let mut count = 0;
        for second in 0..seconds {
            for _ in 0..each_second {
                count += usize::from(
                    pace.enter("default", domain, (WHOLE, at(second)))
                        .await
                        .is_ok(),
                );
            }
        }
        count
    }

    #[tokio::test]
    async fn a_domain_gets_its_rate_and_a_burst_and_others_are_not_held() {
        let pace = pace(Some(60), None, None);
        assert_eq!(left(&pace, "Slow.example", 1, 100).await, 5);
        assert_eq!(left(&pace, "fast.example", 1, 100).await, 100);
        let pace = self::pace(Some(60), None, None);
        let in_ten_minutes = left(&pace, "slow.example", 600, 3).await;
        assert!((595..=606).contains(&in_ten_minutes), "{in_ten_minutes}");
    }

    #[tokio::test]
    async fn who_is_over_is_told_when_to_come_and_may_then() {
        let pace = pace(Some(1), None, None);
        assert!(
            pace.enter("default", "slow.example", (WHOLE, at(0)))
                .await
                .is_ok()
        );
        let until = pace
            .enter("default", "slow.example", (WHOLE, at(1)))
            .await
            .expect_err("over");
        assert!(until > at(1) && until <= at(60), "{until}");
        assert!(
            pace.enter("default", "slow.example", (WHOLE, until))
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn a_clock_that_was_put_back_does_not_stop_the_mail() {
        let pace = pace(Some(60), None, None);
        assert!(
            pace.enter("default", "slow.example", (WHOLE, at(1_000_000)))
                .await
                .is_ok()
        );
        assert!(
            pace.enter("default", "slow.example", (WHOLE, at(0)))
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn so_many_at_once_and_the_next_when_one_is_done() {
        let mut pace = pace(None, Some(2), None);
        pace.turn_wait_max = Duration::ZERO;
        let one = pace
            .enter("default", "slow.example", (WHOLE, at(0)))
            .await
            .expect("free");
        let _two = pace
            .enter("default", "slow.example", (WHOLE, at(0)))
            .await
            .expect("free");
        let until = pace
            .enter("default", "slow.example", (WHOLE, at(0)))
            .await
            .expect_err("full");
        assert_eq!(until, at(5));
        drop(one);
        assert!(
            pace.enter("default", "slow.example", (WHOLE, at(0)))
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn a_new_server_sends_more_each_day_and_then_without_limit() {
        let warm_up = WarmUp {
            since: at(0).to_zoned(TimeZone::UTC).date(),
            first_day: 24,
            grows_percent: 50,
            days: 3,
        };
        let days = [0, 1, 2, 3].map(|day| allowance(warm_up, at(day * 86_400)));
        assert_eq!(days, [Some(24), Some(36), Some(54), None]);
        assert_eq!(allowance(warm_up, at(-86_400)), Some(24), "before its time");
        let pace = pace(None, None, Some(warm_up));
        assert_eq!(
            left(&pace, "a.example", 3_601, 1).await,
            2 + 1,
            "two at once, then one an hour"
        );
        assert_eq!(left(&pace, "a.example", 10, 1).await, 0);
    }

    #[tokio::test]
    async fn two_processes_go_at_half_the_pace_each() {
        for (held, of, least, most) in [
            (4, 8, 148, 156),
            (1, 8, 37, 40),
            (0, 8, 37, 40),
            (8, 8, 297, 306),
        ] {
            let pace = pace(Some(30), None, None);
            let share = Share { held, of };
            let mut count = 0;
            for second in 0..600 {
                let entered = pace.enter("default", "slow.example", (share, at(second)));
                count += usize::from(entered.await.is_ok());
            }
            assert!((least..=most).contains(&count), "{held} of {of}: {count}");
        }
        // One a minute stays one a minute, however many share it.
        let minutes = Share { held: 1, of: 8 }.step(1, MINUTE);
        assert_eq!(minutes, SignedDuration::from_mins(8));
    }
}
