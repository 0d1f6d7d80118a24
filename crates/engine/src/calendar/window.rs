//! Sliding windows: until when something that happened counts as inside one that ends now.

use super::business::shift_business_days;
use super::day::{day_number, day_of, from_number, start_of};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use workflow::program::{Calendar, Period};

/// The first instant at which a window of that length that ends there no longer holds what happened at `at`.
///
/// Seconds are exact. Days are civil, today included; of working days there are so many in the window, today
/// included where it is one. `None`: it never leaves.
pub fn leaves_window(
    calendar: &Calendar,
    at: Timestamp,
    length: Period,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let first_without = match length {
        Period::Seconds(seconds) => {
            let seconds = SignedDuration::from_secs(i64::from(seconds));
            return at.checked_add(seconds).ok();
        }
        Period::Days(days) => {
            let number = day_number(day_of(at, zone));
            from_number(number.checked_add(i32::try_from(days).ok()?)?)?
        }
        Period::BusinessDays(days) => {
            let eve = day_of(at, zone).yesterday().ok()?;
            shift_business_days(calendar, eve, i64::from(days) + 1)?
        }
    };
    Some(start_of(first_without, zone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{Time, date};
    use std::collections::BTreeMap;

    fn calendar() -> Calendar {
        Calendar {
            timezone: "Asia/Tokyo".into(),
            business_days: [true, true, true, true, true, false, false],
            holidays: BTreeMap::from([(date(2026, 1, 12), "成人の日".into())]),
            opens_at: Time::constant(9, 0, 0, 0),
            closes_at: Time::constant(18, 0, 0, 0),
            fiscal_year_starts: 4,
        }
    }

    fn check(at: &str, length: Period, leaves: &str) {
        let zone = TimeZone::get("Asia/Tokyo").expect("a zone");
        let at = at.parse().expect("a time");
        let found = leaves_window(&calendar(), at, length, &zone);
        assert_eq!(
            found,
            Some(leaves.parse().expect("a time")),
            "{at} {length:?}"
        );
    }

    #[test]
    fn hours_leave_to_the_second_and_days_at_midnight() {
        check(
            "2026-01-05T09:00:01+09:00",
            Period::Seconds(86_400),
            "2026-01-06T09:00:01+09:00",
        );
        check(
            "2026-01-05T09:00:01+09:00",
            Period::Days(1),
            "2026-01-06T00:00:00+09:00",
        );
        check(
            "2026-01-05T23:59:59+09:00",
            Period::Days(7),
            "2026-01-12T00:00:00+09:00",
        );
    }

    #[test]
    fn working_days_leave_when_so_many_others_have_come() {
        // Thursday, Friday, then the Tuesday after a weekend and a holiday.
        check(
            "2026-01-08T09:00:00+09:00",
            Period::BusinessDays(1),
            "2026-01-09T00:00:00+09:00",
        );
        check(
            "2026-01-08T09:00:00+09:00",
            Period::BusinessDays(2),
            "2026-01-13T00:00:00+09:00",
        );
        // A Saturday is no working day of its own: it counts with the one that follows.
        check(
            "2026-01-10T09:00:00+09:00",
            Period::BusinessDays(1),
            "2026-01-14T00:00:00+09:00",
        );
    }

    #[test]
    fn where_nobody_ever_works_nothing_leaves() {
        let never = Calendar {
            business_days: [false; 7],
            ..calendar()
        };
        let found = leaves_window(
            &never,
            Timestamp::UNIX_EPOCH,
            Period::BusinessDays(1),
            &TimeZone::UTC,
        );
        assert_eq!(found, None);
    }
}
