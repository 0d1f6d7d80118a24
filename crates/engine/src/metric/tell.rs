//! What one event tells the metrics.

use super::backfill::again;
use super::distinct::{Sets, Values};
use super::plan::{Keep, Need, Plan, Watch};
use super::tally::{Metrics, Moment, Tally};
use crate::calendar::{day_number, day_of, hour_of};
use crate::evaluate::Scene;
use jiff::Timestamp;
use model::{Decimal, Value};

/// What one event tells one basis: all that folding needs, read from the account as it stood.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The basis.
    pub basis: Box<str>,
    /// Whether different values are counted, so that [`Told::fold`] needs the part `sets`.
    pub needs_sets: bool,
    distinct: Option<u64>,
    moment: Moment,
    amount: Option<Decimal>,
    today: i32,
    this_hour: i64,
    keep: Keep,
    watch: Watch,
}

/// What an event of type `kind` that happened at `at` tells; its fields are the scene's event, `where` is asked now.
pub fn tell(scene: &Scene<'_>, plan: &Plan, kind: &str, at: Timestamp) -> Vec<Told> {
    let bases = plan.by_event.get(kind).map_or(&[][..], Vec::as_slice);
    bases
        .iter()
        .filter_map(|basis| Some((basis, plan.bases.get(basis)?)))
        .filter(|(_, need)| is_meant(scene, need))
        .map(|(basis, need)| {
            let field = |name: &Option<Box<str>>| scene.event?.get(name.as_ref()?);
            Told {
                basis: basis.clone(),
                needs_sets: need.distinct.is_some(),
                distinct: field(&need.distinct).map(hash),
                moment: Moment {
                    at,
                    day: day_number(day_of(at, scene.zone)),
                    hour: hour_of(at, scene.zone),
                },
                amount: field(&need.amount).and_then(Value::decimal),
                today: day_number(scene.today()),
                this_hour: hour_of(scene.now(), scene.zone),
                keep: need.keep.clone(),
                watch: need.watch,
            }
        })
        .collect()
}

/// Whether the basis takes the event: an unknown `where` does not.
fn is_meant(scene: &Scene<'_>, need: &Need) -> bool {
    match &need.condition {
        Some(condition) => scene.of_event().is_true(condition),
        None => true,
    }
}

/// A value's place among different ones.
fn hash(value: &Value) -> u64 {
    let digest = match value.text() {
        Some(text) => model::id::digest(&[text]),
        None => model::id::digest(&[&value.to_json().to_string()]),
    };
    let mut head = [0; 8];
    head.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(head)
}

impl Told {
    /// Folds it in, in the part `sets` too where it is needed; gives whether a condition may notice.
    pub fn fold(&self, metrics: &mut Metrics, sets: &mut Sets) -> bool {
        self.fold_again(metrics, sets);
        let tally = metrics.tallies.entry(self.basis.clone()).or_default();
        self.add(tally, (sets, &self.basis))
    }

    /// Folds it into what is counted again from the log, if its basis is.
    fn fold_again(&self, metrics: &mut Metrics, sets: &mut Sets) {
        let backfill = metrics.backfill.as_mut();
        if let Some(tally) = backfill.and_then(|backfill| backfill.tallies.get_mut(&self.basis)) {
            self.add(tally, (sets, &again(&self.basis)));
        }
    }

    /// The same for a fact of the log: a different value that no window reaches any more takes nobody's place.
    pub(crate) fn backfill(&self, metrics: &mut Metrics, sets: &mut Sets) {
        let hour_days = i32::try_from(self.keep.hours / 24).unwrap_or(0);
        let oldest = self.today - self.keep.days.max(hour_days) - 3;
        if self.keep.is_since || self.moment.day > oldest {
            self.fold_again(metrics, sets);
        } else {
            let told = Self {
                distinct: None,
                ..self.clone()
            };
            told.fold_again(metrics, sets);
        }
    }

    fn add(&self, tally: &mut Tally, (sets, basis): (&mut Sets, &str)) -> bool {
        let before = (
            tally.newest,
            tally.oldest_at,
            tally.first_on(self.moment.day),
        );
        tally.add(self.moment, self.amount, &self.keep);
        let after = (
            tally.newest,
            tally.oldest_at,
            tally.first_on(self.moment.day),
        );
        let is_noticed = self.watch.each
            || (self.watch.newest && before.0 != after.0)
            || (self.watch.first && (before.1, before.2) != (after.1, after.2));
        tally.prune(self.today, self.this_hour, &self.keep);
        let Some(hash) = self.distinct else {
            return is_noticed;
        };
        let values: &mut Values = sets.values.entry(basis.into()).or_default();
        values.prune(self.today, &self.keep, tally);
        let is_new = values.add(hash, self.moment, &self.keep, tally);
        is_noticed || (self.watch.distinct && is_new)
    }

    /// Takes it out of its day's counts and sums again, as for a message that expired. A latest or earliest moment, a least or
    /// greatest value and different values stay: nobody keeps what they hid.
    pub fn retract(&self, metrics: &mut Metrics) -> bool {
        let tally = metrics.tallies.get_mut(&self.basis);
        tally.is_some_and(|tally| tally.take(self.moment, self.amount))
    }

    /// The same for what is counted again only.
    pub(crate) fn retract_again(&self, metrics: &mut Metrics) {
        let backfill = metrics.backfill.as_mut();
        if let Some(tally) = backfill.and_then(|backfill| backfill.tallies.get_mut(&self.basis)) {
            tally.take(self.moment, self.amount);
        }
    }
}
