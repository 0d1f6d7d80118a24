//! Notations: durations, times of day, days, mailboxes, schedules.

use super::Notes;
use super::value::{scalar, short};
use crate::program::{DayOf, Days, Period, Schedule};
use crate::yaml::Node;
use jiff::civil::{Date, DateTime, Time};
use model::Mailbox;

/// The longest duration: ten years.
pub(crate) const PERIOD_DAYS_MAX: u32 = 3660;

/// A duration: `30m`, `12h`, `3d`, `2w`, `3 business days`.
pub(crate) fn period(notes: &mut Notes, node: &Node, what: &str) -> Option<Period> {
    let scalar = scalar(notes, node, what)?;
    let found = parse_period(&scalar.text);
    if found.is_none() {
        let message = format!(
            "`{}` is not a duration: {what} needs one",
            short(&scalar.text)
        );
        let help = "for example `30m`, `12h`, `3d`, `2w` or `3 business days`";
        notes.error_help("E103", node.span, message, help.to_owned());
    }
    found
}

/// Reads a duration; `None` if it is none, or longer than [`PERIOD_DAYS_MAX`] days.
pub(crate) fn parse_period(text: &str) -> Option<Period> {
    let text = text.trim();
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let count: u32 = text[..digits].parse().ok()?;
    let (period, days) = match &text[digits..] {
        "m" => (Period::Seconds(count.checked_mul(60)?), count / 1440),
        "h" => (Period::Seconds(count.checked_mul(3600)?), count / 24),
        "d" => (Period::Days(count), count),
        "w" => (Period::Days(count.checked_mul(7)?), count.checked_mul(7)?),
        unit if matches!(unit.trim(), "business day" | "business days")
            && unit.starts_with(' ') =>
        {
            (Period::BusinessDays(count), count)
        }
        _ => return None,
    };
    (days <= PERIOD_DAYS_MAX).then_some(period)
}

/// A time of day, `09:00`; `24:00` is not one.
pub(crate) fn parse_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two = |digits: &str| {
        (digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| digits.parse().ok())
            .flatten()
    };
    Time::new(two(hour)?, two(minute)?, 0, 0).ok()
}

/// A civil day, `2026-01-05`.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    let is_shaped = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    is_shaped.then(|| text.parse().ok()).flatten()
}

/// A civil day.
pub(crate) fn date(notes: &mut Notes, node: &Node, what: &str) -> Option<Date> {
    let scalar = scalar(notes, node, what)?;
    let found = parse_date(&scalar.text);
    if found.is_none() {
        let message = format!("`{}` is not a day: {what} needs one", short(&scalar.text));
        notes.error_help(
            "E103",
            node.span,
            message,
            "for example `2026-01-05`".to_owned(),
        );
    }
    found
}

/// A civil time, `2026-01-05 09:00`.
pub(crate) fn civil(notes: &mut Notes, node: &Node, what: &str) -> Option<DateTime> {
    let scalar = scalar(notes, node, what)?;
    let found = scalar
        .text
        .split_once(' ')
        .and_then(|(day, time)| Some(parse_date(day)?.to_datetime(parse_time(time.trim())?)));
    if found.is_none() {
        let message = format!("`{}` is not a time: {what} needs one", short(&scalar.text));
        notes.error_help(
            "E103",
            node.span,
            message,
            "for example `2026-01-05 09:00`".to_owned(),
        );
    }
    found
}

/// A mailbox: `Name <address>` or an address alone.
pub(crate) fn mailbox(notes: &mut Notes, node: &Node, what: &str) -> Option<Mailbox> {
    let scalar = scalar(notes, node, what)?;
    let found = parse_mailbox(&scalar.text);
    if found.is_none() {
        let message = format!(
            "`{}` is not a mailbox: {what} needs one",
            short(&scalar.text)
        );
        let help = "for example `Customer Success <success@vendor.example>`";
        notes.error_help("E103", node.span, message, help.to_owned());
    }
    found
}

fn parse_mailbox(text: &str) -> Option<Mailbox> {
    if text.len() > 320 || text.contains(char::is_control) {
        return None;
    }
    let (name, address) = match text.trim().strip_suffix('>') {
        Some(open) => open
            .rsplit_once('<')
            .map(|(name, address)| (name.trim(), address))?,
        None => ("", text.trim()),
    };
    if !is_address(address) || name.contains(['<', '>']) {
        return None;
    }
    Some(Mailbox {
        name: (!name.is_empty()).then(|| name.trim_matches('"').into()),
        address: address.into(),
    })
}

