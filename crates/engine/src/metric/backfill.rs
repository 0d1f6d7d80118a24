//! Back-fill: bases that a later text brought are counted again from the log, beside what is read until all of it is in.

use super::distinct::Sets;
use super::tally::{Metrics, Tally};
use crate::calendar::{day_number, day_of};
use crate::stored::stored_struct;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeMap;

/// Marks the different values that are counted again, beside those that are read.
const AGAIN: char = '~';

/// What the log tells of bases that a later text brought. Facts that come in meanwhile are counted here too, so that it
/// takes the place of what was counted since the text took effect.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Backfill {
    /// Facts of the log up to this position are in it, or told nothing.
    pub reached: u64,
    /// The latest time that they told: under the log clock a fact without one happened then.
    pub(crate) told_at: Option<Timestamp>,
    /// By basis.
    pub(crate) tallies: BTreeMap<Box<str>, Tally>,
}
stored_struct!(Backfill {
    reached,
    told_at,
    tallies
});

/// The place of a basis among different values, while it is counted again.
pub(super) fn again(basis: &str) -> Box<str> {
    format!("{AGAIN}{basis}").into()
}

impl Metrics {
    /// Whether the log is still to be read for bases that a later text brought.
    pub fn is_backfilling(&self) -> bool {
        self.backfill.is_some()
    }

    /// Begins to count bases again from the log; nothing of it is known yet.
    pub(crate) fn begin_backfill(&mut self, bases: impl Iterator<Item = Box<str>>) {
        let tallies: BTreeMap<Box<str>, Tally> =
            bases.map(|basis| (basis, Tally::default())).collect();
        self.backfill = (!tallies.is_empty()).then(|| Backfill {
            tallies,
            ..Backfill::default()
        });
    }

    /// The log was read: what it told takes the place of what was counted. `kept_from`: since when the log is kept; none:
    /// from its beginning, so that such a basis is covered as one that was there from the first day.
    pub(crate) fn end_backfill(
        &mut self,
        sets: &mut Sets,
        (kept_from, zone): (Option<Timestamp>, &TimeZone),
    ) {
        let Some(backfill) = self.backfill.take() else {
            return;
        };
        let kept_on = kept_from.map(|at| day_of(at, zone));
        // An account that began after that day lost nothing.
        let kept_on = kept_on.filter(|day| self.coverage.first_on.is_none_or(|on| on <= *day));
        let from = kept_on.and_then(|day| day.checked_add(1.day()).ok());
        for (basis, tally) in backfill.tallies {
            let values = sets.values.remove(&again(&basis));
            let covered = self.coverage.covered_from.get(&basis);
            let is_worse = from.is_some_and(|from| {
                covered.is_none_or(|known| day_number(*known) <= day_number(from))
            });
            if is_worse {
                continue;
            }
            match from {
                Some(from) => self.coverage.covered_from.insert(basis.clone(), from),
                None => self.coverage.covered_from.remove(&basis),
            };
            match values {
                Some(values) => sets.values.insert(basis.clone(), values),
                None => sets.values.remove(&basis),
            };
            self.tallies.insert(basis, tally);
        }
    }
}

impl Sets {
    /// Drops different values that were counted again.
    pub(crate) fn forget_again(&mut self) {
        self.values.retain(|basis, _| !basis.starts_with(AGAIN));
    }

    /// The same of some bases only.
    pub(crate) fn forget_again_of(&mut self, is_one: impl Fn(&str) -> bool) {
        self.values
            .retain(|basis, _| !basis.strip_prefix(AGAIN).is_some_and(&is_one));
    }
}
