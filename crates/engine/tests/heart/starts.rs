//! Starts, in sentences: events, moments of the calendar, contacts, cases of risks, holdouts.

use crate::bench::{Bench, program};
use crate::history::begin;
use engine::{Clock, Input};
use jiff::{SignedDuration, Timestamp};
use model::Kind;
use serde_json::json;

fn hour(hours: i64) -> Timestamp {
    begin() + SignedDuration::from_hours(hours)
}

fn day(days: i64) -> Timestamp {
    hour(24 * days)
}

/// A workflow whose only step tells the CSM at once.
fn telling(name: &str, keys: &str) -> String {
    format!(
        "workflow: {name}\ntitle: {name}\nstatus: live\n{keys}\nsteps:\n  - id: tell\n    alert: csm\n    text: Now\n    hours: any\n"
    )
}

const PRAISE: &str = "start:\n  event: nps.responded\n  if: event.score >= 9\nonce_per: 30d";

#[test]
fn an_event_starts_a_run_if_its_condition_holds_then() {
    let program = program(&[&telling("praise", PRAISE)], &[]);
    let mut bench = Bench::begun(&program);
    bench.tell(
        "nps.responded",
        day(1),
        json!({"contact": "p-1", "score": 3}),
    );
    assert!(bench.of("praise", Kind::Start).is_empty());
    assert!(
        bench.whys("praise").is_empty(),
        "an event that was never meant says nothing"
    );
    bench.tell(
        "nps.responded",
        day(2),
        json!({"contact": "p-1", "score": 9}),
    );
    assert_eq!(bench.subjects("praise"), ["acme"]);
    assert_eq!(bench.of("praise", Kind::Alert).len(), 1);
    bench.tell(
        "nps.responded",
        day(3),
        json!({"contact": "p-1", "score": 10}),
    );
    assert_eq!(bench.of("praise", Kind::Start).len(), 1);
    assert_eq!(bench.whys("praise"), ["once_per"]);
    bench.tell(
        "nps.responded",
        day(40),
        json!({"contact": "p-1", "score": 10}),
    );
    assert_eq!(bench.of("praise", Kind::Start).len(), 2);
}

#[test]
fn an_event_updates_metrics_before_it_is_offered() {
    let keys = "start:\n  event: user.invited\n  if: invited_users >= 2\nonce_per: account";
    let program = program(&[&telling("team", keys)], &[]);
    let mut bench = Bench::begun(&program);
    bench.tell("user.invited", day(1), json!({"user": "u1"}));
    assert!(bench.subjects("team").is_empty());
    bench.tell("user.invited", day(2), json!({"user": "u2"}));
    assert_eq!(bench.subjects("team"), ["acme"]);
}

#[test]
fn an_old_event_is_recorded_as_too_late() {
    let keys = "start:\n  event: nps.responded\n  if: event.score >= 9\n  max_age: 2h\nonce_per: occurrence";
    let program = program(&[&telling("praise", keys)], &[]);
    let mut bench = Bench::new(&program, Clock::Live);
    bench.live_fact(
        "contact.updated",
        hour(0),
        hour(0),
        json!({"contact": "p-1", "name": "T", "role": "champion", "email": "t@acme.example"}),
    );
    let told = |bench: &mut Bench<'_>, at, score| {
        bench.live_fact(
            "nps.responded",
            at,
            hour(10),
            json!({"contact": "p-1", "score": score}),
        );
    };
    told(&mut bench, hour(7), 10);
    told(&mut bench, hour(7), 2);
    assert_eq!(bench.whys("praise"), ["too_late"]);
    told(&mut bench, hour(8), 10);
    assert_eq!(
        bench.of("praise", Kind::Start).len(),
        1,
        "two hours are not too old"
    );
}

#[test]
fn history_starts_nothing() {
    let program = program(&[&telling("praise", PRAISE)], &[]);
    let mut bench = Bench::begun(&program);
    bench.mark(
        "nps.responded",
        day(1),
        json!({"contact": "p-1", "score": 9}),
    );
    bench.close_history();
    assert!(bench.subjects("praise").is_empty());
    bench.tell(
        "nps.responded",
        day(2),
        json!({"contact": "p-1", "score": 9}),
    );
    assert_eq!(bench.subjects("praise"), ["acme"]);
}

