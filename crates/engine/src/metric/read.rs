//! What a metric gives at an instant: its window, what the tally holds of it, and whether absence there proves anything.

use super::tally::Tally;
use crate::calendar::{day_number, hour_of};
use crate::evaluate::{Reading, Scene};
use model::{Decimal, Value};
use workflow::program::{Aggregate, Metric, Reduce, Source, Type, Window};

/// A window as it lies at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// From a day on; for the window before the present one also up to a day.
    Days(i32, Option<i32>),
    /// From an hour on, likewise.
    Hours(i64, Option<i64>),
    /// All time.
    Ever,
}

/// From when absence proves something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Covered {
    /// From ever.
    Ever,
    /// From a day on.
    From(i32),
    /// Never.
    Never,
}

const HOUR: i64 = 3_600;

impl Scene<'_> {
    /// What events come to over the present window.
    pub(crate) fn aggregate(&self, aggregate: &Aggregate, ty: &Type) -> Reading {
        match self.span(aggregate, false) {
            Some(span) => self.over_span(aggregate, span, ty),
            None => Reading::Unknown,
        }
    }

    /// `previous(m)`: over the window just before the present one. Only windows of a length have one, and only counts, sums,
    /// averages, least and greatest values are kept for it.
    pub(crate) fn previous(&self, index: usize) -> Reading {
        let Some((metric, aggregate)) = self.trended(index) else {
            return Reading::Unknown;
        };
        match self.span(aggregate, true) {
            Some(span) => self.over_span(aggregate, span, &metric.ty),
            None => Reading::Unknown,
        }
    }

    /// `change(m)`: (now - previous) / previous; unknown where a window is not covered or the account is younger than both.
    pub(crate) fn change(&self, index: usize) -> Reading {
        let Some((metric, aggregate)) = self.trended(index) else {
            return Reading::Unknown;
        };
        let Some(span) = self.span(aggregate, true) else {
            return Reading::Unknown;
        };
        if !self.is_covered(aggregate, span) || self.is_younger(span) {
            return Reading::Unknown;
        }
        let now = self.metric(index).value().as_ref().and_then(Value::decimal);
        let before = self.over_span(aggregate, span, &metric.ty).value();
        let change = || {
            let before = before.as_ref()?.decimal()?;
            now?.sub(before)?.div(before).map(Value::Percent)
        };
        Reading::of_value(change())
    }

    /// The metric and its events, where a trend can be told: it is not held fast.
    pub(crate) fn trended(&self, index: usize) -> Option<(&Metric, &Aggregate)> {
        let metric = self.program.metrics.get(index)?;
        if self.known.pin(&metric.name).is_some() {
            return None;
        }
        match &metric.source {
            Source::Events(aggregate) => Some((metric, aggregate)),
            Source::Formula(_) => None,
        }
    }

    /// The window as it lies now; none: the day it begins is unknown, or there is no window before it.
    pub(crate) fn span(&self, aggregate: &Aggregate, is_before: bool) -> Option<Span> {
        let today = day_number(self.today());
        match (&aggregate.window, is_before) {
            (Window::Days(days), false) => Some(Span::Days(today - i32::from(*days) + 1, None)),
            (Window::Days(days), true) => {
                let until = today - i32::from(*days);
                Some(Span::Days(until - i32::from(*days) + 1, Some(until)))
            }
            (Window::Hours(hours), _) => {
                let hour = hour_of(self.now(), self.zone);
                let length = i64::from(*hours) * HOUR;
                Some(if is_before {
                    Span::Hours(hour - 2 * length + HOUR, Some(hour - length))
                } else {
                    Span::Hours(hour - length + HOUR, None)
                })
            }
            (Window::Since(since), false) => {
                let day = self.of_definitions().reading(since).value()?;
                Some(Span::Days(day_number(self.day_of_value(&day)?), None))
            }
            (Window::Ever, false) => Some(Span::Ever),
            (Window::Since(_) | Window::Ever, true) => None,
        }
    }

    /// From when absence of an event proves something.
    pub(crate) fn covered(&self, aggregate: &Aggregate) -> Covered {
        let coverage = self.known.coverage();
        let complete = &self.program.complete_since;
        let is_engine = self
            .program
            .schema
            .events
            .get(&aggregate.event)
            .is_some_and(|event| event.is_engine);
        let told = if is_engine || coverage.is_whole {
            Covered::Ever
        } else {
            complete
                .events
                .get(&aggregate.event)
                .or(complete.all.as_ref())
                .or_else(|| coverage.seen_on.get(&aggregate.event))
                .map_or(Covered::Never, |day| Covered::From(day_number(*day)))
        };
        // A metric that a later text brought does not know what came before, whoever tells it.
        let added = coverage
            .covered_from
            .get(&aggregate.basis)
            .map(|day| day_number(*day));
        match (told, added) {
            (Covered::From(day), Some(added)) => Covered::From(day.max(added)),
            (Covered::Ever, Some(added)) => Covered::From(added),
            (Covered::Never, Some(_))
            | (Covered::Ever | Covered::From(_) | Covered::Never, None) => told,
        }
    }

    /// Whether absence in a window proves something.
    pub(crate) fn is_covered(&self, aggregate: &Aggregate, span: Span) -> bool {
        let coverage = self.known.coverage();
        match (self.covered(aggregate), span) {
            (Covered::Ever, _) => true,
            (Covered::Never, _) => false,
            (Covered::From(day), Span::Days(from, _)) => day <= from,
            (Covered::From(day), Span::Hours(from, _)) => self
                .start_of_number(day)
                .is_some_and(|start| start.as_second() <= from),
            (Covered::From(day), Span::Ever) => {
                let first = coverage.first_on.map(day_number);
                !coverage.began_in_history && first.is_some_and(|first| day <= first)
            }
        }
    }

    /// Whether the account began after the first day of a window.
    pub(crate) fn is_younger(&self, span: Span) -> bool {
        let coverage = self.known.coverage();
        if coverage.is_whole {
            return false;
        }
        let Some(first) = coverage.first_on else {
            return true;
        };
        match span {
            Span::Days(from, _) => day_number(first) > from,
            Span::Hours(from, _) => self.start_of(first).as_second() > from,
            Span::Ever => false,
        }
    }

    /// What events come to over a window.
    fn over_span(&self, aggregate: &Aggregate, span: Span, ty: &Type) -> Reading {
        let none = Tally::default();
        let tally = self.known.tally(&aggregate.basis).unwrap_or(&none);
        let is_covered = self.is_covered(aggregate, span);
        match &aggregate.how {
            Reduce::Count | Reduce::CountDistinct(_) => {
                match count(tally, aggregate, span, day_number(self.today())) {
                    Some((count, is_whole)) => {
                        let count = Decimal::from_count(count);
                        if (is_covered && is_whole) || self.is_as_seen {
                            Reading::Known(Value::Number(count))
                        } else {
                            Reading::AtLeast(count)
                        }
                    }
                    None => Reading::Unknown,
                }
            }
            Reduce::Sum(_) | Reduce::Average(_) | Reduce::Min(_) | Reduce::Max(_) => {
                let result = amount(tally, &aggregate.how, span, is_covered);
                Reading::of_value(result.map(|result| crate::evaluate::typed(result, ty)))
            }
            Reduce::Latest | Reduce::Earliest => match moment(tally, &aggregate.how, span) {
                Some(value) => Reading::Known(value),
                None if is_covered && !is_dropped(tally, span) => Reading::Unknown,
                None => Reading::Unseen,
            },
        }
    }
}

