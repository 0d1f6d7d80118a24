//! Cron: five fields to the minutes they name.

use super::Notes;
use super::value::{scalar, short};
use crate::program::Cron;
use crate::yaml::Node;
use std::collections::BTreeSet;

/// The longest text of five fields.
pub(crate) const CRON_BYTES_MAX: usize = 256;

const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
/// The most days a month can have, January first.
const LENGTHS: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// One of the five fields.
struct Field {
    what: &'static str,
    least: u8,
    most: u8,
    /// Words for numbers, the first for `least`.
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    plain("minute", 0, 59),
    plain("hour", 0, 23),
    plain("day of the month", 1, 31),
    Field {
        words: &MONTHS,
        ..plain("month", 1, 12)
    },
    // Sunday is 0 and 7.
    Field {
        words: &DAYS,
        ..plain("day of the week", 0, 7)
    },
];

const fn plain(what: &'static str, least: u8, most: u8) -> Field {
    Field {
        what,
        least,
        most,
        words: &[],
    }
}

/// Reads `cron`. E406 if it is not five fields, or names no day of the calendar.
pub(crate) fn cron(notes: &mut Notes, node: &Node) -> Option<Cron> {
    let text = scalar(notes, node, "`cron`")?;
    match parse_cron(&text.text) {
        Ok(cron) => Some(cron),
        Err(why) => {
            let message = format!("`{}` is not five cron fields: {why}", short(&text.text));
            let help = "for example `0 9 * * 1` or `30 8 1,15 * mon-fri`";
            notes.error_help("E406", node.span, message, help.to_owned());
            None
        }
    }
}

/// Reads five cron fields, or says what is wrong with them.
fn parse_cron(text: &str) -> Result<Cron, String> {
    if text.len() > CRON_BYTES_MAX {
        return Err(format!("they are longer than {CRON_BYTES_MAX} bytes"));
    }
    let written: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = written[..] else {
        return Err(format!("there are {}", written.len()));
    };
    let [minutes, hours, days, months, weekdays] = &FIELDS;
    let cron = Cron {
        minutes: minutes.read(minute)?,
        hours: hours.read(hour)?,
        days: days.read(day)?,
        months: months.read(month)?,
        weekdays: week(&weekdays.read(weekday)?),
        is_either_day: !day.starts_with('*') && !weekday.starts_with('*'),
    };
    if names_a_day(&cron) {
        return Ok(cron);
    }
    Err("no month that it names has such a day".to_owned())
}

/// Days of the week from cron's numbers, where Sunday is 0 and 7, to Monday first.
fn week(numbers: &[u8]) -> [bool; 7] {
    let mut week = [false; 7];
    for number in numbers {
        week[usize::from((number + 6) % 7)] = true;
    }
    week
}

/// Whether the calendar has such a day: `30 2` never comes.
fn names_a_day(cron: &Cron) -> bool {
    let length = |month: &u8| LENGTHS.get(usize::from(*month).saturating_sub(1));
    let first = cron.days.first();
    let mut months = cron.months.iter().filter_map(length);
    cron.is_either_day || months.any(|length| first.is_some_and(|day| day <= length))
}

impl Field {
    /// All numbers that a field names, in order.
    fn read(&self, text: &str) -> Result<Vec<u8>, String> {
        let mut numbers = BTreeSet::new();
        for part in text.split(',') {
            numbers.extend(self.part(part)?);
        }
        Ok(numbers.into_iter().collect())
    }

    /// `*`, `3`, `1-5`, and with a step `*/15`, `8-18/2`.
    fn part(&self, part: &str) -> Result<impl Iterator<Item = u8> + use<>, String> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        let (low, high) = match range.split_once('-') {
            Some((low, high)) => (self.number(low)?, self.number(high)?),
            None if range == "*" => (self.least, self.most),
            None => (self.number(range)?, self.number(range)?),
        };
        let is_single = range != "*" && !range.contains('-');
        if is_single && step.is_some() {
            return Err(format!(
                "a step stands behind `*` or a range, not behind `{range}`"
            ));
        }
        if low > high {
            return Err(format!("the range `{range}` of the {} is empty", self.what));
        }
        let step = match step {
            Some(step) => self.step(step)?,
            None => 1,
        };
        Ok((low..=high).step_by(step))
    }

    fn step(&self, text: &str) -> Result<usize, String> {
        let step = digits(text).filter(|step| (1..=self.most).contains(step));
        step.map(usize::from)
            .ok_or_else(|| format!("`{text}` is no step of the {}", self.what))
    }

    fn number(&self, text: &str) -> Result<u8, String> {
        let lower = text.to_ascii_lowercase();
        let word = self.words.iter().position(|word| *word == lower);
        let named = word.and_then(|at| u8::try_from(at).ok()?.checked_add(self.least));
        let number = named.or_else(|| digits(text));
        let fits = number.filter(|number| (self.least..=self.most).contains(number));
        fits.ok_or_else(|| format!("`{text}` is no {}", self.what))
    }
}

fn digits(text: &str) -> Option<u8> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_sets_of_numbers() {
        let cron = parse_cron("*/15 8-18/5 1,15 JAN,jun-aug mon-fri").expect("five fields");
        assert_eq!(cron.minutes, [0, 15, 30, 45]);
        assert_eq!(cron.hours, [8, 13, 18]);
        assert_eq!(cron.days, [1, 15]);
        assert_eq!(cron.months, [1, 6, 7, 8]);
        assert_eq!(cron.weekdays, [true, true, true, true, true, false, false]);
        assert!(cron.is_either_day);
    }

    #[test]
    fn sunday_has_two_numbers_and_monday_is_first() {
        for sunday in ["0", "7", "sun", "0,7"] {
            let cron = parse_cron(&format!("0 9 * * {sunday}")).expect("five fields");
            assert_eq!(
                cron.weekdays,
                [false, false, false, false, false, false, true]
            );
        }
        let all = parse_cron("0 9 * * 0-7").expect("five fields");
        assert_eq!(all.weekdays, [true; 7]);
    }

    #[test]
    fn two_restricted_day_fields_mean_either() {
        for (text, is_either) in [
            ("0 9 13 * fri", true),
            ("0 9 13 * *", false),
            ("0 9 * * fri", false),
            ("0 9 */2 * fri", false),
        ] {
            let cron = parse_cron(text).expect("five fields");
            assert_eq!(cron.is_either_day, is_either, "{text}");
        }
    }

    #[test]
    fn what_cron_does_not_know_is_refused() {
        for bad in [
            "",
            "0 9 * *",
            "0 9 * * * *",
            "60 9 * * *",
            "0 24 * * *",
            "0 9 0 * *",
            "0 9 32 * *",
            "0 9 * 13 *",
            "0 9 * * 8",
            "0 9 * * fry",
            "0 9 L * *",
            "0 9 15W * *",
            "0 9 * * 5#2",
            "0 9 ? * 1",
            "0 18-9 * * *",
            "0 5/2 * * *",
            "0 */0 * * *",
            "0 */24 * * *",
            "0 9,, * * *",
            "0 +9 * * *",
            "0 9 30 2 *",
            "0 9 31 apr,jun *",
            "@daily",
        ] {
            assert!(parse_cron(bad).is_err(), "{bad}");
        }
        for good in [
            "0 9 29 2 *",
            "0 9 31 4 mon",
            "0 9 30,29 feb *",
            "59 23 31 12 7",
        ] {
            assert!(parse_cron(good).is_ok(), "{good}");
        }
        assert!(parse_cron(&format!("0 9 * * {}1", "1,".repeat(CRON_BYTES_MAX))).is_err());
    }
}