#[test]
fn a_start_while_a_run_is_open_is_ignored_or_begins_anew() {
    let watch = |name: &str, more: &str| {
        let keys = format!(
            "start:\n  event: meeting.held\nonce_per: occurrence\n{more}goal: {{when: account.flagship, within: 10d}}"
        );
        telling(name, &keys)
    };
    let program = program(
        &[&watch("calm", ""), &watch("eager", "if_running: restart\n")],
        &[],
    );
    let mut bench = Bench::begun(&program);
    for days in [1, 3] {
        bench.tell("meeting.held", day(days), json!({"kind": "checkin"}));
    }
    bench.tick(day(14));
    assert_eq!(bench.of("calm", Kind::Start).len(), 1);
    assert_eq!(bench.whys("calm"), ["running"]);
    assert_eq!(
        bench.times("calm", Kind::End),
        ["2026-01-16T09:00:00+09:00"]
    );
    assert_eq!(bench.of("eager", Kind::Start).len(), 2);
    let ends: Vec<_> = bench
        .of("eager", Kind::End)
        .iter()
        .map(|end| end.how.clone())
        .collect();
    assert_eq!(ends, [Some("stopped".into()), Some("finished".into())]);
    assert_eq!(
        bench.times("eager", Kind::End),
        ["2026-01-08T09:00:00+09:00", "2026-01-18T09:00:00+09:00"]
    );
}

#[test]
fn an_unknown_key_starts_nothing_and_a_known_one_once() {
    let keys = "start:\n  event: ticket.opened\nonce_per: account.industry";
    let program = program(&[&telling("first", keys)], &[]);
    let mut bench = Bench::begun(&program);
    let ticket = |bench: &mut Bench<'_>, days| {
        bench.tell(
            "ticket.opened",
            day(days),
            json!({"ticket": "t", "severity": "low"}),
        )
    };
    ticket(&mut bench, 1);
    assert_eq!(bench.whys("first"), ["unknown_key"]);
    bench.tell("account.updated", day(2), json!({"industry": "it"}));
    ticket(&mut bench, 3);
    ticket(&mut bench, 4);
    assert_eq!(bench.subjects("first"), ["acme"]);
    bench.tell("account.updated", day(5), json!({"industry": "retail"}));
    ticket(&mut bench, 6);
    assert_eq!(bench.subjects("first").len(), 2);
}

#[test]
fn the_event_stays_with_its_run() {
    let keys = "for_each: contact\nstart:\n  event: nps.responded\nonce_per: occurrence\nwhile: started_by.score >= 9 and started_by.contact.role == champion";
    let program = program(&[&telling("praise", keys)], &[]);
    let mut bench = Bench::begun(&program);
    bench.tell(
        "contact.updated",
        day(1),
        json!({"contact": "p-2", "name": "S", "role": "admin", "email": "s@acme.example"}),
    );
    bench.tell(
        "nps.responded",
        day(2),
        json!({"contact": "p-2", "score": 10}),
    );
    assert_eq!(bench.whys("praise"), ["while"], "an admin is no champion");
    bench.tell(
        "nps.responded",
        day(3),
        json!({"contact": "p-1", "score": 10, "comment": "A long one"}),
    );
    assert_eq!(bench.subjects("praise"), ["p-1"]);
    let state = bench
        .account
        .head
        .workflows
        .get("praise")
        .expect("it is known");
    let kept: Vec<&str> = state.runs[0]
        .started_by
        .keys()
        .map(|name| &**name)
        .collect();
    assert_eq!(kept, ["contact", "score"], "only what is read is kept");
}

#[test]
fn each_contact_is_a_subject_and_leaves_when_it_is_deleted() {
    let keys = "for_each: contact\nstart:\n  when: contact.role == champion\n  existing: include\nonce_per: contact\ngoal: {when: account.flagship, within: 30d}";
    let program = program(&[&telling("welcome", keys)], &[]);
    let mut bench = Bench::begun(&program);
    assert_eq!(bench.subjects("welcome"), ["p-1"]);
    bench.tell(
        "contact.updated",
        day(1),
        json!({"contact": "p-2", "name": "S", "role": "champion", "email": "s@acme.example"}),
    );
    bench.tell(
        "contact.updated",
        day(1),
        json!({"contact": "p-3", "name": "B", "role": "billing", "email": "b@acme.example"}),
    );
    assert_eq!(bench.subjects("welcome"), ["p-1", "p-2"]);
    bench.tell("contact.deleted", day(2), json!({"contact": "p-1"}));
    let ends = bench.of("welcome", Kind::End);
    assert_eq!(
        (ends[0].subject.as_deref(), ends[0].how.as_deref()),
        (Some("p-1"), Some("left"))
    );
    bench.tell(
        "contact.updated",
        day(11),
        json!({"contact": "p-1", "name": "T", "role": "champion", "email": "t@acme.example"}),
    );
    assert_eq!(
        bench.subjects("welcome").len(),
        2,
        "who comes back is not welcomed twice"
    );
}

