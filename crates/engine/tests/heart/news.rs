//! Cases of risks as subjects, and the engine's own events as starts, in sentences.

use crate::bench::{Bench, program};
use crate::history::begin;
use engine::{Clock, Input, scenario};
use jiff::{SignedDuration, Timestamp};
use model::Kind;
use serde_json::json;

fn day(days: i64) -> Timestamp {
    begin() + SignedDuration::from_hours(24 * days)
}

/// A workflow whose only step tells the CSM at once.
fn telling(name: &str, keys: &str) -> String {
    format!(
        "workflow: {name}\ntitle: {name}\nstatus: live\n{keys}\nsteps:\n  - id: tell\n    alert: csm\n    text: Now\n    hours: any\n"
    )
}

fn mood(bench: &mut Bench<'_>, at: Timestamp, mood: &str) {
    bench.tell("account.updated", at, json!({"csm_sentiment": mood}));
}

const CASES: &str = "for_each: risk\nstart:\n  when: risk.open and risk.category == sentiment\n  existing: skip\nonce_per: risk\nremember: {severity: risk.severity}\ngoal: {when: not risk.open, within: 60d}";

#[test]
fn each_case_of_a_risk_is_a_subject_of_its_own() {
    let program = program(&[&telling("cases", CASES)], &[]);
    let mut bench = Bench::begun(&program);
    mood(&mut bench, day(1), "bad");
    mood(&mut bench, day(3), "good");
    mood(&mut bench, day(5), "bad");
    bench.tick(day(6));
    assert_eq!(bench.subjects("cases"), ["sentiment-1", "sentiment-2"]);
    let ends = bench.of("cases", Kind::End);
    let ended: Vec<_> = ends
        .iter()
        .map(|end| (end.subject.as_deref(), end.how.as_deref()))
        .collect();
    assert_eq!(ended, [(Some("sentiment-1"), Some("goal"))]);
    bench.tick(day(80));
    let last = bench.of("cases", Kind::End);
    assert_eq!(
        last.last().and_then(|end| end.how.as_deref()),
        Some("finished"),
        "watched for sixty days"
    );
}

#[test]
fn a_run_goes_on_after_its_case_is_closed_and_still_reads_it() {
    let keys = "for_each: risk\nstart:\n  when: risk.open\n  existing: include\nonce_per: risk\ngoal: {when: not risk.open and account.flagship and risk.category == sentiment and risk.severity == normal, within: 60d}";
    let program = program(&[&telling("after", keys)], &[]);
    let mut bench = Bench::begun(&program);
    mood(&mut bench, day(1), "bad");
    mood(&mut bench, day(2), "good");
    mood(&mut bench, day(3), "bad");
    mood(&mut bench, day(4), "good");
    bench.tell("account.updated", day(5), json!({"flagship": true}));
    let ends = bench.of("after", Kind::End);
    let ended: Vec<_> = ends
        .iter()
        .map(|end| (end.subject.as_deref(), end.how.as_deref()))
        .collect();
    assert_eq!(
        ended,
        [
            (Some("sentiment-1"), Some("goal")),
            (Some("sentiment-2"), Some("goal"))
        ]
    );
    bench.tell("account.updated", day(50), json!({"flagship": false}));
    assert_eq!(
        bench.account.head.risks["sentiment"].closed.len(),
        1,
        "only the last one is kept"
    );
}

#[test]
fn a_closing_case_can_start_a_run() {
    let when = telling(
        "calm",
        "for_each: risk\nstart:\n  when: not risk.open\n  existing: skip\nonce_per: risk",
    );
    let event = telling(
        "relief",
        "for_each: risk\nstart:\n  event: risk.closed\n  if: event.category == sentiment\nonce_per: risk",
    );
    let program = program(&[&when, &event], &[]);
    let mut bench = Bench::begun(&program);
    mood(&mut bench, day(1), "bad");
    assert!(bench.subjects("calm").is_empty());
    mood(&mut bench, day(2), "good");
    assert_eq!(bench.subjects("calm"), ["sentiment-1"]);
    assert_eq!(bench.subjects("relief"), ["sentiment-1"]);
}

