//! Stretches in which a zone keeps its clocks: there, days begin by plain arithmetic.

use super::day::from_number;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

const DAY: i64 = 86_400;
/// So far from any change of the clocks every day begins once, at its own midnight.
const MARGIN: i64 = 2 * DAY;
/// How many stretches are kept: the present one and the next.
const STRETCHES_MAX: usize = 3;

/// A stretch, in seconds, its margins taken off.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: i64,
    until: i64,
    offset: i64,
}

impl Stretch {
    fn holds(&self, second: i64) -> bool {
        self.from <= second && second <= self.until
    }
}

/// The stretches around and after an instant. What lies outside has to be asked of the zone.
#[derive(Clone, Copy, Debug)]
pub struct Stretches([Stretch; STRETCHES_MAX]);

impl Stretches {
    /// Those of a zone from the stretch of `now` on.
    pub fn from(now: Timestamp, zone: &TimeZone) -> Self {
        let empty = Stretch {
            from: i64::MAX,
            until: i64::MIN,
            offset: 0,
        };
        let mut all = [empty; STRETCHES_MAX];
        let mut turns = zone.following(now).map(|turn| turn.timestamp());
        let before = zone.preceding(now).next().map(|turn| turn.timestamp());
        // Before 1970 seconds are cut the other way: nobody's facts are so old.
        let mut begins = before.map_or(0, |turn| turn.as_second().max(0));
        let mut inside = now;
        for stretch in &mut all {
            let turn = turns.next();
            let ends = turn.map_or(Timestamp::MAX.as_second() - DAY, |turn| turn.as_second());
            *stretch = Stretch {
                from: begins + MARGIN,
                until: ends - MARGIN,
                offset: i64::from(zone.to_offset(inside).seconds()),
            };
            let Some(turn) = turn else {
                break;
            };
            (begins, inside) = (ends, turn);
        }
        Self(all)
    }

    /// The civil day of an instant.
    pub(crate) fn day_of(&self, at: Timestamp) -> Option<Date> {
        let second = at.as_second();
        let stretch = self.0.iter().find(|stretch| stretch.holds(second))?;
        from_number(i32::try_from((second + stretch.offset).div_euclid(DAY)).ok()?)
    }

    /// The instant at which the day with this number begins.
    pub(crate) fn start_of(&self, day: i32) -> Option<Timestamp> {
        let begins = |stretch: &Stretch| {
            let second = i64::from(day) * DAY - stretch.offset;
            stretch.holds(second).then_some(second)
        };
        let second = self.0.iter().find_map(begins)?;
        Timestamp::from_second(second).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{day_number, day_of, start_of, zone};

    #[test]
    fn in_a_stretch_days_are_those_of_the_zone() {
        let zones = [
            "UTC",
            "Asia/Tokyo",
            "America/New_York",
            "Europe/Dublin",
            "Africa/Casablanca",
            "America/Santiago",
            "Pacific/Apia",
            "Australia/Lord_Howe",
            "Asia/Beirut",
        ];
        let mut asked = 0;
        for zone in zones.iter().filter_map(|name| zone(name)) {
            for begin in [0, 300_000_000, 1_325_000_000, 1_770_000_000, 2_500_000_000] {
                let now = Timestamp::from_second(begin).expect("a time");
                let stretches = Stretches::from(now, &zone);
                for step in 0..2_000 {
                    let at = Timestamp::from_second(begin + step * 20_011).expect("a time");
                    let day = day_of(at, &zone);
                    if let Some(found) = stretches.day_of(at) {
                        asked += 1;
                        assert_eq!(found, day, "{at} in {zone:?}");
                    }
                    if let Some(found) = stretches.start_of(day_number(day)) {
                        assert_eq!(found, start_of(day, &zone), "{day} in {zone:?}");
                    }
                }
            }
        }
        assert!(asked > 50_000, "most instants lie in a stretch: {asked}");
    }
}
