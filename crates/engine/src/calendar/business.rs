//! Working days: weekdays of the calendar that are no holiday.

use super::day::{day_number, from_number};
use jiff::civil::Date;
use std::ops::Bound;
use workflow::program::Calendar;

/// How far the first look at days ahead goes.
const STRIDE: i32 = 8;

/// Whether people work on this day.
pub fn is_business_day(calendar: &Calendar, day: Date) -> bool {
    is_business_weekday(calendar, day) && !calendar.holidays.contains_key(&day)
}

/// Whether people work on this weekday.
fn is_business_weekday(calendar: &Calendar, day: Date) -> bool {
    let index = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0);
    calendar.business_days[index]
}

/// Working days after `from` up to and including `until`; negative when `until` is the earlier one.
pub fn business_days_between(calendar: &Calendar, from: Date, until: Date) -> i32 {
    if until < from {
        return -business_days_between(calendar, until, from);
    }
    let holidays = calendar
        .holidays
        .range((Bound::Excluded(from), Bound::Included(until)))
        .filter(|(day, _)| is_business_weekday(calendar, **day))
        .count();
    weekdays_up_to(calendar, until)
        - weekdays_up_to(calendar, from)
        - i32::try_from(holidays).unwrap_or(i32::MAX)
}

/// Working weekdays from a fixed Monday long ago up to and including `day`; meaningful as a difference.
fn weekdays_up_to(calendar: &Calendar, day: Date) -> i32 {
    let in_week = calendar.business_days.iter().filter(|on| **on).count();
    // 1970-01-01 was a Thursday: three days after a Monday.
    let number = day_number(day) + 3;
    let begun = usize::try_from(number.rem_euclid(7)).unwrap_or(0);
    let part = calendar.business_days[..=begun]
        .iter()
        .filter(|on| **on)
        .count();
    number.div_euclid(7) * i32::try_from(in_week).unwrap_or(0) + i32::try_from(part).unwrap_or(0)
}

/// The first day by which `count` working days have passed after `day` (before it, where `count` is negative:
/// the last day from which so many working days lie ahead, `day` not counted). `None` where there is no such day.
pub fn shift_business_days(calendar: &Calendar, day: Date, count: i64) -> Option<Date> {
    if count == 0 {
        return Some(day);
    }
    if !calendar.business_days.contains(&true) {
        return None;
    }
    if count > 0 {
        first_number(day_number(day), |other| {
            i64::from(business_days_between(calendar, day, other)) >= count
        })
    } else {
        shift_back(calendar, day, count.checked_neg()?)
    }
}

/// The smallest day after `low` for which `holds`, which once true stays true.
fn first_number(low: i32, holds: impl Fn(Date) -> bool) -> Option<Date> {
    let mut low = low;
    let last = day_number(Date::MAX);
    // Nearly always it is near: strides that double find a day for which it holds, and nobody counts to the end of time.
    let mut stride = STRIDE;
    let mut high = loop {
        let high = low.saturating_add(stride).min(last);
        if holds(from_number(high)?) {
            break high;
        }
        if high == last {
            return None;
        }
        low = high;
        stride = stride.saturating_mul(2);
    };
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(from_number(middle)?) {
            high = middle;
        } else {
            low = middle;
        }
    }
    from_number(high)
}

/// The `count`-th working day before `day`.
fn shift_back(calendar: &Calendar, day: Date, count: i64) -> Option<Date> {
    // Working days in `other..day`, both the earlier included and the later left out.
    let passed = |other: Date| {
        let before = other.yesterday().ok()?;
        let eve = day.yesterday().ok()?;
        Some(i64::from(business_days_between(calendar, before, eve)))
    };
    let first = day_number(Date::MIN) + 1;
    let mut high = day_number(day);
    let mut stride = STRIDE;
    let mut low = loop {
        let low = high.saturating_sub(stride).max(first);
        if passed(from_number(low)?)? >= count {
            break low;
        }
        if low == first {
            return None;
        }
        high = low;
        stride = stride.saturating_mul(2);
    };
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if passed(from_number(middle)?)? >= count {
            low = middle;
        } else {
            high = middle;
        }
    }
    from_number(low)
}
