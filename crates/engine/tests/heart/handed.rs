//! Tasks that change hands: put off, and given to another CSM.

use crate::bench::{Bench, program};
use jiff::{SignedDuration, Timestamp};
use model::{Channel, Kind, Target, TaskChange, TaskState};
use serde_json::json;
use workflow::Program;

const TASK: &str = "workflow: task\ntitle: task\nstatus: live\nstart:\n  event: meeting.held\nonce_per: occurrence\nsteps:\n  - id: call\n    task: Call\n    assignee: csm\n    due: 2d\n    hours: any\n";
const LATE: &str = "workflow: late\ntitle: late\nstatus: live\nstart:\n  event: task.overdue\nonce_per: occurrence\nsteps:\n  - id: tell\n    alert: csm\n    text: late\n    hours: any\n";

fn day(days: i64) -> Timestamp {
    crate::history::begin() + SignedDuration::from_hours(24 * days)
}

fn bench(program: &Program) -> Bench<'_> {
    let mut bench = Bench::begun(program);
    bench.csm("c7", json!({"name": "山本", "slack": "U7"}));
    bench.csm(
        "c9",
        json!({"name": "鈴木", "slack": "U9", "email": "suzuki@vendor.example"}),
    );
    bench.tell("account.updated", day(1), json!({"csm": "c7"}));
    bench.tell("meeting.held", day(1), json!({"kind": "checkin"}));
    bench
}

fn answer(more: serde_json::Value) -> serde_json::Value {
    let mut data = json!({"workflow": "task", "subject": "acme", "step": "call"});
    for (key, value) in more.as_object().expect("an object") {
        data[key] = value.clone();
    }
    data
}

fn task(bench: &Bench<'_>) -> TaskChange {
    let tasks = bench
        .decisions
        .iter()
        .flat_map(|(_, decision)| &decision.tasks);
    tasks.last().expect("a task was given").clone()
}

fn late(bench: &Bench<'_>) -> usize {
    bench.of("late", Kind::Start).len()
}

#[test]
fn a_task_that_is_put_off_is_overdue_when_it_is_due_then() {
    let program = program(&[TASK, LATE], &[]);
    let mut bench = bench(&program);
    assert_eq!(task(&bench).due_at, Some(day(3)));
    bench.tell(
        "task.snoozed",
        day(2),
        answer(json!({"until": day(6).to_string()})),
    );
    assert_eq!(task(&bench).due_at, Some(day(6)));
    bench.tick(day(5));
    assert_eq!(late(&bench), 0, "it is not due yet");
    bench.tick(day(7));
    assert_eq!(late(&bench), 1);
    bench.tell(
        "task.snoozed",
        day(8),
        answer(json!({"until": day(9).to_string()})),
    );
    bench.tick(day(10));
    assert_eq!(late(&bench), 2, "put off again, it is overdue again");
    bench.tell("task.done", day(11), answer(json!({})));
    bench.tell(
        "task.snoozed",
        day(12),
        answer(json!({"until": day(13).to_string()})),
    );
    bench.tick(day(20));
    assert_eq!(late(&bench), 2, "what is done is never overdue");
    assert_eq!(task(&bench).state, TaskState::Done);
}

#[test]
fn a_task_is_waited_for_though_its_run_ended_long_ago() {
    let long = TASK.replace("due: 2d", "due: 60d");
    let program = program(&[&long, LATE], &[]);
    let mut bench = bench(&program);
    let runs = |bench: &Bench<'_>| {
        bench
            .account
            .head
            .workflows
            .get("task")
            .expect("it is known")
            .runs
            .len()
    };
    bench.tick(day(45));
    assert_eq!(runs(&bench), 1, "its task is still to be done");
    bench.tick(day(70));
    assert_eq!(late(&bench), 1);
    bench.tell("task.done", day(75), answer(json!({})));
    assert_eq!(task(&bench).state, TaskState::Done);
    assert_eq!(runs(&bench), 0, "nothing is to come of it any more");
}

#[test]
fn a_task_that_nobody_ever_does_is_forgotten_with_its_run_in_the_end() {
    let program = program(&[TASK], &[]);
    let mut bench = bench(&program);
    let runs = |bench: &Bench<'_>| {
        bench
            .account
            .head
            .workflows
            .get("task")
            .expect("it is known")
            .runs
            .len()
    };
    for (at, kept) in [(360, 1), (370, 0)] {
        bench.tell(
            "account.updated",
            day(at),
            json!({"name": format!("A{at}")}),
        );
        assert_eq!(runs(&bench), kept, "day {at}");
    }
}

#[test]
fn a_task_that_is_given_to_another_csm_is_theirs_and_they_are_told() {
    let program = program(&[TASK], &[]);
    let mut bench = bench(&program);
    assert_eq!(task(&bench).csm.as_deref(), Some("c7"));
    let before = bench.decisions.len();
    bench.tell("task.reassigned", day(2), answer(json!({"to": "c9"})));
    assert_eq!(task(&bench).csm.as_deref(), Some("c9"));
    let told = bench.decisions[before..].iter();
    let told: Vec<_> = told.flat_map(|(_, decision)| &decision.outbox).collect();
    let [told] = told.as_slice() else {
        panic!("one message, not {}", told.len());
    };
    let Channel::Route { targets, .. } = &told.channel else {
        panic!("a message for a colleague");
    };
    assert_eq!(
        targets,
        &[
            Target::Slack("U9".into()),
            Target::Email("suzuki@vendor.example".into())
        ]
    );
    bench.tell("task.reassigned", day(2), answer(json!({"to": "nobody"})));
    assert_eq!(
        task(&bench).csm.as_deref(),
        Some("c9"),
        "there is no such CSM"
    );
    bench.tell("task.done", day(3), answer(json!({})));
    assert_eq!(task(&bench).csm.as_deref(), Some("c9"));
}

#[test]
fn what_people_changed_of_a_task_is_stored() {
    let program = program(&[TASK], &[]);
    let mut bench = bench(&program);
    bench.tell(
        "task.snoozed",
        day(2),
        answer(json!({"until": day(6).to_string()})),
    );
    bench.tell("task.reassigned", day(2), answer(json!({"to": "c9"})));
    let head = bench.account.encode_head();
    let parts = bench.account.parts.encode_all();
    let parts = parts.into_iter().collect();
    let id = model::AccountId::new("acme");
    let again = engine::Account::decode(id, Some(&head), parts).expect("it reads back");
    assert_eq!(again, bench.account);
}
