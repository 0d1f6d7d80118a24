//! Why: the start taken apart, the part to blame, and when time alone makes it true.

use crate::history::{begin, fact};
use crate::workspace::{checked, shipped, shipped_files};
use engine::simulate::Simulation;
use engine::why::{Standing, Tree, Why};
use engine::{Account, Clock, Context, Rules, why};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use workflow::Program;

/// An account whose contract renews on 2026-06-30, looked at after so many days.
fn look(days: i64, contract: serde_json::Value) -> Why {
    let (program, _) = shipped();
    look_at((&program, "renewal"), days, contract)
}

fn look_at(of: (&Program, &str), days: i64, contract: serde_json::Value) -> Why {
    let account = json!({"name": "Acme", "timezone": "Asia/Tokyo"});
    look_at_account(of, days, (account, contract))
}

fn look_at_account(
    (program, workflow): (&Program, &str),
    days: i64,
    (account, contract): (serde_json::Value, serde_json::Value),
) -> Why {
    let mut simulation = Simulation::new(program);
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

/// A tree's node with this text, wherever it stands.
fn find<'t>(tree: &'t Tree, text: &str) -> Option<&'t Tree> {
    if tree.text.starts_with(text) {
        return Some(tree);
    }
    tree.parts.iter().find_map(|part| find(part, text))
}

/// The shipped workspace with one more workflow, started so, and more definitions.
fn with(start: &str, definitions: &str) -> Program {
    let mut files = shipped_files();
    let more = format!(
        "workflow: more\ntitle: M\nstatus: live\nstart: {start}\nonce_per: account\n\
         steps:\n  - {{id: tell, alert: csm, text: Look}}\n"
    );
    files.insert("workflows/more.yaml".into(), more.into());
    if !definitions.is_empty() {
        files.insert("workflows/definitions/more.yaml".into(), definitions.into());
    }
    checked(&files).0
}

#[test]
fn a_name_is_followed_to_the_facts_however_deep_they_lie() {
    let mut segments = "segments:\n  s12: account.arr >= 1M\n".to_owned();
    for deep in 0..12 {
        segments.push_str(&format!("  s{deep}: s{} or account.flagship\n", deep + 1));
    }
    let program = with("{when: s0, existing: skip}", &segments);
    let why = look_at((&program, "more"), 0, contract(Some("open")));
    let start = only(&why).start.as_ref().expect("a condition starts it");
    let leaf = find(start, "account.arr").expect("the fact is shown");
    assert_eq!(&*leaf.gives, "unknown");
}

#[test]
fn health_and_risks_show_what_stands_behind_them() {
    let when = "health.band == green and not any_open_risk and not sentiment";
    let program = with(&format!("{{when: {when}, existing: skip}}"), "");
    let account = json!({"name": "Acme", "timezone": "Asia/Tokyo", "csm_sentiment": "bad"});
    let why = look_at_account((&program, "more"), 0, (account, contract(Some("open"))));
    let start = only(&why).start.as_ref().expect("a condition starts it");
    let gives = |text: &str| {
        let found = find(start, text);
        &*found
            .unwrap_or_else(|| panic!("{text} is missing in {start:#?}"))
            .gives
    };
    // 15 % of the weight: the feeling alone is known.
    assert_eq!(
        gives("how much of the weight is known"),
        "15%, 40% are needed"
    );
    assert_eq!(gives("experience: sentiment"), "red");
    assert_eq!(gives("experience: csat"), "unknown");
    let sentiment = find(start, "experience: sentiment").expect("it was there");
    assert_eq!(sentiment.parts[0].said_at, Some(begin()));
    // Both `any_open_risk` and the risk itself tell of the case; the risk also what would close it.
    let any = find(start, "any_open_risk").expect("it is asked");
    assert_eq!(&*any.parts[0].gives, "open, normal");
    assert_eq!(any.parts[0].said_at, Some(begin()));
    assert_eq!(
        find(start, "closes: ").expect("it is open").truth,
        Some(false)
    );
}

#[test]
fn an_event_is_waited_for_and_what_it_will_say_is_not_to_blame() {
    let start = "{event: nps.responded, if: event.score >= 9 and contract.status == trial}";
    let why = look_at((&with(start, ""), "more"), 0, contract(Some("open")));
    let standing = only(&why);
    assert_eq!(standing.events, ["nps.responded".into()]);
    // `event.score` is not known before the event comes; that this is no trial is.
    let blame = standing.blame.as_ref();
    let blame = blame.expect("more than the event is missing");
    assert_eq!(&*blame.leaf.text, "contract.status == trial");
    let start = "{event: nps.responded, if: event.score >= 9}";
    let why = look_at((&with(start, ""), "more"), 0, contract(Some("open")));
    assert!(only(&why).blame.is_none(), "{why:#?}");
}

