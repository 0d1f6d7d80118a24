//! The calendar: working time and days off.

use super::keys::is_map;
use super::notation::{WEEKDAYS, parse_date, parse_time};
use super::value::{scalar, short, text};
use super::{Keys, Notes};
use crate::diagnostic::{nearest, nearest_of};
use crate::program::Calendar;
use crate::yaml::Node;
use jiff::civil::{Date, Time, time};
use jiff::tz::TimeZoneDatabase;
use std::collections::BTreeMap;

/// Keys of `calendar`.
pub(crate) const KEYS: [&str; 5] = [
    "timezone",
    "business_days",
    "holidays",
    "sending_hours",
    "fiscal_year_starts",
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The calendar of a workspace that says nothing: UTC, Monday to Friday, 09:00 to 18:00.
pub(crate) fn plain() -> Calendar {
    Calendar {
        timezone: "UTC".into(),
        business_days: [true, true, true, true, true, false, false],
        holidays: BTreeMap::new(),
        opens_at: time(9, 0, 0, 0),
        closes_at: time(18, 0, 0, 0),
        fiscal_year_starts: 1,
    }
}

/// The path, from `workflows/`, of the file that the calendar names for its holidays.
pub(crate) fn holidays_path(node: &Node) -> Option<&str> {
    node.get("holidays")?.scalar().map(|scalar| &*scalar.text)
}

/// Reads `calendar`; `holidays` is the tree of the file it names, with its path, if there is one.
pub(crate) fn calendar(
    notes: &mut Notes,
    node: &Node,
    holidays: Option<(&str, &Node)>,
) -> Option<Calendar> {
    let keys = Keys::of(notes, node, "`calendar`", &KEYS)?;
    let mut calendar = plain();
    if let Some(zone) = keys
        .need(notes, "timezone")
        .and_then(|node| timezone(notes, node))
    {
        calendar.timezone = zone;
    }
    if let Some(days) = keys
        .get(notes, "business_days")
        .and_then(|node| business_days(notes, node))
    {
        calendar.business_days = days;
    }
    if let Some((opens, closes)) = keys
        .get(notes, "sending_hours")
        .and_then(|node| hours(notes, node))
    {
        calendar.opens_at = opens;
        calendar.closes_at = closes;
    }
    if let Some(month) = keys
        .get(notes, "fiscal_year_starts")
        .and_then(|node| month(notes, node))
    {
        calendar.fiscal_year_starts = month;
    }
    if let Some(path) = keys.get(notes, "holidays") {
        match holidays {
            Some((file, root)) => {
                let here = notes.file.clone();
                notes.open(file);
                calendar.holidays = days_off(notes, root);
                notes.open(&here);
            }
            None => no_holidays(notes, path),
        }
    }
    Some(calendar)
}

fn no_holidays(notes: &mut Notes, node: &Node) {
    if let Some(path) = text(notes, node, "`holidays`") {
        let message = format!("there is no file `workflows/{}`", short(&path));
        let help = "a path in a definition starts at `workflows/`";
        notes.error_help("E103", node.span, message, help.to_owned());
    }
}

/// `date: name`, a line each.
pub(crate) fn days_off(notes: &mut Notes, root: &Node) -> BTreeMap<Date, Box<str>> {
    let mut days = BTreeMap::new();
    if !is_map(notes, root, "a file of holidays") {
        return days;
    }
    for entry in root.entries() {
        let Some(day) = parse_date(&entry.key) else {
            let message = format!("`{}` is not a day", short(&entry.key));
            notes.error_help(
                "E103",
                entry.key_span,
                message,
                "for example `2026-01-01: New Year`".to_owned(),
            );
            continue;
        };
        if let Some(name) = text(notes, &entry.value, "the name of a holiday") {
            days.insert(day, name);
        }
    }
    days
}

/// An IANA zone.
pub(crate) fn timezone(notes: &mut Notes, node: &Node) -> Option<Box<str>> {
    let scalar = scalar(notes, node, "a time zone")?;
    let zones = TimeZoneDatabase::bundled();
    if zones.get(&scalar.text).is_ok() {
        return Some(scalar.text.clone());
    }
    let names: Vec<String> = zones.available().map(|name| name.to_string()).collect();
    let near = nearest(&scalar.text, names.iter().map(String::as_str));
    let help = near.map_or_else(
        || "for example `Asia/Tokyo`".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    let message = format!("`{}` is not a time zone", short(&scalar.text));
    notes.error_help("E103", node.span, message, help);
    None
}

/// `Mon-Fri`, or `Sun,Mon-Thu`.
fn business_days(notes: &mut Notes, node: &Node) -> Option<[bool; 7]> {
    let scalar = scalar(notes, node, "`business_days`")?;
    let days = parse_days(&scalar.text);
    if days.is_none() {
        let message = format!("`{}` is not a list of days", short(&scalar.text));
        notes.error_help(
            "E103",
            node.span,
            message,
            "for example `Mon-Fri` or `Sun,Mon-Thu`".to_owned(),
        );
    }
    days
}

fn parse_days(text: &str) -> Option<[bool; 7]> {
    let day = |word: &str| WEEKDAYS.iter().position(|day| *day == word.trim());
    let mut days = [false; 7];
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (day(from)?, day(to)?);
        let mut at = from;
        loop {
            days[at] = true;
            if at == to {
                break;
            }
            at = (at + 1) % 7;
        }
    }
    Some(days)
}

/// `09:00-18:00`
fn hours(notes: &mut Notes, node: &Node) -> Option<(Time, Time)> {
    let scalar = scalar(notes, node, "`sending_hours`")?;
    let parsed = scalar
        .text
        .split_once('-')
        .and_then(|(from, to)| Some((parse_time(from.trim())?, parse_time(to.trim())?)));
    let open = parsed.filter(|(from, to)| from < to);
    if open.is_none() {
        let message = format!("`{}` are not sending hours", short(&scalar.text));
        notes.error_help(
            "E103",
            node.span,
            message,
            "for example `09:00-18:00`".to_owned(),
        );
    }
    open
}

fn month(notes: &mut Notes, node: &Node) -> Option<i8> {
    let scalar = scalar(notes, node, "`fiscal_year_starts`")?;
    let found = MONTHS.iter().position(|month| **month == *scalar.text);
    if found.is_none() {
        let message = format!("`{}` is not a month", short(&scalar.text));
        notes.error_help(
            "E103",
            node.span,
            message,
            nearest_of(&scalar.text, &MONTHS),
        );
    }
    found.and_then(|at| i8::try_from(at + 1).ok())
}
