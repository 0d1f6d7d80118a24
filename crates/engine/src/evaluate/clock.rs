//! What depends on the time that passes: days, working days, hours, calendar periods.

use super::reading::Reading;
use super::scene::Scene;
use crate::calendar::{business_days_between, day_number, period_bounds};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{Decimal, Value};
use workflow::program::{Expr, PeriodUnit, PeriodWhich};

/// Nanoseconds in a minute.
const MINUTE: i128 = 60_000_000_000;

/// The full minute at which the clock stands, counted from the epoch.
fn minute_of(at: Timestamp) -> i128 {
    at.as_nanosecond().div_euclid(MINUTE)
}

/// Where a clock without a second hand stands, in millionths of an hour since the epoch, rounded.
fn clock_hours(at: Timestamp) -> i128 {
    (minute_of(at) * 50_000 + 1).div_euclid(3)
}

/// Hours from `from` to `until` on a clock without a second hand. All hours step together, at full minutes, so that the
/// difference of two of them stays as it is.
pub(crate) fn hours_between(from: Timestamp, until: Timestamp) -> Option<Decimal> {
    let millionths = clock_hours(until) - clock_hours(from);
    i64::try_from(millionths).ok().map(Decimal::from_millionths)
}

/// The first instant at which so many hours have passed since another.
pub(crate) fn hours_reached(from: Timestamp, hours: Decimal) -> Option<Timestamp> {
    let reached = clock_hours(from).checked_add(i128::from(hours.millionths()))?;
    // The first minute whose rounded hours are no less.
    let minute = (reached * 3 + 49_998).div_euclid(50_000);
    Timestamp::from_nanosecond(minute.checked_mul(MINUTE)?).ok()
}

/// The next full minute.
pub(crate) fn minute_after(at: Timestamp) -> Option<Timestamp> {
    Timestamp::from_nanosecond((minute_of(at) + 1) * MINUTE).ok()
}

impl Scene<'_> {
    /// The civil day of a value, if it is one or an instant.
    pub(crate) fn day_of_value(&self, value: &Value) -> Option<Date> {
        match value {
            Value::Date(day) => Some(*day),
            Value::Time(at) => Some(self.day_of(*at)),
            Value::Bool(_)
            | Value::Number(_)
            | Value::Percent(_)
            | Value::Money(_)
            | Value::Text(_)
            | Value::Word(_) => None,
        }
    }

    /// What a function of the day of a date gives.
    pub(crate) fn of_day(&self, date: &Expr, of: impl Fn(Date) -> Option<Value>) -> Reading {
        match self.reading(date) {
            Reading::Known(value) => Reading::of_value(self.day_of_value(&value).and_then(of)),
            Reading::Unseen => Reading::Unseen,
            Reading::AtLeast(_) | Reading::Unknown => Reading::Unknown,
        }
    }

    /// Civil days from today to a date.
    pub(crate) fn days_until(&self, date: &Expr, sign: i64) -> Reading {
        self.of_day(date, |day| {
            let days = i64::from(day_number(day)) - i64::from(day_number(self.today));
            Decimal::from_int(sign * days).map(Value::Number)
        })
    }

    /// Working days from today to a date.
    pub(crate) fn business_days_until(&self, date: &Expr, sign: i64) -> Reading {
        self.of_day(date, |day| {
            let days = business_days_between(&self.program.calendar, self.today, day);
            Decimal::from_int(sign * i64::from(days)).map(Value::Number)
        })
    }

    /// Hours since an instant, or since a day began.
    pub(crate) fn hours_since(&self, time: &Expr) -> Reading {
        match self.reading(time) {
            Reading::Known(value) => {
                let from = self.instant_of_value(&value);
                let hours = from.and_then(|from| hours_between(from, self.now));
                Reading::of_value(hours.map(Value::Number))
            }
            Reading::Unseen => Reading::Unseen,
            Reading::AtLeast(_) | Reading::Unknown => Reading::Unknown,
        }
    }

    /// The instant of a value: a day counts from its beginning.
    pub(crate) fn instant_of_value(&self, value: &Value) -> Option<Timestamp> {
        match value {
            Value::Time(at) => Some(*at),
            Value::Date(day) => Some(self.start_of(*day)),
            Value::Bool(_)
            | Value::Number(_)
            | Value::Percent(_)
            | Value::Money(_)
            | Value::Text(_)
            | Value::Word(_) => None,
        }
    }

    /// Whether a date lies in this, the next or the last calendar period.
    pub(crate) fn in_period(&self, date: &Expr, which: PeriodWhich, unit: PeriodUnit) -> Reading {
        self.of_day(date, |day| {
            let (first, end) = period_bounds(&self.program.calendar, self.today, which, unit)?;
            Some(Value::Bool(first <= day && day < end))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_reached_at_the_first_minute_that_shows_them() {
        for seed in 0..2_000_i64 {
            let from = Timestamp::from_millisecond(1_700_000_000_000 + seed * 7_777_777)
                .expect("an instant of this age");
            let hours = Decimal::from_millionths(seed * 12_345 - 9_000_000);
            let at = hours_reached(from, hours).expect("an instant of this age");
            let before = Timestamp::from_nanosecond(at.as_nanosecond() - 1).expect("likewise");
            assert!(hours_between(from, at) >= Some(hours), "{from} {hours}");
            assert!(hours_between(from, before) < Some(hours), "{from} {hours}");
        }
    }

    #[test]
    fn whole_hours_pass_with_the_minute() {
        let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
        let from = at("2026-03-01T10:01:30.5Z");
        assert_eq!(
            hours_reached(from, Decimal::ONE),
            Some(at("2026-03-01T11:01:00Z"))
        );
        assert_eq!(hours_between(from, from), Some(Decimal::ZERO));
    }
}
