//! Civil time against slow walks.

use crate::dice::Dice;
use crate::world::calendar;
use engine::calendar::{add, at_time, day_of, next_open, shift_business_days, start_of, zone};
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Span};
use workflow::program::Period;

const ZONES: [&str; 8] = [
    "Asia/Tokyo",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Africa/Cairo",
    "America/Santiago",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Apia",
];

#[test]
fn three_business_days_after_a_friday_before_a_holiday_are_thursday() {
    let calendar = calendar();
    let tokyo = zone("Asia/Tokyo").expect("a zone");
    let one = Time::constant(13, 0, 0, 0);
    // Monday 2026-01-12 is a holiday.
    let friday = at_time(Date::constant(2026, 1, 9), one, &tokyo);
    let thursday = at_time(Date::constant(2026, 1, 15), one, &tokyo);
    assert_eq!(
        add(&calendar, friday, Period::BusinessDays(3), &tokyo),
        Some(thursday)
    );
}

#[test]
fn a_day_begins_once_and_never_goes_back() {
    let mut dice = Dice::new(1);
    for _ in 0..300 {
        let zone = zone(dice.pick::<&str>(&ZONES)).expect("a zone");
        let day = Date::constant(1970, 1, 1) + Span::new().days(dice.between(0, 84_000));
        let start = start_of(day, &zone);
        assert!(day_of(start, &zone) >= day);
        let mut last = day_of(start - SignedDuration::from_hours(2), &zone);
        assert!(day_of(start - SignedDuration::from_nanos(1), &zone) < day);
        for minute in -120..120 {
            let at = start + SignedDuration::from_mins(minute);
            let shown = day_of(at, &zone);
            assert!(shown >= last, "{day} in {zone:?}");
            assert_eq!(start <= at, day <= shown, "{day} in {zone:?}");
            last = shown;
        }
    }
}

#[test]
fn working_days_are_those_that_a_walk_counts() {
    let calendar = calendar();
    let mut dice = Dice::new(2);
    for _ in 0..300 {
        let from = Date::constant(1990, 1, 1) + Span::new().days(dice.between(0, 12_000));
        let count = dice.between(1, 60);
        let mut day = from;
        let mut left = count;
        while left > 0 {
            day = day.tomorrow().expect("of this age");
            left -= i64::from(engine::calendar::is_business_day(&calendar, day));
        }
        assert_eq!(shift_business_days(&calendar, from, count), Some(day));
    }
}

#[test]
fn the_next_open_minute_is_the_one_that_a_walk_finds() {
    let calendar = calendar();
    let mut dice = Dice::new(3);
    for _ in 0..40 {
        let zone = zone(dice.pick::<&str>(&ZONES)).expect("a zone");
        let day = Date::constant(1990, 1, 1) + Span::new().days(dice.between(0, 14_000));
        let at = start_of(day, &zone) + SignedDuration::from_mins(dice.between(0, 1_439));
        let mut walked = at;
        let is_open = |at| {
            let civil = zone.to_datetime(at);
            engine::calendar::is_business_day(&calendar, civil.date())
                && (9..18).contains(&civil.hour())
        };
        while !is_open(walked) {
            walked += SignedDuration::from_mins(1);
        }
        assert_eq!(next_open(&calendar, at, &zone), Some(walked), "{at}");
    }
}
