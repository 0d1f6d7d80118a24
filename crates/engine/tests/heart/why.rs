//! Why: the start taken apart, the part to blame, and when time alone makes it true.

use crate::history::{begin, fact};
use crate::workspace::{checked, shipped, shipped_files};
use engine::simulate::Simulation;
use engine::why::{Standing, Why};
use engine::{Account, Clock, Context, Rules, why};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use workflow::Program;

/// An account whose contract renews on 2026-06-30, looked at after so many days.
fn look(days: i64, contract: serde_json::Value) -> Why {
    let (program, _) = shipped();
    look_at((&program, "renewal"), days, contract)
}

fn look_at((program, workflow): (&Program, &str), days: i64, contract: serde_json::Value) -> Why {
    let mut simulation = Simulation::new(program);
    let account = json!({"name": "Acme", "timezone": "Asia/Tokyo"});
    simulation.push(&fact("acme", 1, "account.updated", begin(), account));
    simulation.push(&fact("acme", 2, "contract.updated", begin(), contract));
    let now = begin() + SignedDuration::from_hours(24 * days);
    simulation.raise(now);
    let rules = Rules::of(program);
    let csms = simulation.csms().clone();
    let account: Account = simulation.accounts().next().expect("an account").clone();
    let context = Context {
        program,
        rules: &rules,
        csms: &csms,
        pins: None,
        clock: Clock::Log,
    };
    let found = why::why(&context, &account, now, workflow).expect("the workflow is there");
    assert!(why::why(&context, &account, now, "nope").is_none());
    found
}

fn contract(renewal_status: Option<&str>) -> serde_json::Value {
    let renewal_date = renewal_status.map(|_| "2026-06-30");
    let renewal_status = renewal_status.unwrap_or("open");
    json!({"contract": "k-1", "status": "active", "renewal_date": renewal_date, "renewal_status": renewal_status,
           "start_date": "2025-07-01"})
}

fn only(why: &Why) -> &Standing {
    assert_eq!(why.subjects.len(), 1);
    &why.subjects[0]
}

fn tokyo(text: &str) -> Timestamp {
    format!("{text}+09:00").parse().expect("an instant")
}

#[test]
fn a_window_that_time_will_open_says_when() {
    let why = look(0, contract(Some("open")));
    let standing = only(&why);
    let blame = standing.blame.as_ref().expect("it is not true yet");
    assert_eq!(
        &*blame.leaf.text,
        "days_until(contract.renewal_date) in 90..120"
    );
    assert_eq!(&*blame.leaf.parts[0].gives, "176");
    // 120 days before 30 June is 2 March; from 00:00 in Tokyo.
    assert_eq!(blame.true_at, Some(tokyo("2026-03-02T00:00:00")));
    assert!(standing.runs.is_empty());
    // `while` begins 150 days before.
    assert_eq!(standing.against.as_deref(), Some("while"));
}

#[test]
fn the_first_false_part_is_to_blame_and_time_does_not_help_it() {
    let why = look(0, contract(Some("renewed")));
    let blame = only(&why).blame.as_ref().expect("it is not true");
    assert_eq!(&*blame.leaf.text, "contract.renewal_status == open");
    assert_eq!(
        &*blame.needs,
        "contract.renewal_status would have to be equal to open"
    );
    assert_eq!(blame.true_at, None);
    assert_eq!(blame.leaf.parts[0].said_at, Some(begin()));
}

#[test]
fn what_is_unknown_is_said_to_be() {
    let why = look(0, contract(None));
    let blame = only(&why).blame.as_ref().expect("it is not true");
    let leaf = &blame.leaf;
    assert_eq!(&*leaf.text, "days_until(contract.renewal_date) in 90..120");
    assert_eq!((leaf.truth, &*leaf.gives), (None, "unknown"));
    assert_eq!(&*leaf.parts[0].parts[0].gives, "unknown");
    assert_eq!(blame.true_at, None);
}

#[test]
fn an_open_run_says_where_it_rests_and_until_when() {
    // 4 March: begun on the 2nd, `brief` is done; `intro` found nobody and was skipped.
    let why = look(58, contract(Some("open")));
    let standing = only(&why);
    assert_eq!(standing.against.as_deref(), Some("running"));
    let run = standing.runs.first().expect("a run is open");
    assert_eq!(run.started_at, tokyo("2026-03-02T00:00:00"));
    let rest = run.rests.as_ref().expect("it rests");
    assert_eq!(&*rest.step, "by-touch");
    // Its window opens 105 days before, on 17 March, and decisions are made in working hours.
    assert_eq!(rest.until, Some(tokyo("2026-03-17T00:00:00")));
    let done: Vec<&str> = run.steps.iter().map(|deed| &*deed.step).collect();
    assert_eq!(done, ["brief", "intro"]);
}

#[test]
fn a_segment_is_looked_into_for_the_part_to_blame() {
    // `onboarding_complete` begins with `first_value_reached`, which is `first_report_at is known`.
    let ready = "workflow: ready\ntitle: R\nstatus: live\nstart: {when: onboarding_complete, existing: skip}\n\
                 once_per: account\nsteps:\n  - {id: tell, alert: csm, text: Look}\n";
    let mut files = shipped_files();
    files.insert("workflows/ready.yaml".into(), ready.into());
    let (program, _) = checked(&files);
    let why = look_at((&program, "ready"), 0, contract(Some("open")));
    let blame = only(&why).blame.as_ref().expect("it is not true");
    assert_eq!(&*blame.leaf.text, "first_report_at is known");
    assert_eq!(&*blame.needs, "first_report_at would have to be known");
}
