//! Sending hours: on working days, from opening to closing time, in the zone of whom they concern.

use super::business::is_business_day;
use super::day::{at_time, day_of};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use workflow::program::Calendar;

/// How many days ahead an open hour is looked for: longer than any run of holidays.
const SEARCH_DAYS_MAX: u16 = 800;

/// The open hours of one day, closing instant excluded; none where it is no working day or a gap swallows them.
fn hours_of(calendar: &Calendar, day: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    if !is_business_day(calendar, day) {
        return None;
    }
    let opens = at_time(day, calendar.opens_at, zone);
    let closes = at_time(day, calendar.closes_at, zone);
    (opens < closes).then_some((opens, closes))
}

/// The window that is open at an instant.
fn present(calendar: &Calendar, at: Timestamp, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let today = day_of(at, zone);
    // The eve's hours matter only where a zone has turned its clocks back over midnight.
    [today.yesterday().ok(), Some(today)]
        .into_iter()
        .flatten()
        .filter_map(|day| hours_of(calendar, day, zone))
        .find(|(opens, closes)| *opens <= at && at < *closes)
}

/// Whether an instant lies in sending hours.
pub fn is_open(calendar: &Calendar, at: Timestamp, zone: &TimeZone) -> bool {
    present(calendar, at, zone).is_some()
}

/// The first open instant at or after `at`; none where the calendar never opens.
pub fn next_open(calendar: &Calendar, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    if is_open(calendar, at, zone) {
        return Some(at);
    }
    let mut day = day_of(at, zone);
    for _ in 0..SEARCH_DAYS_MAX {
        if let Some((opens, _)) = hours_of(calendar, day, zone)
            && opens >= at
        {
            return Some(opens);
        }
        day = day.tomorrow().ok()?;
    }
    None
}

/// When the window that is open at `at` closes.
pub fn window_end(calendar: &Calendar, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    present(calendar, at, zone).map(|(_, closes)| closes)
}