#[test]
fn existing_decides_of_a_case_that_was_there_before() {
    let include = telling(
        "each-case",
        "for_each: risk\nstart:\n  when: risk.open\n  existing: include\nonce_per: risk",
    );
    let skip = telling(
        "new",
        "for_each: risk\nstart:\n  when: risk.open\n  existing: skip\nonce_per: risk",
    );
    let opened = telling(
        "opened",
        "start:\n  event: risk.opened\nonce_per: occurrence",
    );
    let program = program(&[&include, &skip, &opened], &[]);
    let mut bench = Bench::new(&program, Clock::Log);
    bench.mark(
        "account.updated",
        day(0),
        json!({"name": "A", "timezone": "Asia/Tokyo", "csm_sentiment": "bad"}),
    );
    bench.close_history();
    assert_eq!(bench.subjects("each-case"), ["sentiment-1"]);
    assert!(bench.subjects("new").is_empty());
    assert!(
        bench.subjects("opened").is_empty(),
        "how things stood is no news"
    );
    mood(&mut bench, day(1), "good");
    mood(&mut bench, day(2), "bad");
    assert_eq!(bench.subjects("new"), ["sentiment-2"]);
    assert_eq!(bench.subjects("opened"), ["acme"]);
}

#[test]
fn the_end_of_one_workflow_starts_another_in_the_same_instant() {
    let first = telling(
        "first",
        "start:\n  event: meeting.held\nonce_per: occurrence",
    );
    let then = telling(
        "then",
        "start:\n  event: workflow.ended\n  if: event.workflow == first and event.how == finished\nonce_per: occurrence",
    );
    let program = program(&[&first, &then], &[]);
    let mut bench = Bench::begun(&program);
    bench.tell("meeting.held", day(1), json!({"kind": "checkin"}));
    assert_eq!(
        bench.times("then", Kind::Start),
        bench.times("first", Kind::End)
    );
    assert_eq!(bench.of("then", Kind::Alert).len(), 1);
}

#[test]
fn workflows_that_start_each_other_for_ever_are_stopped_loudly() {
    let one = telling(
        "one",
        "start:\n  event: [meeting.held, workflow.ended]\n  if: (account.flagship else false) == false\nonce_per: occurrence",
    );
    let program = program(&[&one], &[]);
    let mut bench = Bench::begun(&program);
    bench.tell("meeting.held", day(1), json!({"kind": "checkin"}));
    bench.tick(day(2));
    let ends = bench.of("one", Kind::End);
    let stuck = ends
        .iter()
        .filter(|end| end.how.as_deref() == Some("stuck"));
    assert_eq!(stuck.count(), 1);
    assert!(ends.len() <= 9, "{}", ends.len());
    let ended = ends.len();
    bench.tick(day(30));
    assert_eq!(bench.of("one", Kind::End).len(), ended, "nothing goes on");
}

#[test]
fn a_change_of_stage_and_a_clicked_task_start_runs() {
    let stage = telling(
        "stage",
        "start:\n  event: stage.changed\nonce_per: occurrence",
    );
    let done = telling(
        "done",
        "start:\n  event: task.done\n  if: event.outcome == \"ok\"\nonce_per: occurrence",
    );
    let task = "workflow: task\ntitle: task\nstatus: live\nstart:\n  event: meeting.held\nonce_per: occurrence\nsteps:\n  - id: call\n    task: Call\n    assignee: csm\n    due: 2d\n    hours: any\n";
    let late = telling(
        "late",
        "start:\n  event: task.overdue\n  if: event.step == \"call\"\nonce_per: occurrence",
    );
    let program = program(&[&stage, &done, task, &late], &[]);
    let mut bench = Bench::begun(&program);
    let stages = bench
        .records()
        .filter(|record| record.kind == Kind::StageChanged)
        .count();
    assert_eq!(bench.of("stage", Kind::Start).len(), stages);
    bench.tell("meeting.held", day(1), json!({"kind": "checkin"}));
    bench.tell(
        "task.done",
        day(2),
        json!({"workflow": "task", "subject": "acme", "step": "call", "outcome": "ok"}),
    );
    assert_eq!(bench.subjects("done"), ["acme"]);
    bench.tick(day(5));
    assert!(
        bench.subjects("late").is_empty(),
        "what is done is never overdue"
    );
    bench.tell("meeting.held", day(6), json!({"kind": "checkin"}));
    bench.tick(day(10));
    assert_eq!(
        bench.times("late", Kind::Start),
        ["2026-01-13T09:00:00+09:00"]
    );
    bench.tick(day(20));
    assert_eq!(bench.of("late", Kind::Start).len(), 1, "told once");
}

