//! Different values over windows: by value the days on which it was seen.
//!
//! The values themselves lie in a part of their own, touched only when an event of the basis comes in. What an evaluation
//! needs is in the [`Tally`]: how many values were last seen on each day, and for the window before the present one
//! from which day on it holds so many more or fewer.

use super::plan::Keep;
use super::tally::{Moment, Tally, shift};
use crate::stored::stored_struct;
use std::collections::BTreeMap;

/// How many different values are kept of one basis. Beyond, new ones are not taken in, and the count is *at least* so many.
pub const DISTINCT_VALUES_MAX: usize = 10_000;

/// The values of all bases that count different ones. The part `sets`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sets {
    /// By basis.
    pub values: BTreeMap<Box<str>, Values>,
}
stored_struct!(Sets { values });

impl Sets {
    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many values are kept.
    pub(crate) fn len(&self) -> usize {
        self.values.values().map(|values| values.seen.len()).sum()
    }
}

/// The values of one basis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    /// By hash of the value.
    seen: BTreeMap<u64, Seen>,
    /// The day on which values that no window reaches any more were last dropped.
    pruned_on: i32,
}
stored_struct!(Values { seen, pruned_on });

/// When one value was seen.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    /// The last day.
    day: i32,
    /// The last hour, where an hour window asks for it.
    hour: i64,
    /// Bit k of the whole: seen k days before the last day; only so many as windows ask for.
    bits: Vec<u64>,
}
stored_struct!(Seen { day, hour, bits });

impl Values {
    /// A value was seen; keeps the tally in step. Gives whether anything changed.
    pub(crate) fn add(
        &mut self,
        hash: u64,
        moment: Moment,
        keep: &Keep,
        tally: &mut Tally,
    ) -> bool {
        if !self.seen.contains_key(&hash) && self.seen.len() >= DISTINCT_VALUES_MAX {
            let before = tally.refused_on;
            tally.refused_on = before.max(Some(moment.day));
            return tally.refused_on != before;
        }
        let before = self.seen.get(&hash).cloned();
        let after = match &before {
            Some(seen) => seen.with(moment, keep),
            None => Seen::first(moment, keep),
        };
        if before.as_ref() == Some(&after) {
            return false;
        }
        if let Some(before) = &before {
            before.note(tally, keep, -1);
        }
        after.note(tally, keep, 1);
        self.seen.insert(hash, after);
        true
    }

    /// Drops values that no window reaches any more, at most once a day.
    pub(crate) fn prune(&mut self, today: i32, keep: &Keep, tally: &mut Tally) {
        if keep.is_since || self.pruned_on == today {
            return;
        }
        self.pruned_on = today;
        let hour_days = i32::try_from(keep.hours / 24).unwrap_or(0);
        // Three days of slack: a move of the account to another zone may turn the day back.
        let oldest = today - keep.days.max(hour_days) - 3;
        self.seen.retain(|_, seen| {
            if seen.day <= oldest {
                seen.note(tally, keep, -1);
            }
            seen.day > oldest
        });
        for steps in tally.before.values_mut() {
            settle(steps, today - 3);
        }
    }
}

/// Draws steps up to a day together: nobody asks for what came before.
fn settle(steps: &mut Vec<(i32, i32)>, until: i32) {
    let end = steps.partition_point(|(day, _)| *day <= until);
    let sum: i32 = steps.drain(..end).map(|(_, more)| more).sum();
    if sum != 0 {
        steps.insert(0, (until, sum));
    }
}

impl Seen {
    fn first(moment: Moment, keep: &Keep) -> Self {
        Self {
            day: moment.day,
            hour: if keep.hours > 0 { moment.hour } else { 0 },
            bits: if keep.before.is_empty() {
                Vec::new()
            } else {
                vec![1]
            },
        }
    }

    /// The same, seen once more.
    fn with(&self, moment: Moment, keep: &Keep) -> Self {
        let hour = if keep.hours > 0 {
            self.hour.max(moment.hour)
        } else {
            0
        };
        let day = self.day.max(moment.day);
        let mut days = self.days();
        if !keep.before.is_empty() && !days.contains(&moment.day) {
            days.push(moment.day);
        }
        let mut bits: Vec<u64> = Vec::new();
        for back in days.into_iter().map(|seen| day - seen) {
            if back > keep.days + 2 {
                continue;
            }
            let (word, bit) = (usize::try_from(back / 64).unwrap_or(0), back % 64);
            if bits.len() <= word {
                bits.resize(word + 1, 0);
            }
            bits[word] |= 1 << bit;
        }
        Self { day, hour, bits }
    }

    /// The days on which it was seen, as far as they are kept, from the last one backwards.
    fn days(&self) -> Vec<i32> {
        let words = self.bits.iter().zip(0i32..);
        words
            .flat_map(|(word, index)| {
                let set = (0..64).filter(move |bit| word >> bit & 1 == 1);
                set.map(move |bit| self.day - index * 64 - bit)
            })
            .collect()
    }

    /// Adds to the tally what this value contributes, or takes it away.
    fn note(&self, tally: &mut Tally, keep: &Keep, by: i32) {
        shift(&mut tally.lasts, self.day, by);
        if keep.hours > 0 {
            shift(&mut tally.last_hours, self.hour, by);
        }
        for window in &keep.before {
            let steps = tally.before.entry(*window).or_default();
            for (from, until) in self.spans_before(i32::from(*window)) {
                shift(steps, from, by);
                shift(steps, until, -by);
            }
        }
    }

    /// The spans of days, the end left out, as of which the window before the present one holds this value: a day seen
    /// lies in it from `window` days later on, for as many days.
    fn spans_before(&self, window: i32) -> Vec<(i32, i32)> {
        let mut spans: Vec<(i32, i32)> = Vec::new();
        for day in self.days().into_iter().rev() {
            let (from, until) = (day + window, day + 2 * window);
            match spans.last_mut() {
                Some(last) if from <= last.1 => last.1 = until,
                Some(_) | None => spans.push((from, until)),
            }
        }
        spans
    }
}