/// Whether a window reaches back to days that had to be dropped.
fn is_dropped(tally: &Tally, span: Span) -> bool {
    match span {
        Span::Days(from, _) => tally.dropped_until.is_some_and(|dropped| dropped >= from),
        Span::Hours(..) | Span::Ever => false,
    }
}

/// How many events or different values a window holds, and whether that is all of them.
fn count(tally: &Tally, aggregate: &Aggregate, span: Span, today: i32) -> Option<(u32, bool)> {
    let is_distinct = matches!(aggregate.how, Reduce::CountDistinct(_));
    let refused = |from: i32| tally.refused_on.is_some_and(|day| day >= from);
    Some(match (span, is_distinct) {
        (Span::Days(from, until), false) => {
            (tally.over_days(from, until).count, !is_dropped(tally, span))
        }
        (Span::Hours(from, until), false) => (tally.over_hours(from, until).count, true),
        (Span::Ever, false) => (tally.ever.count, true),
        (Span::Days(from, None), true) => (tally.distinct_from(from), !refused(from)),
        (Span::Days(from, Some(until)), true) => {
            let days = u16::try_from(until - from + 1).ok()?;
            (tally.distinct_before(days, today)?, !refused(from))
        }
        (Span::Hours(from, None), true) => {
            (tally.distinct_from_hour(from), tally.refused_on.is_none())
        }
        (Span::Hours(_, Some(_)), true) => return None,
        (Span::Ever, true) => (tally.distinct_from(i32::MIN), tally.refused_on.is_none()),
    })
}

/// A sum, average, least or greatest value over a window: of what was seen, but for a sum, which wants all.
fn amount(tally: &Tally, how: &Reduce, span: Span, is_covered: bool) -> Option<Decimal> {
    let over = match span {
        Span::Days(from, until) => tally.over_days(from, until),
        Span::Hours(from, until) => tally.over_hours(from, until),
        Span::Ever => tally.ever.clone(),
    };
    let is_whole = is_covered && !is_dropped(tally, span);
    match (how, over.values) {
        (Reduce::Sum(_), None) => is_whole.then_some(Decimal::ZERO),
        (Reduce::Sum(_), Some(values)) => values.sum.decimal().filter(|_| is_whole),
        (Reduce::Average(_), Some(values)) => values.sum.over(values.count),
        (Reduce::Min(_), Some(values)) => Some(values.least),
        (Reduce::Max(_), Some(values)) => Some(values.greatest),
        (
            Reduce::Average(_)
            | Reduce::Min(_)
            | Reduce::Max(_)
            | Reduce::Count
            | Reduce::CountDistinct(_)
            | Reduce::Latest
            | Reduce::Earliest,
            _,
        ) => None,
    }
}

/// When the latest or earliest event of a window happened.
fn moment(tally: &Tally, how: &Reduce, span: Span) -> Option<Value> {
    let is_latest = matches!(how, Reduce::Latest);
    let at = match (span, is_latest) {
        (Span::Days(from, None), true) => tally.newest.filter(|newest| newest.day >= from)?.at,
        (Span::Hours(from, None), true) => tally.newest.filter(|newest| newest.hour >= from)?.at,
        (Span::Ever, true) => tally.newest?.at,
        (Span::Days(from, None), false) => {
            if is_dropped(tally, span) {
                return None;
            }
            tally
                .firsts
                .get(tally.firsts.partition_point(|(day, _)| *day < from))?
                .1
        }
        (Span::Ever, false) => tally.oldest_at?,
        // Not kept.
        (Span::Hours(..), false) | (Span::Days(_, Some(_)) | Span::Hours(_, Some(_)), _) => {
            return None;
        }
    };
    Some(Value::Time(at))
}
