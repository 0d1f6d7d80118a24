//! Schedules: what recurs, walked on civil time, which has neither gaps nor folds; each hit then becomes an instant.
//!
//! A wall clock time in a gap is moved forward by the gap, in a fold the first one is meant; so nothing that recurs is
//! left out, and nothing happens twice.

use super::business::{is_business_day, shift_business_days};
use super::day::{at_time, day_number, from_number};
use super::period::period_bounds;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use workflow::program::{Calendar, Cron, DayOf, Days, PeriodUnit, PeriodWhich, Schedule};

/// So many months or quarters are looked through for one that has the day asked for.
const PERIODS_MAX: usize = 48;
/// So many days, or months passed over whole, are looked through for one that fits cron fields: the 29th of February on
/// one day of the week comes back within 40 years.
const CRON_STEPS_MAX: usize = 4_000;
/// No gap of any zone is longer: whole days were left out, never more than one.
const GAP_MAX: SignedDuration = SignedDuration::from_hours(25);

/// The first occurrence after an instant.
pub fn next_occurrence(
    calendar: &Calendar,
    schedule: &Schedule,
    after: Timestamp,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let mut shown = zone.to_datetime(after);
    loop {
        let next = occurrence_after(calendar, schedule, shown, zone)?;
        if next.at > after {
            return Some(next.at);
        }
        // Inside the second passage of a fold, what the clock shows has occurred in the first.
        shown = next.shown;
    }
}

/// One occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// What the clock shows then.
    pub shown: DateTime,
    /// The instant.
    pub at: Timestamp,
}

/// The first occurrence at which the clock shows more than `after`.
pub fn occurrence_after(
    calendar: &Calendar,
    schedule: &Schedule,
    after: DateTime,
    zone: &TimeZone,
) -> Option<Occurrence> {
    let mut found: Option<Occurrence> = None;
    let mut civil = begin_of_search(after, zone);
    // What a gap has moved forward may stand behind what comes later on the civil line, so look on until there.
    while let Some(next) = next_civil(calendar, schedule, civil) {
        if found.is_some_and(|found| found.shown <= next) {
            break;
        }
        let at = at_time(next.date(), next.time(), zone);
        let shown = zone.to_datetime(at).max(next);
        if shown > after && found.is_none_or(|found| shown < found.shown) {
            found = Some(Occurrence { shown, at });
        }
        civil = next;
    }
    found
}

/// Where the search for what the clock shows after `after` begins: before a gap, if there was one shortly before.
fn begin_of_search(after: DateTime, zone: &TimeZone) -> DateTime {
    let at = at_time(after.date(), after.time(), zone);
    // A change of the clocks at this very instant counts: the gap lies right before it.
    let until = at.checked_add(SignedDuration::from_nanos(1)).unwrap_or(at);
    let turn = zone.preceding(until).next().map(|turn| turn.timestamp());
    if turn.is_some_and(|turn| at.duration_since(turn) <= GAP_MAX) {
        after.checked_sub(GAP_MAX).unwrap_or(after)
    } else {
        after
    }
}

/// The first hit after a civil time.
fn next_civil(calendar: &Calendar, schedule: &Schedule, after: DateTime) -> Option<DateTime> {
    match schedule {
        Schedule::Days { days, at } => {
            let from = if *at > after.time() {
                after.date()
            } else {
                after.date().tomorrow().ok()?
            };
            let day = day_from(calendar, *days, from)?;
            Some(DateTime::from_parts(day, *at))
        }
        Schedule::Cron(cron) => next_minute(cron, after),
    }
}

/// The first of some days, not before `from`.
fn day_from(calendar: &Calendar, days: Days, from: Date) -> Option<Date> {
    match days {
        Days::Every => Some(from),
        Days::Business => business_day_from(calendar, from),
        Days::Week(week) => (0..7).find_map(|ahead| {
            let day = from_number(day_number(from) + ahead)?;
            let index = usize::try_from(day.weekday().to_monday_zero_offset()).ok()?;
            week.get(index).copied()?.then_some(day)
        }),
        Days::Month(of) => day_of_period(calendar, of, from, PeriodUnit::Month),
        Days::Quarter(of) => day_of_period(calendar, of, from, PeriodUnit::Quarter),
    }
}

fn business_day_from(calendar: &Calendar, from: Date) -> Option<Date> {
    if is_business_day(calendar, from) {
        Some(from)
    } else {
        shift_business_days(calendar, from, 1)
    }
}

/// The day asked for of the first period that has it, not before `from`.
fn day_of_period(calendar: &Calendar, of: DayOf, from: Date, unit: PeriodUnit) -> Option<Date> {
    let mut inside = from;
    for _ in 0..PERIODS_MAX {
        let (first, next) = period_bounds(calendar, inside, PeriodWhich::This, unit)?;
        if let Some(day) = the_day(calendar, of, (first, next)).filter(|day| *day >= from) {
            return Some(day);
        }
        inside = next;
    }
    None
}

/// The day asked for of a period, its end excluded; none: it has no such day.
fn the_day(calendar: &Calendar, of: DayOf, (first, end): (Date, Date)) -> Option<Date> {
    let day = match of {
        DayOf::Number(number) => from_number(day_number(first) + i32::from(number) - 1)?,
        DayOf::First => first,
        DayOf::Last => end.yesterday().ok()?,
        DayOf::FirstBusiness => business_day_from(calendar, first)?,
        DayOf::LastBusiness => shift_business_days(calendar, end, -1)?,
    };
    (first <= day && day < end).then_some(day)
}

/// The first minute after a civil time that fits the fields.
fn next_minute(cron: &Cron, after: DateTime) -> Option<DateTime> {
    let mut day = after.date();
    if fits_day(cron, day)
        && let Some(time) = times(cron).find(|time| *time > after.time())
    {
        return Some(DateTime::from_parts(day, time));
    }
    for _ in 0..CRON_STEPS_MAX {
        day = day.tomorrow().ok()?;
        if !cron.months.contains(&number(day.month())) {
            day = day.last_of_month();
        } else if fits_day(cron, day) {
            return times(cron)
                .next()
                .map(|time| DateTime::from_parts(day, time));
        }
    }
    None
}

fn fits_day(cron: &Cron, day: Date) -> bool {
    let weekday = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0);
    let fits_weekday = cron.weekdays.get(weekday).copied().unwrap_or(false);
    let fits_number = cron.days.contains(&number(day.day()));
    let fits = if cron.is_either_day {
        fits_weekday || fits_number
    } else {
        fits_weekday && fits_number
    };
    fits && cron.months.contains(&number(day.month()))
}

/// The times of a day that fit, in order.
fn times(cron: &Cron) -> impl Iterator<Item = Time> {
    let small = |number: u8| i8::try_from(number).unwrap_or(0);
    cron.hours.iter().flat_map(move |hour| {
        let minutes = cron.minutes.iter();
        minutes.filter_map(move |minute| Time::new(small(*hour), small(*minute), 0, 0).ok())
    })
}

fn number(of_calendar: i8) -> u8 {
    u8::try_from(of_calendar).unwrap_or(0)
}
