//! What must be kept of events now and was not: until the back-fill is done its counts are only lower bounds (engine.md, 6).

use crate::account::Account;
use crate::calendar::day_number;
use crate::metric::{Need, Plan};
use crate::turn::{is_answered, is_recorded};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use workflow::Program;

/// What must be kept of events now and was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cover {
    /// Bases that were not kept at all, or differently.
    pub(crate) new: BTreeSet<Box<str>>,
    /// Bases of which only so many days were kept, and now more are.
    pub(crate) longer: BTreeMap<Box<str>, i32>,
    /// Bases that nobody asks for any more.
    lost: BTreeSet<Box<str>>,
    /// Those of the new and widened ones that the log can tell, or the journal of the engine's own events, or both of answers.
    told: BTreeSet<Box<str>>,
}

/// What is missing of a basis.
enum Missing {
    Nothing,
    Before(i32),
    All,
}

impl Cover {
    /// Compares what two texts keep. Without the one before nothing is known to be missing.
    pub(super) fn between(old: Option<&Program>, new: &Program) -> Self {
        let Some(old) = old else {
            return Self::default();
        };
        let events = &new.schema.events;
        let is_own = |event: &str| events.get(event).is_none_or(|event| event.is_engine);
        let (old, new) = (Plan::of(old), Plan::of(new));
        let mut cover = Self::default();
        for (basis, need) in &new.bases {
            match old
                .bases
                .get(basis)
                .map_or(Missing::All, |kept| missing(kept, need))
            {
                Missing::Nothing => {}
                Missing::Before(days) => {
                    cover.longer.insert(basis.clone(), days);
                }
                Missing::All => {
                    cover.new.insert(basis.clone());
                }
            }
        }
        let changed = cover.new.iter().chain(cover.longer.keys());
        let told = changed.filter(|basis| {
            let need = new.bases.get(*basis);
            need.is_some_and(|need| {
                let event = &need.event;
                !is_own(event) || is_recorded(event) || is_answered(event)
            })
        });
        cover.told = told.cloned().collect();
        let lost = old
            .bases
            .keys()
            .filter(|basis| !new.bases.contains_key(*basis));
        cover.lost = lost.cloned().collect();
        cover
    }

    /// Brings an account over whose civil day is `today`: what began in the middle of a day is whole from the next one on.
    pub(crate) fn apply(&self, account: &mut Account, today: Date) {
        let metrics = &mut account.head.metrics;
        for basis in self.lost.iter().chain(&self.new) {
            metrics.tallies.remove(basis);
            metrics.coverage.covered_from.remove(basis);
        }
        if !account.parts.sets().is_empty() {
            let values = &mut account.parts.sets_mut().values;
            for basis in self.lost.iter().chain(&self.new) {
                values.remove(basis);
            }
        }
        if let Ok(tomorrow) = today.checked_add(1.day()) {
            for basis in &self.new {
                metrics
                    .coverage
                    .covered_from
                    .insert(basis.clone(), tomorrow);
            }
        }
        for (basis, days) in &self.longer {
            let Ok(from) = today.checked_sub((*days - 1).max(0).days()) else {
                continue;
            };
            let covered = &mut metrics.coverage.covered_from;
            let later = covered
                .get(basis)
                .is_none_or(|known| day_number(*known) < day_number(from));
            if later {
                covered.insert(basis.clone(), from);
            }
        }
        self.begin_backfill(account);
    }

    /// What the log can tell is counted again from its beginning; so is what an earlier text began and did not end.
    fn begin_backfill(&self, account: &mut Account) {
        let metrics = &mut account.head.metrics;
        let begun = metrics.backfill.take();
        let is_begun = begun.is_some();
        let bases = begun
            .into_iter()
            .flat_map(|begun| begun.tallies.into_keys());
        let bases = bases.filter(|basis| !self.lost.contains(basis) && !self.new.contains(basis));
        let bases: BTreeSet<Box<str>> = bases.chain(self.told.iter().cloned()).collect();
        metrics.begin_backfill(bases.into_iter());
        if is_begun {
            account.parts.forget_backfill();
        }
    }
}

fn missing(kept: &Need, need: &Need) -> Missing {
    let (had, has) = (&kept.keep, &need.keep);
    let is_other = kept.amount != need.amount
        || kept.distinct != need.distinct
        || has.hours > had.hours
        || (has.has_firsts && !had.has_firsts)
        || !has.before.is_subset(&had.before);
    if is_other {
        Missing::All
    } else if !had.is_since && (has.is_since || has.days > had.days) {
        Missing::Before(had.days)
    } else {
        Missing::Nothing
    }
}
