//! Every start, step and modifier becomes what the engine decides by.

use super::{checked, program};
use crate::expression::{Scope, print};
use crate::program::{
    AtLimit, Days, Deliver, ExprKind, IfRunning, OncePer, Otherwise, Period, Schedule, SetOf,
    Start, Status, Until, Verb, Workflow,
};
use model::Decimal;

const STEP: &str = "steps: [{id: a, alert: csm, text: x}]\n";

fn one(text: &str) -> Workflow {
    let text = format!("workflow: case\ntopic: terms\n{text}");
    let mut program = program(&[&text], &[("hello", "Hello.")]);
    program.workflows.remove(0)
}

fn verbs(steps: &str) -> Vec<Verb> {
    let start = "start: {event: nps.responded}\nonce_per: account\n";
    let read = one(&format!("{start}steps:\n{steps}"));
    read.steps.into_iter().map(|step| step.verb).collect()
}

#[test]
fn an_event_starts_with_its_age_and_guard() {
    let read = one(&format!(
        "start: {{event: [nps.responded], if: event.score >= 9, max_age: 2h}}\nonce_per: 180d\nif_running: restart\n{STEP}"
    ));
    let Start::Event {
        events,
        condition,
        max_age,
    } = read.start
    else {
        panic!("{:?}", read.start);
    };
    assert_eq!(events, ["nps.responded".into()]);
    assert!(condition.is_some());
    assert_eq!(max_age, Period::Seconds(7200));
    assert_eq!(read.if_running, IfRunning::Restart);
    let plain = one(&format!(
        "start: {{event: nps.responded}}\nonce_per: occurrence\n{STEP}"
    ));
    let Start::Event { max_age, .. } = plain.start else {
        panic!("{:?}", plain.start);
    };
    assert_eq!(max_age, Period::Days(1));
}

#[test]
fn the_calendar_starts_each_time_if_nothing_else_is_said() {
    let read = one(&format!("start: {{every: \"Mon,Thu 09:00\"}}\n{STEP}"));
    let Start::Every { schedule, .. } = read.start else {
        panic!("{:?}", read.start);
    };
    assert!(matches!(
        schedule,
        Schedule::Days {
            days: Days::Week([true, false, false, true, false, false, false]),
            ..
        }
    ));
    assert!(matches!(read.once_per, OncePer::Occurrence));
    let read = one(&format!(
        "start: {{cron: 30 8 * * mon, if: logins > 3}}\nonce_per: 30d\n{STEP}"
    ));
    let Start::Every {
        schedule: Schedule::Cron(cron),
        condition: Some(_),
    } = read.start
    else {
        panic!("{:?}", read.start);
    };
    assert_eq!((&cron.minutes[..], &cron.hours[..]), (&[30][..], &[8][..]));
    assert!(matches!(read.once_per, OncePer::Period(Period::Days(30))));
}

#[test]
fn all_words_of_status_are_read() {
    for (word, expected) in [
        ("draft", Status::Draft),
        ("shadow", Status::Shadow),
        ("live", Status::Live),
        ("paused", Status::Paused),
        ("closing", Status::Closing),
        ("retired", Status::Retired),
    ] {
        let read = one(&format!(
            "status: {word}\nstart: {{every: day 09:00}}\n{STEP}"
        ));
        assert_eq!(read.status, expected);
    }
}

