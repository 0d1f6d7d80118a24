//! Lengths of time, windows around a date, and the calendar's weeks, months, quarters and years.

use super::business::shift_business_days;
use super::day::{at_time, day_number, from_number, start_of};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use workflow::program::{AtWindow, Calendar, Period, PeriodUnit, PeriodWhich};

/// `at` and then `period`: seconds are exact, days keep the wall clock time. `None` past the end of the calendar.
pub fn add(
    calendar: &Calendar,
    at: Timestamp,
    period: Period,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let civil = zone.to_datetime(at);
    let moved = match period {
        Period::Seconds(seconds) => {
            return at
                .checked_add(SignedDuration::from_secs(i64::from(seconds)))
                .ok();
        }
        Period::Days(0) | Period::BusinessDays(0) => return Some(at),
        Period::Days(days) => {
            from_number(day_number(civil.date()).checked_add(i32::try_from(days).ok()?)?)?
        }
        Period::BusinessDays(days) => shift_business_days(calendar, civil.date(), i64::from(days))?,
    };
    // A later wall clock day never comes before the instant it is counted from, whatever a zone does to its clocks.
    Some(at_time(moved, civil.time(), zone).max(at))
}

/// The window of a step's `at` around `date`: from the start of its first day, until the end of its last, excluded.
pub fn at_window(
    calendar: &Calendar,
    window: &AtWindow,
    date: Date,
    zone: &TimeZone,
) -> Option<(Timestamp, Timestamp)> {
    let shifted = |days: i32| {
        if window.is_business {
            shift_business_days(calendar, date, i64::from(days))
        } else {
            from_number(day_number(date).checked_add(days)?)
        }
    };
    let first = shifted(window.opens)?;
    let last = shifted(window.closes)?;
    Some((start_of(first, zone), start_of(last.tomorrow().ok()?, zone)))
}

/// The first day of the asked period, and the first day after it. Weeks begin on Monday; quarters and years are fiscal.
pub fn period_bounds(
    calendar: &Calendar,
    today: Date,
    which: PeriodWhich,
    unit: PeriodUnit,
) -> Option<(Date, Date)> {
    let shift = match which {
        PeriodWhich::Last => -1,
        PeriodWhich::This => 0,
        PeriodWhich::Next => 1,
    };
    let months = match unit {
        PeriodUnit::Week => {
            let monday = day_number(today) - i32::from(today.weekday().to_monday_zero_offset());
            let first = monday + 7 * shift;
            return Some((from_number(first)?, from_number(first + 7)?));
        }
        PeriodUnit::Month => 1,
        PeriodUnit::Quarter => 3,
        PeriodUnit::Year => 12,
    };
    // Months counted from the fiscal year's first, so that quarters and years are whole multiples.
    let fiscal = i32::from(calendar.fiscal_year_starts) - 1;
    let month = i32::from(today.year()) * 12 + i32::from(today.month()) - 1 - fiscal;
    let first = (month.div_euclid(months) + shift) * months + fiscal;
    Some((first_of_month(first)?, first_of_month(first + months)?))
}

/// The first day of the month counted from year 0.
fn first_of_month(month: i32) -> Option<Date> {
    let year = i16::try_from(month.div_euclid(12)).ok()?;
    Date::new(year, i8::try_from(month.rem_euclid(12)).ok()? + 1, 1).ok()
}