#[test]
fn an_event_without_a_contact_starts_a_run_for_each() {
    let keys = "for_each: contact\nstart:\n  event: company.news\n  if: contact.role in [champion, admin]\nonce_per: occurrence";
    let program = program(&[&telling("news", keys)], &[]);
    let mut bench = Bench::begun(&program);
    bench.tell(
        "contact.updated",
        day(1),
        json!({"contact": "p-2", "name": "S", "role": "admin", "email": "s@acme.example"}),
    );
    bench.tell(
        "contact.updated",
        day(1),
        json!({"contact": "p-3", "name": "B", "role": "billing", "email": "b@acme.example"}),
    );
    bench.tell("company.news", day(2), json!({"kind": "ipo"}));
    assert_eq!(bench.subjects("news"), ["p-1", "p-2"]);
}

const WEEKLY: &str = "start:\n  every: Mon,Thu 09:00\n  if: account.flagship\nonce_per: occurrence";

#[test]
fn a_moment_of_the_calendar_starts_a_run_if_the_condition_holds_then() {
    let program = program(&[&telling("weekly", WEEKLY)], &[]);
    let mut bench = Bench::begun(&program);
    bench.tick(day(2));
    assert!(bench.subjects("weekly").is_empty());
    bench.tell("account.updated", day(2), json!({"flagship": true}));
    bench.tick(day(8));
    assert_eq!(
        bench.times("weekly", Kind::Start),
        ["2026-01-08T09:00:00+09:00", "2026-01-12T09:00:00+09:00"]
    );
    bench.tell("account.updated", day(9), json!({"flagship": false}));
    bench.tick(day(16));
    assert_eq!(bench.of("weekly", Kind::Start).len(), 2);
    assert!(bench.whys("weekly").is_empty());
}

#[test]
fn a_fact_of_the_very_moment_is_read_before_it() {
    let program = program(&[&telling("weekly", WEEKLY)], &[]);
    let mut bench = Bench::begun(&program);
    bench.tell("account.updated", day(3), json!({"flagship": true}));
    bench.tick(day(3));
    assert_eq!(
        bench.times("weekly", Kind::Start),
        ["2026-01-08T09:00:00+09:00"]
    );
}

#[test]
fn a_schedule_never_fires_for_the_time_before_it_went_live() {
    let daily = telling("daily", "start:\n  every: day 09:00\nonce_per: occurrence");
    let program = program(&[&daily], &[]);
    let mut bench = Bench::new(&program, Clock::Log);
    bench.mark(
        "account.updated",
        hour(-24),
        json!({"name": "A", "timezone": "Asia/Tokyo"}),
    );
    bench.tick(hour(0));
    bench.close_history();
    bench.tick(hour(23));
    assert!(bench.subjects("daily").is_empty());
    bench.tick(hour(24));
    assert_eq!(
        bench.times("daily", Kind::Start),
        ["2026-01-06T09:00:00+09:00"]
    );
}

#[test]
fn of_an_outage_only_the_latest_moment_counts_and_the_others_are_listed() {
    let daily = telling("daily", "start:\n  every: day 09:00\nonce_per: occurrence");
    let program = program(&[&daily], &[]);
    let mut bench = Bench::new(&program, Clock::Live);
    bench.live_fact(
        "account.updated",
        hour(1),
        hour(1),
        json!({"name": "A", "timezone": "Asia/Tokyo"}),
    );
    assert_eq!(bench.account.wake_at(), Some(day(1)));
    bench.live(Input::Wake, day(3) + SignedDuration::from_hours(5));
    assert_eq!(bench.of("daily", Kind::Start).len(), 1);
    let missed: Vec<_> = bench
        .of("daily", Kind::Skip)
        .iter()
        .map(|skip| (skip.why.as_deref(), skip.value.clone()))
        .collect();
    assert_eq!(
        missed,
        [
            (Some("too_late"), Some(json!("2026-01-06T09:00:00+09:00"))),
            (Some("too_late"), Some(json!("2026-01-07T09:00:00+09:00"))),
        ]
    );
    assert_eq!(bench.account.wake_at(), Some(day(4)));
    bench.live(Input::Wake, day(3) + SignedDuration::from_hours(6));
    assert_eq!(
        bench.of("daily", Kind::Start).len(),
        1,
        "it was decided already"
    );
}

