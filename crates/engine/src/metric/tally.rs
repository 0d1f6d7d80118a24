//! What an account keeps of the events of one basis.

use super::amount::Amount;
use super::backfill::Backfill;
use super::coverage::Coverage;
use super::plan::Keep;
use crate::stored::stored_struct;
use jiff::Timestamp;
use model::Decimal;
use std::collections::BTreeMap;

/// How many days with events are kept for windows that begin at the day of a field. Beyond, the oldest are dropped, and a
/// count over them is only *at least*.
pub const DAYS_KEPT_MAX: usize = 4_000;
/// Days kept past the longest window: a move of the account to another zone may turn the day back.
const SLACK: i32 = 2;

/// The small metric states. A part of the head.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// What is kept of events, by basis.
    pub tallies: BTreeMap<Box<str>, Tally>,
    /// Since when absence proves something.
    pub coverage: Coverage,
    /// What the log tells of bases that a later text brought, until all of it is read.
    pub backfill: Option<Backfill>,
}
stored_struct!(Metrics { tallies, coverage } since 4 { backfill });

/// What is kept of the events of one basis: by day (in the account's zone when each came in) and hour.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// The latest event, and its day and hour.
    pub(crate) newest: Option<Moment>,
    /// The earliest event.
    pub(crate) oldest_at: Option<Timestamp>,
    /// All events.
    pub(crate) ever: Amount,
    /// By day, in order, empty days left out.
    pub(crate) days: Vec<(i32, Amount)>,
    /// By hour.
    pub(crate) hours: Vec<(i64, Amount)>,
    /// The first moment of each day with events.
    pub(crate) firsts: Vec<(i32, Timestamp)>,
    /// The last day that had to be dropped though a window may ask for it.
    pub(crate) dropped_until: Option<i32>,
    /// Different values by the last day on which each was seen.
    pub(crate) lasts: Vec<(i32, u32)>,
    /// Different values by the last hour.
    pub(crate) last_hours: Vec<(i64, u32)>,
    /// Different values in the window before the present one, by its length: from each day on so many more or fewer.
    pub(crate) before: BTreeMap<u16, Vec<(i32, i32)>>,
    /// The last day of a different value that was not taken in, since there were too many.
    pub(crate) refused_on: Option<i32>,
}
stored_struct!(Tally {
    newest,
    oldest_at,
    ever,
    days,
    hours,
    firsts,
    dropped_until,
    lasts,
    last_hours,
    before,
    refused_on
});

impl Tally {
    /// How many days, hours and steps it keeps.
    pub(crate) fn len(&self) -> usize {
        let steps: usize = self.before.values().map(Vec::len).sum();
        let days = self.days.len() + self.firsts.len() + self.lasts.len();
        days + self.hours.len() + self.last_hours.len() + steps
    }
}

/// A moment with its day and hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The instant.
    pub(crate) at: Timestamp,
    /// Its civil day.
    pub(crate) day: i32,
    /// The second with which its hour begins.
    pub(crate) hour: i64,
}
stored_struct!(Moment { at, day, hour });

impl Tally {
    /// When the newest event happened.
    pub fn newest_at(&self) -> Option<Timestamp> {
        self.newest.map(|newest| newest.at)
    }

    /// The first moment kept of a day.
    pub(crate) fn first_on(&self, day: i32) -> Option<Timestamp> {
        let at = self.firsts.binary_search_by_key(&day, |(day, _)| *day);
        at.ok().map(|at| self.firsts[at].1)
    }

    /// One event more, whatever its values; gives its day's place among those that are kept.
    pub(crate) fn add(&mut self, moment: Moment, value: Option<Decimal>, keep: &Keep) {
        if self.newest.is_none_or(|newest| newest.at < moment.at) {
            self.newest = Some(moment);
        }
        if self.oldest_at.is_none_or(|oldest| moment.at < oldest) {
            self.oldest_at = Some(moment.at);
        }
        self.ever.add(value);
        if keep.days > 0 || keep.is_since {
            slot(&mut self.days, moment.day).add(value);
        }
        if keep.hours > 0 {
            slot(&mut self.hours, moment.hour).add(value);
        }
        if keep.has_firsts {
            match self
                .firsts
                .binary_search_by_key(&moment.day, |(day, _)| *day)
            {
                Ok(at) => self.firsts[at].1 = self.firsts[at].1.min(moment.at),
                Err(at) => self.firsts.insert(at, (moment.day, moment.at)),
            }
        }
    }