/// Whether it has the shape of an address: one `@`, something on both sides, no space.
pub(crate) fn is_address(text: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.contains(|letter: char| {
                letter.is_whitespace() || letter.is_control() || "<>\"(),:;@[]\\".contains(letter)
            })
    };
    text.len() <= 254
        && text.split_once('@').is_some_and(|(local, domain)| {
            is_plain(local)
                && is_plain(domain)
                && !domain.starts_with('.')
                && !domain.ends_with('.')
        })
}

/// A schedule. E406 if it is none.
pub(crate) fn schedule(notes: &mut Notes, node: &Node) -> Option<Schedule> {
    let scalar = scalar(notes, node, "a schedule")?;
    let found = parse_schedule(&scalar.text);
    if found.is_none() {
        let message = format!("`{}` is not a schedule I know", short(&scalar.text));
        let help =
            "for example `Mon 09:00`, `business day 09:00`, `month first business day 09:00`";
        notes.error_help("E406", node.span, message, help.to_owned());
    }
    found
}

/// The days of a week, Monday first.
pub(crate) const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn parse_schedule(text: &str) -> Option<Schedule> {
    let (days, time) = text.rsplit_once(' ')?;
    let at = parse_time(time)?;
    let words: Vec<&str> = days.split(' ').collect();
    let days = match words.as_slice() {
        ["day"] => Days::Every,
        ["business", "day"] => Days::Business,
        ["month", of @ ..] => Days::Month(day_of(of, 31)?),
        ["quarter", of @ ..] => Days::Quarter(day_of(of, 0)?),
        [days] => Days::Week(weekdays(days)?),
        _ => return None,
    };
    Some(Schedule::Days { days, at })
}

fn day_of(words: &[&str], number_max: u8) -> Option<DayOf> {
    match words {
        ["first"] => Some(DayOf::First),
        ["last"] => Some(DayOf::Last),
        ["first", "business", "day"] => Some(DayOf::FirstBusiness),
        ["last", "business", "day"] => Some(DayOf::LastBusiness),
        [number] => {
            let number = number.parse().ok()?;
            (1..=number_max)
                .contains(&number)
                .then_some(DayOf::Number(number))
        }
        _ => None,
    }
}

fn weekdays(text: &str) -> Option<[bool; 7]> {
    let mut week = [false; 7];
    for day in text.split(',') {
        let at = WEEKDAYS.iter().position(|name| *name == day)?;
        week[at] = true;
    }
    Some(week)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_others_are_not() {
        for (text, expected) in [
            ("30m", Some(Period::Seconds(1800))),
            ("12h", Some(Period::Seconds(43_200))),
            ("3d", Some(Period::Days(3))),
            ("2w", Some(Period::Days(14))),
            ("3 business days", Some(Period::BusinessDays(3))),
            ("1 business day", Some(Period::BusinessDays(1))),
            ("3660d", Some(Period::Days(3660))),
            ("3661d", None),
            ("99999999999d", None),
            ("4294967295w", None),
            ("3 months", None),
            ("3", None),
            ("d", None),
            ("-3d", None),
            ("3日", None),
        ] {
            assert_eq!(parse_period(text), expected, "{text}");
        }
    }

    #[test]
    fn schedules_are_known_by_their_form() {
        for good in [
            "day 09:00",
            "business day 09:00",
            "Mon,Thu 09:00",
            "month 1 09:00",
            "month last 09:00",
            "month first business day 09:00",
            "quarter first business day 09:00",
        ] {
            assert!(parse_schedule(good).is_some(), "{good}");
        }
        for bad in [
            "monthly 09:00",
            "day",
            "day 9:00",
            "month 32 09:00",
            "Mon, Thu 09:00",
            "",
            "day 24:00",
        ] {
            assert!(parse_schedule(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn mailboxes_have_an_address() {
        let both = parse_mailbox("成功 <success@vendor.example>").expect("a mailbox");
        assert_eq!(both.name.as_deref(), Some("成功"));
        assert_eq!(&*both.address, "success@vendor.example");
        assert!(parse_mailbox("a@b.example").is_some());
        for bad in [
            "success",
            "a@b@c",
            "x <a@b",
            "a\u{7}@b.example",
            "<>",
            "x <y> <a@b.example>",
        ] {
            assert!(parse_mailbox(bad).is_none(), "{bad}");
        }
    }
}
