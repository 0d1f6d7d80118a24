//! Hour buckets: they begin at the full hour of the wall clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;

const HOUR: i64 = 3_600;

/// The second with which the hour of an instant begins.
pub fn hour_of(at: Timestamp, zone: &TimeZone) -> i64 {
    let second = at.as_second();
    second - (second + offset(at, zone)).rem_euclid(HOUR)
}

/// Seconds by which the wall clock is ahead.
fn offset(at: Timestamp, zone: &TimeZone) -> i64 {
    i64::from(zone.to_offset(at).seconds())
}

/// The first instant after `now` at which the present hour bucket may begin at `hour` or later. Where a zone moves its
/// clocks by less than an hour on the way, it may be early, by less than an hour.
pub fn hour_reached(hour: i64, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let next = hour_of(now, zone) + HOUR;
    let target = Timestamp::from_second(hour.max(next)).ok()?;
    let begins = full_hour(target, zone)?;
    // The target's own hour may not be a full one: clocks that move by half an hour shift the rest.
    let turn = zone
        .following(now)
        .map(|turn| turn.timestamp())
        .take_while(|turn| *turn < begins)
        .find(|turn| !is_whole(*turn, zone));
    Some(turn.unwrap_or(begins).max(next_second(now)?))
}

/// Whether the clocks move by whole hours at `turn`.
fn is_whole(turn: Timestamp, zone: &TimeZone) -> bool {
    let before = Timestamp::from_second(turn.as_second() - 1).map_or(0, |at| offset(at, zone));
    (offset(turn, zone) - before) % HOUR == 0
}

/// The first full hour at or after an instant.
fn full_hour(at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let begun = hour_of(at, zone);
    if begun == at.as_second() {
        Timestamp::from_second(begun).ok()
    } else {
        Timestamp::from_second(begun + HOUR).ok()
    }
}

/// The next whole second.
fn next_second(at: Timestamp) -> Option<Timestamp> {
    Timestamp::from_second(at.as_second() + 1).ok()
}