#[test]
fn a_weekly_moment_missed_by_more_than_a_day_waits_for_the_next() {
    let program = program(
        &[&telling(
            "weekly",
            "start:\n  every: Mon 09:00\nonce_per: occurrence",
        )],
        &[],
    );
    let mut bench = Bench::new(&program, Clock::Live);
    bench.live_fact(
        "account.updated",
        hour(1),
        hour(1),
        json!({"name": "A", "timezone": "Asia/Tokyo"}),
    );
    bench.live(Input::Wake, day(8) + SignedDuration::from_secs(1));
    assert!(bench.subjects("weekly").is_empty());
    assert_eq!(bench.whys("weekly"), ["too_late"]);
    assert_eq!(bench.account.wake_at(), Some(day(14)));
}

#[test]
fn an_account_that_moves_keeps_one_moment_a_day() {
    let daily = telling("daily", "start:\n  every: day 09:00\nonce_per: occurrence");
    let program = program(&[&daily], &[]);
    let mut bench = Bench::begun(&program);
    bench.tick(day(1));
    bench.tell(
        "account.updated",
        day(1) + SignedDuration::from_hours(1),
        json!({"timezone": "America/New_York"}),
    );
    bench.tick(day(3));
    assert_eq!(
        bench.times("daily", Kind::Start),
        [
            "2026-01-05T09:00:00+09:00",
            "2026-01-06T09:00:00+09:00",
            "2026-01-07T09:00:00-05:00",
        ]
    );
}

#[test]
fn who_is_held_out_gets_no_steps_and_is_watched_for_the_goal() {
    let keys = "start:\n  event: ticket.opened\nonce_per: occurrence\nholdout: 100%\ngoal:\n  when: account.flagship\n  within: 10d\n  then:\n    - id: after\n      alert: csm\n      text: Done\n      hours: any";
    let program = program(
        &[
            &telling("held", keys),
            &telling("free", &keys.replace("100%", "0%")),
        ],
        &[],
    );
    let mut bench = Bench::begun(&program);
    bench.tell(
        "ticket.opened",
        day(1),
        json!({"ticket": "t", "severity": "low"}),
    );
    bench.tick(day(2));
    assert_eq!(bench.whys("held"), ["holdout"]);
    assert!(bench.of("held", Kind::Alert).is_empty());
    assert_eq!(bench.of("free", Kind::Alert).len(), 1);
    bench.tell("account.updated", day(3), json!({"flagship": true}));
    bench.tick(day(4));
    let how = |bench: &Bench<'_>, name: &str| bench.of(name, Kind::End)[0].how.clone();
    assert_eq!(
        (how(&bench, "held"), how(&bench, "free")),
        (Some("goal".into()), Some("goal".into()))
    );
    assert!(
        bench.of("held", Kind::Alert).is_empty(),
        "what comes after the goal is a step too"
    );
    assert_eq!(bench.of("free", Kind::Alert).len(), 2);
}

#[test]
fn who_is_held_out_is_watched_as_long_as_the_others() {
    let keys = "start:\n  event: ticket.opened\nonce_per: occurrence\nholdout: 100%\ngoal: {when: account.flagship, within: 10d}";
    let program = program(&[&telling("held", keys)], &[]);
    let mut bench = Bench::begun(&program);
    bench.tell(
        "ticket.opened",
        day(1),
        json!({"ticket": "t", "severity": "low"}),
    );
    bench.tick(day(20));
    assert_eq!(
        bench.times("held", Kind::End),
        ["2026-01-16T09:00:00+09:00"]
    );
    assert_eq!(
        bench.of("held", Kind::End)[0].how.as_deref(),
        Some("finished")
    );
}
