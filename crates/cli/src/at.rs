//! `--at`: an instant, or a day, which begins at its midnight in a customer's zone.

use engine::Account;
use jiff::Timestamp;
use jiff::civil::Date;
use std::str::FromStr;
use workflow::Program;

/// What `--at` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// An instant.
    Instant(Timestamp),
    /// The beginning of a day.
    Day(Date),
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(instant) = text.parse() {
            return Ok(Self::Instant(instant));
        }
        // A wall clock without an offset would be read as its day, its hour unheeded.
        let day = text.parse().ok().filter(|_| text.len() == DAY_LENGTH);
        day.map(Self::Day).ok_or_else(|| {
            "write a day (2026-01-13), or an instant with its offset (2026-01-13T09:00:00+09:00)"
                .to_owned()
        })
    }
}

/// How long a day is as it is written.
const DAY_LENGTH: usize = "2026-01-13".len();

impl At {
    /// The instant: a day begins in the account's zone, or the workspace's where the account has none.
    pub(crate) fn of(self, program: &Program, account: Option<&Account>) -> Timestamp {
        match self {
            Self::Instant(instant) => instant,
            Self::Day(day) => {
                let own = account.map(|account| account.zone(program));
                let zone = own.unwrap_or_else(|| engine::account::zone_of_workspace(program));
                engine::calendar::start_of(day, &zone)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<At> {
        text.parse().ok()
    }

    #[test]
    fn a_day_and_an_instant_are_told_apart_and_a_wall_clock_is_refused() {
        let day = Date::constant(2026, 1, 13);
        assert_eq!(read("2026-01-13"), Some(At::Day(day)));
        let instant = "2026-01-13T00:00:00Z".parse().expect("an instant");
        assert_eq!(
            read("2026-01-13T09:00:00+09:00"),
            Some(At::Instant(instant))
        );
        for wrong in [
            "2026-01-13T09:00",
            "2026-01-13 09:00",
            "13.1.2026",
            "2026-02-30",
            "",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
