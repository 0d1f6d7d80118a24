//! What depends on the time that passes: days, working days, hours, calendar periods.

use super::reading::Reading;
use super::scene::Scene;
use crate::calendar::{business_days_between, day_number, period_bounds};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{Decimal, Value};
use workflow::program::{Expr, PeriodUnit, PeriodWhich};

/// Nanoseconds in a millionth of an hour.
const STEP: i128 = 3_600_000;

/// Hours from `from` to `until`, whole millionths, the rest let fall: so it reaches a bound exactly when the time has passed.
pub(crate) fn hours_between(from: Timestamp, until: Timestamp) -> Option<Decimal> {
    let elapsed = until.as_nanosecond() - from.as_nanosecond();
    let millionths = elapsed.div_euclid(STEP);
    i64::try_from(millionths).ok().map(Decimal::from_millionths)
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