    /// One event less; gives whether there was one.
    pub(crate) fn take(&mut self, moment: Moment, value: Option<Decimal>) -> bool {
        if self.ever.count == 0 {
            return false;
        }
        self.ever.take(value);
        if let Ok(at) = self.days.binary_search_by_key(&moment.day, |(day, _)| *day) {
            self.days[at].1.take(value);
            self.days.retain(|(_, amount)| amount.count > 0);
        }
        if let Ok(at) = self
            .hours
            .binary_search_by_key(&moment.hour, |(hour, _)| *hour)
        {
            self.hours[at].1.take(value);
            self.hours.retain(|(_, amount)| amount.count > 0);
        }
        true
    }

    /// Drops what no window reaches any more.
    pub(crate) fn prune(&mut self, today: i32, hour: i64, keep: &Keep) {
        let oldest_hour = hour - (keep.hours + i64::from(SLACK)) * 3_600;
        self.hours.retain(|(hour, _)| *hour > oldest_hour);
        if !keep.is_since {
            let oldest = today - keep.days - SLACK;
            self.days.retain(|(day, _)| *day > oldest);
            self.firsts.retain(|(day, _)| *day > oldest);
            return;
        }
        let dropped = [drop_oldest(&mut self.days), drop_oldest(&mut self.firsts)];
        for day in dropped.into_iter().flatten() {
            self.dropped_until = self.dropped_until.max(Some(day));
        }
    }

    /// What the days from `from` on, up to `until`, come to.
    pub(crate) fn over_days(&self, from: i32, until: Option<i32>) -> Amount {
        over(&self.days, from, until)
    }

    /// What the hours from `from` on, up to `until`, come to.
    pub(crate) fn over_hours(&self, from: i64, until: Option<i64>) -> Amount {
        over(&self.hours, from, until)
    }

    /// How many different values were seen on or after a day.
    pub(crate) fn distinct_from(&self, from: i32) -> u32 {
        let begin = self.lasts.partition_point(|(day, _)| *day < from);
        self.lasts[begin..].iter().map(|(_, count)| count).sum()
    }

    /// How many different values were seen in or after an hour.
    pub(crate) fn distinct_from_hour(&self, from: i64) -> u32 {
        let begin = self.last_hours.partition_point(|(hour, _)| *hour < from);
        self.last_hours[begin..]
            .iter()
            .map(|(_, count)| count)
            .sum()
    }

    /// How many different values the window of `days` days held that ended just before the present one, as of `today`.
    pub(crate) fn distinct_before(&self, days: u16, today: i32) -> Option<u32> {
        let steps = self.before.get(&days).map_or(&[][..], Vec::as_slice);
        let until = steps.partition_point(|(day, _)| *day <= today);
        u32::try_from(steps[..until].iter().map(|(_, more)| more).sum::<i32>()).ok()
    }
}

/// The bucket of a key, made if need be.
fn slot<K: Ord + Copy, V: Default>(buckets: &mut Vec<(K, V)>, key: K) -> &mut V {
    let at = match buckets.binary_search_by_key(&key, |(key, _)| *key) {
        Ok(at) => at,
        Err(at) => {
            buckets.insert(at, (key, V::default()));
            at
        }
    };
    &mut buckets[at].1
}

/// Adds to a bucket of numbers; one that comes to nought goes.
pub(crate) fn shift<K, N>(buckets: &mut Vec<(K, N)>, key: K, by: i32)
where
    K: Ord + Copy,
    N: Copy + Default + PartialEq + TryFrom<i64> + Into<i64>,
{
    let bucket = slot(buckets, key);
    *bucket = N::try_from((*bucket).into() + i64::from(by)).unwrap_or_default();
    if *bucket == N::default() {
        buckets.retain(|(other, _)| *other != key);
    }
}

/// Drops the oldest days above the limit; gives the last one dropped.
fn drop_oldest<V>(days: &mut Vec<(i32, V)>) -> Option<i32> {
    let above = days.len().checked_sub(DAYS_KEPT_MAX)?;
    let dropped = days.drain(..above).next_back();
    dropped.map(|(day, _)| day)
}

/// What the buckets from `from` on, up to `until`, come to.
fn over<K: Ord + Copy>(buckets: &[(K, Amount)], from: K, until: Option<K>) -> Amount {
    let begin = buckets.partition_point(|(key, _)| *key < from);
    let end = until.map_or(buckets.len(), |until| {
        buckets.partition_point(|(key, _)| *key <= until)
    });
    let mut all = Amount::default();
    for (_, amount) in buckets.get(begin..end).unwrap_or_default() {
        all.join(amount);
    }
    all
}