#[test]
fn waits_say_what_for_and_what_otherwise() {
    let read = verbs(
        "  - {id: a, wait: 3 business days}
  - {id: b, wait: {until: logins > 3, at_most: 14d, otherwise: continue}}
  - {id: c, wait: {event: user.logged_in, if: event.user == \"u\", at_most: 3d, otherwise: stop}}
  - {id: d, wait: {until: logins > 5, at_most: 2w, otherwise: [{id: e, alert: csm, text: x}]}}
",
    );
    assert!(matches!(
        read[0],
        Verb::Wait {
            length: Period::BusinessDays(3)
        }
    ));
    assert!(matches!(
        read[1],
        Verb::WaitFor {
            until: Until::Condition(_),
            at_most: Period::Days(14),
            otherwise: Otherwise::Continue
        }
    ));
    let Verb::WaitFor {
        until: Until::Event { events, condition },
        otherwise: Otherwise::Stop,
        ..
    } = &read[2]
    else {
        panic!("{:?}", read[2]);
    };
    assert_eq!(events, &["user.logged_in".into()]);
    assert!(condition.is_some());
    assert!(
        matches!(&read[3], Verb::WaitFor { otherwise: Otherwise::Steps(steps), .. } if steps.len() == 1)
    );
}

#[test]
fn decisions_hold_their_ways_as_written() {
    let read = verbs(
        "  - id: a
    match: account.size
    cases: {large: [{id: b, stop: enough}], small: []}
    otherwise: [{stop: enough}]
  - id: d
    split:
      x: {share: 30%, steps: [{id: e, alert: csm, text: x}]}
      y: {share: 70%, steps: []}
",
    );
    let Verb::Match {
        cases, otherwise, ..
    } = &read[0]
    else {
        panic!("{:?}", read[0]);
    };
    let words: Vec<&str> = cases.iter().map(|(word, _)| &**word).collect();
    assert_eq!(words, ["large", "small"]);
    assert_eq!(&*otherwise[0].id, "stop");
    let Verb::Split { arms } = &read[1] else {
        panic!("{:?}", read[1]);
    };
    assert_eq!(arms[0].share.add(arms[1].share), Some(Decimal::ONE));
}

#[test]
fn each_stop_without_a_name_has_its_own() {
    let read = one("\
start: {every: day 09:00}
steps:
  - {if: logins > 3, stop: enough}
  - {id: stop-2, alert: csm, text: x}
  - {if: logins > 2, stop: enough}
");
    let ids: Vec<&str> = read.steps.iter().map(|step| &*step.id).collect();
    assert_eq!(ids, ["stop", "stop-2", "stop-3"]);
}

#[test]
fn what_reaches_outside_is_read() {
    let read = verbs(
        "  - {id: a, set: {account.reference: asked}}
  - {id: b, webhook: crm, body: {size: account.size, about: started_by.comment}}
  - {id: c, alert: csm, text: x, deliver: digest}
  - {send: hello, to: started_by.contact, at_limit: ignore}
",
    );
    let Verb::Set { fields } = &read[0] else {
        panic!("{:?}", read[0]);
    };
    assert_eq!(
        (fields[0].of, &*fields[0].field),
        (SetOf::Account, "reference")
    );
    let Verb::Webhook { body, .. } = &read[1] else {
        panic!("{:?}", read[1]);
    };
    let keys: Vec<&str> = body.iter().map(|(key, _)| &**key).collect();
    assert_eq!(keys, ["about", "size"]);
    assert!(matches!(
        &read[2],
        Verb::Alert {
            deliver: Deliver::Digest,
            ..
        }
    ));
    let Verb::Send { to, at_limit, .. } = &read[3] else {
        panic!("{:?}", read[3]);
    };
    assert!(matches!(&to[0].kind, ExprKind::StartedBy(field) if &**field == "contact"));
    assert_eq!(*at_limit, Some(AtLimit::Ignore));
}

#[test]
fn a_run_for_each_contact_or_risk_can_name_its_subject() {
    let contact = one("\
for_each: contact
start: {when: contact.role == champion, existing: skip}
once_per: contact
steps: [{send: hello, to: contact}]
");
    let Verb::Send { to, .. } = &contact.steps[0].verb else {
        panic!("{:?}", contact.steps);
    };
    assert_eq!(to[0].kind, ExprKind::ThisContact);
    let risk = one("\
for_each: risk
start: {when: risk.open, existing: include}
once_per: risk
holdout: 10%
goal: {when: not risk.open, within: 30d}
moved: {old: now}
steps: [{id: now, match: risk.category, cases: {silence: [], noise: []}}]
");
    assert_eq!(risk.moved, [("old".into(), "now".into())]);
    assert_eq!(risk.holdout, "0.1".parse().expect("a number"));
}

#[test]
fn what_is_not_run_yet_is_checked_and_said() {
    let list = "\
workflow: list
for_each: csm
start: {every: day 09:00}
with: {late: contracts where days_until(contract.renewal_date) < 30}
steps: [{id: a, if: count(late) > 0, alert: csm, text: x}]
";
    let pinned = "workflow: pinned\nedits: pin\nstart: {every: day 09:00}\nsteps: [{id: a, alert: csm, text: x}]\n";
    let (read, shown) = checked(&[list, pinned], &[]);
    assert!(read.program.is_some(), "{shown}");
    assert_eq!(read.not_yet, ["list".into(), "pinned".into()]);
    assert!(
        shown.contains("note[E900]: checked, not run yet: `for_each: csm`"),
        "{shown}"
    );
    let wrong = list.replace(
        "days_until(contract.renewal_date)",
        "days_until(contract.renewed)",
    );
    let (read, shown) = checked(&[&wrong], &[]);
    assert!(read.program.is_none() && shown.contains("E201"), "{shown}");
}

#[test]
fn each_use_of_a_template_reads_what_its_names_mean_there() {
    let text = |name: &str, with: &str, step: &str| {
        format!(
            "workflow: {name}\ntopic: terms\nstart: {{every: day 09:00}}\nwith: {{{with}}}\nsteps: [{{send: sum, to: champion{step}}}]\n"
        )
    };
    let first = text("first", "amount: account.arr else 0", "");
    let second = text("second", "a: logins, amount: (account.arr else 0) * 2", "");
    let third = text(
        "third",
        "a: logins",
        ", with: {amount: (account.arr else 0) * 3}",
    );
    let read = program(&[&first, &second, &third], &[("sum", "{{money amount}}")]);
    let said: Vec<String> = read
        .workflows
        .iter()
        .map(|workflow| {
            let read = &workflow.steps[0].reads;
            assert_eq!(read.len(), 1);
            assert_eq!(read[0].path, ["amount".into()]);
            let value = if let ExprKind::With(at) = read[0].value.kind {
                &workflow.with[at].1
            } else {
                &read[0].value
            };
            print(value, &Scope::default())
        })
        .collect();
    assert_eq!(
        said,
        [
            "account.arr else 0",
            "account.arr else 0 * 2",
            "account.arr else 0 * 3"
        ]
    );
    let fourth = text("fourth", "amount: logins", "");
    let (_, shown) = checked(&[&first, &fourth], &[("sum", "{{money amount}}")]);
    assert!(shown.contains("E702"), "{shown}");
}

#[test]
fn wrong_names_and_leftovers_are_told() {
    for (text, code) in [
        ("moved: {a: a}\n", "E103"),
        ("moved: {old: b}\n", "E208"),
        ("if_running: wait\n", "E103"),
        ("once_per: account\nstart: {event: user.loged_in}\n", "E202"),
        ("start: {cron: 0 9 30 2 *}\n", "E406"),
        (
            "start: {every: day 09:00, if: logins > 3 and logins < 2}\n",
            "E601",
        ),
        ("holdout: 10%\n", "E801"),
        (
            "for_each: account\nstart: {every: day 09:00, if: risk.open}\n",
            "E201",
        ),
    ] {
        let start = match text.contains("start:") {
            true => "",
            false => "start: {every: day 09:00}\n",
        };
        let text = format!("workflow: case\ntopic: terms\n{start}{text}{STEP}");
        let (read, shown) = checked(&[&text], &[]);
        let codes: Vec<&str> = read.diagnostics.iter().map(|it| it.code).collect();
        assert_eq!(codes, [code], "{shown}");
    }
}

#[test]
fn what_is_remembered_is_one_value_and_a_start_can_not_ask_it() {
    let case = |remember: &str, start: &str| {
        let text = format!(
            "workflow: case\nremember: {{{remember}}}\nstart: {{{start}}}\n\
             steps:\n  - {{id: b, if: before is known, alert: everyone, text: x}}\n"
        );
        let (read, shown) = checked(&[&text], &[]);
        let codes: Vec<&str> = read.diagnostics.iter().map(|it| it.code).collect();
        (codes.join(" "), shown)
    };
    for (remember, start, codes) in [
        ("before: account.arr", "every: day 09:00", ""),
        ("before: champion", "every: day 09:00", ""),
        ("before: contacts", "every: day 09:00", "E103"),
        (
            "before: account.arr",
            "every: day 09:00, if: account.arr > before",
            "E201",
        ),
    ] {
        let (found, shown) = case(remember, start);
        assert_eq!(found, codes, "{remember}; {start}\n{shown}");
    }
}
