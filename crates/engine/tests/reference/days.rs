//! Civil time, written with `jiff` alone: days, working days, working hours, periods.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use workflow::program::{Calendar, DayOf, Days, Period, Schedule};

/// The instant of a wall clock; what is skipped moves forward, of what comes twice it is the first.
pub(crate) fn instant(civil: DateTime, zone: &TimeZone) -> Timestamp {
    let zoned = zone.to_ambiguous_zoned(civil).compatible();
    zoned.expect("an instant of this age").timestamp()
}

pub(crate) fn day(at: Timestamp, zone: &TimeZone) -> Date {
    zone.to_datetime(at).date()
}

pub(crate) fn midnight(day: Date, zone: &TimeZone) -> Timestamp {
    instant(day.to_datetime(Time::midnight()), zone)
}

pub(crate) fn later(day: Date, days: i64) -> Date {
    day.checked_add(days.days()).expect("a day of this age")
}

/// Whole days from one to the other.
pub(crate) fn between(from: Date, to: Date) -> i64 {
    i64::from(from.until(to).expect("days of this age").get_days())
}

pub(crate) fn is_working_day(calendar: &Calendar, day: Date) -> bool {
    let index = usize::try_from(day.weekday().to_monday_zero_offset()).expect("a weekday");
    calendar.business_days[index] && !calendar.holidays.contains_key(&day)
}

/// Working days after one day up to the other, that one included; the other way round they are negative.
pub(crate) fn working_days_between(calendar: &Calendar, from: Date, to: Date) -> i64 {
    if to < from {
        return -working_days_between(calendar, to, from);
    }
    let all = (1..=between(from, to)).map(|days| later(from, days));
    let working = all.filter(|day| is_working_day(calendar, *day));
    i64::try_from(working.count()).expect("few")
}

/// So many working days on.
fn working_days_later(calendar: &Calendar, mut from: Date, days: u32) -> Date {
    let mut left = days;
    while left > 0 {
        from = later(from, 1);
        if is_working_day(calendar, from) {
            left -= 1;
        }
    }
    from
}

/// Whether it is working time there.
pub(crate) fn is_open(calendar: &Calendar, now: Timestamp, zone: &TimeZone) -> bool {
    let civil = zone.to_datetime(now);
    is_working_day(calendar, civil.date())
        && calendar.opens_at <= civil.time()
        && civil.time() < calendar.closes_at
}

/// When a period that began then is over.
pub(crate) fn after(
    calendar: &Calendar,
    from: Timestamp,
    period: Period,
    zone: &TimeZone,
) -> Timestamp {
    let civil = zone.to_datetime(from);
    let on = |day: Date| instant(day.to_datetime(civil.time()), zone);
    match period {
        Period::Seconds(seconds) => from + SignedDuration::from_secs(i64::from(seconds)),
        Period::Days(days) => on(later(civil.date(), i64::from(days))),
        Period::BusinessDays(days) => on(working_days_later(calendar, civil.date(), days)),
    }
}

/// Whether a schedule names this minute of the wall clock.
pub(crate) fn names(calendar: &Calendar, schedule: &Schedule, civil: DateTime) -> bool {
    let day = civil.date();
    match schedule {
        Schedule::Days { days, at } => *at == civil.time() && is_named(calendar, *days, day),
        Schedule::Cron(cron) => {
            let has = |list: &[u8], number: i8| list.contains(&number.unsigned_abs());
            let weekday = usize::try_from(day.weekday().to_monday_zero_offset()).expect("one");
            let (month_day, week_day) = (has(&cron.days, day.day()), cron.weekdays[weekday]);
            has(&cron.minutes, civil.minute())
                && has(&cron.hours, civil.hour())
                && has(&cron.months, day.month())
                && if cron.is_either_day {
                    month_day || week_day
                } else {
                    month_day && week_day
                }
        }
    }
}

fn is_named(calendar: &Calendar, days: Days, day: Date) -> bool {
    let month = |day: Date| (day.year(), day.month());
    let quarter = |day: Date| {
        let months = i32::from(day.year()) * 12 + i32::from(day.month());
        (months - i32::from(calendar.fiscal_year_starts)).div_euclid(3)
    };
    match days {
        Days::Every => true,
        Days::Business => is_working_day(calendar, day),
        Days::Week(week) => {
            week[usize::try_from(day.weekday().to_monday_zero_offset()).expect("a weekday")]
        }
        Days::Month(of) => is_day_of(calendar, of, day, |one| month(one) == month(day)),
        Days::Quarter(of) => is_day_of(calendar, of, day, |one| quarter(one) == quarter(day)),
    }
}

/// Looks through all days of the same month or quarter.
fn is_day_of(calendar: &Calendar, of: DayOf, day: Date, same: impl Fn(Date) -> bool) -> bool {
    let near = (-100..=100).map(|days| later(day, days));
    let all: Vec<Date> = near.filter(|one| same(*one)).collect();
    let working: Vec<Date> = all
        .iter()
        .copied()
        .filter(|one| is_working_day(calendar, *one))
        .collect();
    let named = match of {
        DayOf::Number(number) => all.get(usize::from(number) - 1),
        DayOf::First => all.first(),
        DayOf::Last => all.last(),
        DayOf::FirstBusiness => working.first(),
        DayOf::LastBusiness => working.last(),
    };
    named == Some(&day)
}

/// The Monday of a day's week.
pub(crate) fn monday(day: Date) -> Date {
    let mut monday = day;
    while monday.weekday() != Weekday::Monday {
        monday = later(monday, -1);
    }
    monday
}
