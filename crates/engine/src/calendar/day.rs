//! Civil days and the instants at which they begin.
//!
//! A civil day begins once: where clocks go back over midnight the new day, once begun, stays. So for every zone
//! `start_of(day) <= at` holds exactly when `day <= day_of(at)`, and the day never goes back as time goes on.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// The zone of an IANA name.
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// The civil day of an instant: the last one that has begun.
pub fn day_of(at: Timestamp, zone: &TimeZone) -> Date {
    let shown = zone.to_datetime(at).date();
    match shown.tomorrow() {
        Ok(next) if start_of(next, zone) <= at => next,
        Ok(_) | Err(_) => shown,
    }
}

/// The instant at which a civil day begins: its 00:00, moved forward by a gap, the first one in a fold.
pub fn start_of(day: Date, zone: &TimeZone) -> Timestamp {
    at_time(day, Time::midnight(), zone)
}

/// The instant of a wall clock time: in a gap moved forward by the gap, in a fold the first.
pub fn at_time(day: Date, time: Time, zone: &TimeZone) -> Timestamp {
    let civil = DateTime::from_parts(day, time);
    match zone.to_ambiguous_timestamp(civil).compatible() {
        Ok(at) => at,
        // Only within a day of the ends of the calendar, years -9999 and 9999.
        Err(_) if day.year() < 0 => Timestamp::MIN,
        Err(_) => Timestamp::MAX,
    }
}

/// The instant at which the civil day changes next.
pub fn midnight_after(at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let mut day = day_of(at, zone).tomorrow().ok()?;
    // Where a zone has skipped whole days they begin at one instant.
    while start_of(day, zone) <= at {
        day = day.tomorrow().ok()?;
    }
    Some(start_of(day, zone))
}

/// Days since 1970-01-01.
pub fn day_number(day: Date) -> i32 {
    let year = i32::from(day.year()) - i32::from(day.month() <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month = (i32::from(day.month()) + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + i32::from(day.day()) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The day with this number, if the calendar reaches so far.
pub fn from_number(number: i32) -> Option<Date> {
    let shifted = i64::from(number) + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    )
    .ok()
}