#[test]
fn statuses_say_what_may_begin() {
    let keys = "start:\n  event: meeting.held\nonce_per: occurrence";
    let of =
        |status: &str| telling(status, keys).replace("status: live", &format!("status: {status}"));
    let all: Vec<String> = ["draft", "shadow", "live", "paused", "closing", "retired"]
        .into_iter()
        .map(of)
        .collect();
    let texts: Vec<&str> = all.iter().map(String::as_str).collect();
    let program = program(&texts, &[]);
    let mut bench = Bench::begun(&program);
    bench.tell("meeting.held", day(1), json!({"kind": "checkin"}));
    bench.tick(day(2));
    let begun = |status: &&str| !bench.subjects(status).is_empty();
    let all = ["draft", "shadow", "live", "paused", "closing", "retired"];
    assert_eq!(
        all.into_iter().filter(begun).collect::<Vec<_>>(),
        ["shadow", "live", "paused"]
    );
    let acts = |status: &&str| !bench.of(status, Kind::Alert).is_empty();
    assert_eq!(
        all.into_iter().filter(acts).collect::<Vec<_>>(),
        ["shadow", "live"]
    );
    let out = bench
        .decisions
        .iter()
        .flat_map(|(_, decision)| &decision.outbox);
    for outgoing in out {
        assert_eq!(outgoing.is_shadow, &*outgoing.workflow == "shadow");
    }
}

#[test]
fn a_test_holds_a_case_open_and_lets_it_close() {
    let tests = "accounts:\n  acme:\n    account: {name: A}\n    risk: {open: true, category: product, severity: high}\ntests:\n  - test: a grave case is told and its end is the goal\n    workflow: cases\n    given: acme\n    start_at: 2026-06-01 10:00\n    timeline:\n      - at: 2026-06-01 10:00\n        expect:\n          - {alert: csm}\n      - at: 2026-06-03 10:00\n        change: {risk.open: false}\n        expect:\n          - end: goal\n    end_at: 2026-06-20 09:00\n";
    let keys = "for_each: risk\nstart:\n  when: risk.open and risk.severity == high and risk.category == product\n  existing: skip\nonce_per: risk\ngoal: {when: not risk.open, within: 60d}";
    let (program, checked) = crate::bench::checked_with(
        &[&telling("cases", keys)],
        &[("workflows/tests/own.test.yaml", tests)],
    );
    let outcome = scenario::run(&program, &checked.scenarios[0], &|_| String::new());
    assert!(
        outcome.is_passed,
        "{}\n{}",
        outcome.differences.join("\n"),
        outcome.happened
    );
}

#[test]
fn live_a_wake_up_that_is_late_loses_no_moment() {
    let weekly = telling("weekly", "start:\n  every: Mon 09:00\nonce_per: occurrence");
    let program = program(&[&weekly], &[]);
    let mut bench = Bench::new(&program, Clock::Live);
    let late = SignedDuration::from_hours(3);
    bench.live_fact(
        "account.updated",
        day(1),
        day(1),
        json!({"name": "A", "timezone": "Asia/Tokyo"}),
    );
    bench.live_fact(
        "account.updated",
        day(7) + late,
        day(7) + late,
        json!({"name": "B"}),
    );
    assert!(
        bench.subjects("weekly").is_empty(),
        "a fact goes before the wake-up"
    );
    assert_eq!(bench.account.wake_at(), Some(day(7) + late));
    bench.live(Input::Wake, day(7) + late);
    assert_eq!(bench.subjects("weekly"), ["acme"]);
    assert_eq!(bench.account.wake_at(), Some(day(14)));
}