#[test]
fn the_calendar_says_its_next_moment_and_a_guard_is_shown() {
    let start = "{every: month first business day 09:00, if: contract.status == trial}";
    let why = look_at((&with(start, ""), "more"), 30, contract(Some("open")));
    let standing = only(&why);
    assert_eq!(standing.next_at, Some(tokyo("2026-03-02T09:00:00")));
    assert!(standing.events.is_empty() && standing.guard.is_none());
    let start = "{when: contract.status == active, if: account.flagship, existing: skip}";
    let why = look_at((&with(start, ""), "more"), 0, contract(Some("open")));
    let guard = only(&why).guard.as_ref().expect("it has an `if`");
    let told = (&*guard.text, &*guard.gives);
    assert_eq!(told, ("account.flagship", "unknown"));
}

#[test]
fn what_kept_an_event_from_starting_is_told_with_what_it_said() {
    let start = "{event: nps.responded, if: event.score >= 9 and contract.status == active}";
    let program = with(start, "");
    let mut simulation = Simulation::new(&program);
    let account = json!({"name": "Acme", "timezone": "Asia/Tokyo"});
    let contact = json!({"contact": "p-1", "name": "Mika", "email": "mika@acme.example"});
    let told = json!({"contact": "p-1", "score": 7});
    simulation.push(&fact("acme", 1, "account.updated", begin(), account));
    simulation.push(&fact("acme", 2, "contact.updated", begin(), contact));
    let active = contract(Some("open"));
    simulation.push(&fact("acme", 3, "contract.updated", begin(), active));
    let came = fact("acme", 4, "nps.responded", begin(), told);
    simulation.push(&came);
    let rules = Rules::of(&program);
    let csms = simulation.csms().clone();
    let account = simulation.accounts().next().expect("an account").clone();
    let context = Context {
        program: &program,
        rules: &rules,
        csms: &csms,
        pins: None,
        clock: Clock::Log,
    };
    let offered = why::offered(&context, &account, "more", &came.fact);
    let offered = offered.expect("the event is one that it starts on");
    let asked = &offered.subjects[0];
    let blame = asked.blame.as_ref().expect("it was not true");
    assert_eq!(&*blame.leaf.text, "event.score >= 9");
    assert_eq!(&*blame.leaf.parts[0].gives, "7");
    assert!(why::offered(&context, &account, "renewal", &came.fact).is_none());
}

#[test]
fn a_share_that_is_only_a_lower_bound_is_told_as_a_share() {
    let metrics = "metrics:\n  ever: {count: user.logged_in, since: account.customer_since}\n  \
                   used: {formula: ever / 10, as: percent}\n";
    let program = with("{when: used >= 50%, existing: skip}", metrics);
    // Nobody delivers what was before 2025.
    let account = json!({"name": "Acme", "customer_since": "2024-06-01"});
    let why = look_at_account((&program, "more"), 0, (account, contract(Some("open"))));
    let start = only(&why).start.as_ref().expect("a condition starts it");
    let used = find(&start.parts[0], "used").expect("it is asked");
    assert_eq!(&*used.gives, "at least 0%");
}

#[test]
fn a_split_says_which_way_was_taken() {
    let mut files = shipped_files();
    let split = "workflow: more\ntitle: M\nstatus: live\n\
                 start: {when: contract.status == active, existing: skip}\nonce_per: account\nsteps:\n  \
                 - id: which\n    split:\n      \
                 one: {share: 50%, steps: [{id: a, alert: csm, text: One}]}\n      \
                 other: {share: 50%, steps: [{id: b, alert: csm, text: Other}]}\n  \
                 - {id: rest, wait: 30d}\n";
    files.insert("workflows/more.yaml".into(), split.into());
    let why = look_at((&checked(&files).0, "more"), 2, contract(Some("open")));
    let steps = &only(&why).runs[0].steps;
    let way = |step: &str| steps.iter().any(|deed| &*deed.step == step);
    let chosen = steps[0].chosen.as_deref();
    assert_eq!(
        (way("a"), way("b")),
        (chosen == Some("one"), chosen == Some("other"))
    );
    assert!(chosen.is_some(), "{steps:?}");
}
