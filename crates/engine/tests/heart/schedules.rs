//! Schedules over all zones: each civil occurrence once, in order, gaps moved forward, the first of a fold.

use crate::bench::program;
use engine::calendar::{at_time, next_occurrence};
use jiff::civil::{Date, DateTime, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use workflow::Program;
use workflow::program::{Schedule, Start};

/// The schedules that the checker reads from these texts, as keys of `start`.
fn schedules(keys: &[&str]) -> (Program, Vec<Schedule>) {
    let text = |(number, key): (usize, &&str)| {
        format!(
            "workflow: w-{number:02}\ntitle: w\nstatus: live\nstart:\n  {key}\nonce_per: occurrence\nsteps:\n  - id: tell\n    alert: csm\n    text: Now\n"
        )
    };
    let texts: Vec<String> = keys.iter().enumerate().map(text).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let program = program(&texts, &[]);
    let found = program
        .workflows
        .iter()
        .map(|workflow| match &workflow.start {
            Start::Every { schedule, .. } => schedule.clone(),
            Start::When { .. } | Start::Event { .. } => unreachable!("all of them recur"),
        });
    let found = found.collect();
    (program, found)
}

/// All occurrences of a stretch of time.
fn walk(
    program: &Program,
    schedule: &Schedule,
    (from, until): (Timestamp, Timestamp),
    zone: &TimeZone,
) -> Vec<Timestamp> {
    let mut found = Vec::new();
    let mut after = from;
    while let Some(next) = next_occurrence(&program.calendar, schedule, after, zone) {
        assert!(next > after, "it goes on");
        if next > until {
            break;
        }
        found.push(next);
        after = next;
    }
    found
}

/// The instants of civil hits, each once, inside a stretch of time.
fn instants(
    hits: impl Iterator<Item = DateTime>,
    (from, until): (Timestamp, Timestamp),
    zone: &TimeZone,
) -> Vec<Timestamp> {
    let all: BTreeSet<Timestamp> = hits
        .map(|hit| at_time(hit.date(), hit.time(), zone))
        .collect();
    all.into_iter()
        .filter(|at| from < *at && *at <= until)
        .collect()
}

fn zones() -> Vec<TimeZone> {
    let names = jiff::tz::db().available();
    names
        .filter_map(|name| TimeZone::get(name.as_str()).ok())
        .collect()
}

const CRONS: [&str; 12] = [
    "30 2 * * *",
    "30 1 * * *",
    "*/30 1-3 * * *",
    "15,45 0,2 * * sun",
    "0 0 * * *",
    "59 23 31 * *",
    "0 9 29 2 *",
    "0 12 1,15 * mon",
    "0 6 13 * fri",
    "5 4 * mar-apr,oct,nov 0",
    "0 3 */10 * *",
    "20 2 * 3 1-7",
];

#[test]
fn cron_fields_are_walked_as_croner_walks_civil_time() {
    let keys: Vec<String> = CRONS
        .iter()
        .map(|cron| format!("cron: \"{cron}\""))
        .collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (program, schedules) = schedules(&keys);
    let (begin, end) = (
        date(2020, 1, 1).at(0, 0, 0, 0),
        date(2041, 1, 1).at(0, 0, 0, 0),
    );
    let zones = zones();
    assert!(zones.len() > 300, "{}", zones.len());
    for (number, (cron, schedule)) in CRONS.iter().zip(&schedules).enumerate() {
        let oracle: croner::Cron = cron.parse().expect("croner reads it");
        let hits: Vec<DateTime> = oracle
            .iter_after(begin)
            .take_while(|hit| *hit < end)
            .collect();
        assert!(!hits.is_empty(), "{cron}");
        // Two years of every eighth zone, other zones and other years for each pattern.
        for (place, zone) in zones.iter().enumerate().skip(number % 8).step_by(8) {
            let year = 2020 + i16::try_from((number * 7 + place * 3) % 19).expect("a year");
            let first = date(year, 1, 1);
            let span = (
                at_time(first, jiff::civil::Time::midnight(), zone),
                at_time(date(year + 2, 1, 1), jiff::civil::Time::midnight(), zone),
            );
            let near = hits
                .iter()
                .copied()
                .filter(|hit| (year - 1..=year + 2).contains(&hit.year()));
            let expected = instants(near, span, zone);
            let found = walk(&program, schedule, span, zone);
            let other = found
                .iter()
                .zip(&expected)
                .find(|(found, expected)| found != expected);
            assert!(found == expected, "{cron} in {zone:?}: {other:?}");
        }
    }
}

/// Each key with a plain rule for the days that it names.
type Rule = fn(&Program, Date) -> bool;

fn works(program: &Program, day: Date) -> bool {
    let weekday =
        usize::try_from(day.weekday().to_monday_zero_offset()).expect("a day of the week");
    program.calendar.business_days[weekday] && !program.calendar.holidays.contains_key(&day)
}

/// The days of the month, or of the quarter of a fiscal year that begins in April, in which a day lies.
fn period(day: Date, is_quarter: bool) -> Vec<Date> {
    let is_inside = |other: &Date| {
        let months = |of: Date| i32::from(of.year()) * 12 + i32::from(of.month()) - 1;
        let length = if is_quarter { 3 } else { 1 };
        months(*other).div_euclid(length) == months(day).div_euclid(length)
    };
    let begin = day
        .checked_sub(SignedDuration::from_hours(24 * 95))
        .expect("a day");
    let days = (0..190).filter_map(|ahead| {
        begin
            .checked_add(SignedDuration::from_hours(24 * ahead))
            .ok()
    });
    days.filter(is_inside).collect()
}

const DAYS: [(&str, Rule); 9] = [
    ("day", |_, _| true),
    ("business day", works),
    ("Mon,Thu", |_, day| {
        matches!(day.weekday().to_monday_one_offset(), 1 | 4)
    }),
    ("month 31", |_, day| day.day() == 31),
    ("month last", |_, day| {
        period(day, false).last() == Some(&day)
    }),
    ("month first business day", |program, day| {
        period(day, false)
            .into_iter()
            .find(|day| works(program, *day))
            == Some(day)
    }),
    ("month last business day", |program, day| {
        period(day, false)
            .into_iter()
            .rfind(|day| works(program, *day))
            == Some(day)
    }),
    ("quarter first business day", |program, day| {
        period(day, true)
            .into_iter()
            .find(|day| works(program, *day))
            == Some(day)
    }),
    ("quarter last", |_, day| {
        period(day, true).last() == Some(&day)
    }),
];

#[test]
fn days_of_the_calendar_are_those_that_a_plain_search_finds() {
    let keys: Vec<String> = DAYS
        .iter()
        .map(|(days, _)| format!("every: {days} 02:30"))
        .collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (program, schedules) = schedules(&keys);
    let zones = zones();
    for (number, ((days, rule), schedule)) in DAYS.iter().zip(&schedules).enumerate() {
        let begin = date(2024, 12, 30);
        let all = (0..740).filter_map(|ahead| {
            begin
                .checked_add(SignedDuration::from_hours(24 * ahead))
                .ok()
        });
        let hits: Vec<DateTime> = all
            .filter(|day| rule(&program, *day))
            .map(|day| day.at(2, 30, 0, 0))
            .collect();
        assert!(hits.len() > 5, "{days}");
        for zone in zones.iter().skip(number % 5).step_by(5) {
            let midnight = jiff::civil::Time::midnight();
            let span = (
                at_time(date(2025, 1, 1), midnight, zone),
                at_time(date(2026, 12, 31), midnight, zone),
            );
            let expected = instants(hits.iter().copied(), span, zone);
            assert_eq!(
                walk(&program, schedule, span, zone),
                expected,
                "{days} in {zone:?}"
            );
        }
    }
}

#[test]
fn a_gap_moves_forward_and_of_a_fold_the_first_counts() {
    let (program, schedules) = schedules(&[
        "cron: \"30 2 * * *\"",
        "cron: \"30 1 * * *\"",
        "cron: \"0,30 1-3 * * *\"",
    ]);
    let zone = TimeZone::get("America/New_York").expect("a zone");
    let shown = |schedule: &Schedule, from: &str, until: &str| -> Vec<String> {
        let span = (
            from.parse().expect("a time"),
            until.parse().expect("a time"),
        );
        let found = walk(&program, schedule, span, &zone);
        found
            .iter()
            .map(|at| {
                at.to_zoned(zone.clone())
                    .strftime("%d %H:%M%:z")
                    .to_string()
            })
            .collect()
    };
    assert_eq!(
        shown(
            &schedules[0],
            "2026-03-07T12:00:00Z",
            "2026-03-09T12:00:00Z"
        ),
        ["08 03:30-04:00", "09 02:30-04:00"]
    );
    assert_eq!(
        shown(
            &schedules[1],
            "2026-10-31T12:00:00Z",
            "2026-11-02T12:00:00Z"
        ),
        ["01 01:30-04:00", "02 01:30-05:00"]
    );
    assert_eq!(
        shown(
            &schedules[2],
            "2026-03-08T05:00:00Z",
            "2026-03-08T12:00:00Z"
        ),
        [
            "08 01:00-05:00",
            "08 01:30-05:00",
            "08 03:00-04:00",
            "08 03:30-04:00"
        ]
    );
}
