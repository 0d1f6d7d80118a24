//! What comes late, or in no time at all: holds that it resets, and an approval that ends at night.

use crate::bench::{Bench, program};
use crate::history::begin;
use crate::limits::{files, send, workflow};
use crate::workspace::checked;
use engine::Clock;
use jiff::{SignedDuration, Timestamp};
use model::Kind;
use serde_json::json;

fn hour(hours: i64) -> Timestamp {
    begin() + SignedDuration::from_hours(hours)
}

fn day(days: i64) -> Timestamp {
    hour(24 * days)
}

#[test]
fn an_event_that_comes_late_resets_a_hold_that_it_shows_to_be_false() {
    let silent = "workflow: silent\ntitle: Silent\nstatus: live\nstart:\n  when: hours_since(last_login_at) >= 20\n  for: 3d\n  existing: include\nonce_per: account\nsteps:\n  - id: tell\n    alert: csm\n    text: Now\n";
    let program = program(&[silent], &[]);
    let mut bench = Bench::begun(&program);
    bench.tell("user.logged_in", day(1), json!({"user": "u1"}));
    bench.tell("account.updated", day(3), json!({"flagship": true}));
    // Held since twenty hours after the first; in between it was false again for twenty hours.
    bench.tell("user.logged_in", day(2), json!({"user": "u1"}));
    bench.tick(day(7));
    let started: Timestamp = bench.times("silent", Kind::Start)[0]
        .parse()
        .expect("a time");
    assert_eq!(started, day(5) + SignedDuration::from_hours(20));
}

#[test]
fn a_late_event_that_changes_nothing_in_between_leaves_a_hold_alone() {
    let silent = "workflow: silent\ntitle: Silent\nstatus: live\nstart:\n  when: hours_since(last_login_at) >= 20\n  for: 3d\n  existing: include\nonce_per: account\nsteps:\n  - id: tell\n    alert: csm\n    text: Now\n";
    let program = program(&[silent], &[]);
    let mut bench = Bench::begun(&program);
    bench.tell("user.logged_in", day(1), json!({"user": "u1"}));
    bench.tell("account.updated", day(3), json!({"flagship": true}));
    bench.tell("user.logged_in", hour(20), json!({"user": "u2"}));
    bench.tick(day(7));
    let started: Timestamp = bench.times("silent", Kind::Start)[0]
        .parse()
        .expect("a time");
    assert_eq!(started, day(4) + SignedDuration::from_hours(20));
}

#[test]
fn the_hold_of_a_risk_begins_after_the_last_moment_at_which_it_was_seen_to_be_false() {
    let risk = "risks:\n  wanted:\n    title: Wanted\n    opens: (account.flagship else false) or account.goal_progress is known\n    for: 1d\n    closes: not (account.flagship else false)\n";
    let told = "workflow: told\ntitle: Told\nstatus: live\nstart:\n  event: risk.opened\n  if: event.category == wanted\nonce_per: occurrence\nsteps:\n  - id: tell\n    alert: csm\n    text: Now\n";
    let program = program(&[told], &[risk]);
    let mut bench = Bench::begun(&program);
    bench.tell("account.updated", day(1), json!({"flagship": true}));
    bench.tell("account.updated", day(4), json!({"flagship": false}));
    assert_eq!(
        bench.subjects("told").len(),
        1,
        "it opened, and closed again"
    );
    // It happened while the case was open, which says nothing of what was false after it.
    bench.tell(
        "contact.updated",
        hour(97),
        json!({"contact": "p-1", "name": "T"}),
    );
    bench.tell("account.updated", day(3), json!({"goal_progress": 0.5}));
    bench.tick(day(8));
    let started: Vec<Timestamp> = bench
        .times("told", Kind::Start)
        .iter()
        .map(|at| at.parse().expect("a time"))
        .collect();
    assert_eq!(started, [day(2), day(5)]);
}

#[test]
fn a_mail_that_may_go_since_nobody_answered_waits_for_the_morning_like_any_other() {
    let keys = "    if: not account.hot\n    approval: {by: csm, at_most: 12h, otherwise: send}\n";
    let (program, _) = checked(&files(
        "",
        &[workflow("w", "a", "topic: tips\n", &send("one", keys))],
    ));
    let mut bench = Bench::new(&program, Clock::Log);
    let facts = [
        (0, json!({"name": "A", "hot": false})),
        // It asks at 15:00 in Tokyo; what is false when the time is up, at night, is true again in the morning.
        (6, json!({"a": true})),
        (17, json!({"hot": true})),
        (20, json!({"hot": false})),
    ];
    for (at, data) in facts {
        bench.tell("account.updated", hour(at), data);
        if at == 0 {
            let data = json!({"contact": "p-1", "name": "T", "role": "champion", "email": "t@acme.example"});
            bench.tell("contact.updated", hour(0), data);
        }
    }
    bench.tick(day(3));
    assert!(
        bench.of("w", Kind::Skip).is_empty(),
        "nothing is decided at night"
    );
    let sent: Vec<Timestamp> = bench
        .times("w", Kind::Send)
        .iter()
        .map(|at| at.parse().expect("a time"))
        .collect();
    assert_eq!(sent, [day(1)]);
}
