//! Files of tests: their whole vocabulary, and what accepting changes in them.

use super::{checked, files};
use crate::scenario::{Action, Change, accept};
use crate::{Scenario, check, diagnostic};
use jiff::civil::date;

const WORKFLOW: &str = "\
workflow: case
topic: terms
start: {event: nps.responded}
once_per: occurrence
steps:
  - {send: hello, to: champion, approval: {by: csm, at_most: 3d, otherwise: skip}}
  - {id: call, task: Call, assignee: csm}
  - {id: draw, split: {x: {share: 50%, steps: []}, y: {share: 50%, steps: []}}}
";

const ACCOUNTS: &str = "\
accounts:
  acme:
    account: {name: Acme, arr: 3M}
    contacts: [{name: T, role: champion, email: t@acme.example}]
    risk: {open: true, category: silence, severity: high}
";

fn read(tests: &str) -> (Vec<Scenario>, String) {
    let mut files = files(&[WORKFLOW], &[("hello", "Hello.")]);
    files.insert("workflows/case.test.yaml".into(), tests.into());
    let mut checked = check(&files);
    checked.diagnostics.retain(|it| it.code != "W607");
    let shown = diagnostic::frames(&checked.diagnostics, &files, false);
    (checked.scenarios, shown)
}

fn right(tests: &str) -> Vec<Scenario> {
    let (scenarios, shown) = read(tests);
    assert_eq!(shown, "", "{tests}");
    scenarios
}

#[test]
fn the_whole_vocabulary_of_a_test_is_read() {
    let text = format!(
        "{ACCOUNTS}tests:
  - test: all that can happen
    workflow: case
    given: acme
    but: {{contacts: [], account.arr: 4M, risk.severity: normal, logins: 3}}
    start_at: 2026-01-05 09:00
    going_live: true
    split: {{draw: y}}
    holdout: true
    timeline:
      - {{at: 2026-01-05 10:00, event: nps.responded, data: {{contact: champion, score: 9}}}}
      - {{at: 2026-01-05 11:00, change: {{risk.open: false, contacts: [], account.size: large}}}}
      - {{at: 2026-01-05 12:00, approve: hello}}
      - {{at: 2026-01-05 13:00, reject: hello}}
      - {{at: 2026-01-05 14:00, reply: hello}}
      - {{at: 2026-01-05 15:00, click: hello}}
      - {{at: 2026-01-05 16:00, done: call, outcome: moved, set: {{account.size: small}}, expect: [{{task: Call, to: csm}}]}}
  - {{test: all workflows, workflows: all, given: acme, start_at: 2026-01-05 09:00}}
"
    );
    let scenarios = right(&text);
    let [first, second] = &scenarios[..] else {
        panic!("{scenarios:#?}");
    };
    assert!(first.is_going_live && first.is_held_out);
    assert_eq!(first.arms["draw"], "y".into());
    let held = |name: &str| {
        first.fixture.pinned[name]
            .clone()
            .map(|value| value.to_json())
    };
    assert_eq!(held("risk.severity"), Some("normal".into()));
    assert_eq!(held("risk.open"), Some(true.into()));
    let Some(Action::Done { outcome, set, .. }) = &first.timeline[6].action else {
        panic!("{:?}", first.timeline[6]);
    };
    assert_eq!(outcome.as_deref(), Some("moved"));
    assert_eq!(set[0].1, "small");
    assert_eq!(second.workflow, None);
    assert!(!second.is_held_out);
}

#[test]
fn what_a_test_gets_wrong_is_told_once() {
    for (entry, code) in [
        ("reply: call", "E208"),
        ("done: hello", "E208"),
        ("done: cal", "E208"),
        ("reply: hello, outcome: moved", "E101"),
        ("done: call, set: {hello: 1}", "E201"),
        (
            "event: nps.responded, data: {contact: champoin, score: 1}",
            "E204",
        ),
        ("change: {risk.severity: grave}", "E304"),
    ] {
        let text = format!(
            "{ACCOUNTS}tests:\n  - test: a\n    workflow: case\n    given: acme\n    start_at: 2026-01-05 09:00\n    timeline: [{{at: 2026-01-06 09:00, {entry}}}]\n"
        );
        let (_, shown) = read(&text);
        assert_eq!(shown.matches("error[").count(), 1, "{shown}");
        assert!(shown.contains(code), "{shown}");
    }
    for (key, code) in [
        ("workflow: all", "write `workflows: all`"),
        ("workflow: case\n    split: {drow: x}", "E208"),
        ("workflow: case\n    split: {draw: z}", "E304"),
        ("workflow: case\n    split: {call: x}", "E208"),
        ("workflow: case\n    holdout: perhaps", "E103"),
        ("workflow: case\n    workflows: all", "E104"),
    ] {
        let text = format!(
            "{ACCOUNTS}tests:\n  - test: a\n    {key}\n    given: acme\n    start_at: 2026-01-05 09:00\n"
        );
        let (_, shown) = read(&text);
        assert_eq!(shown.matches("error[").count(), 1, "{shown}");
        assert!(shown.contains(code), "{shown}");
    }
    let (_, shown) = checked(&[], &[]);
    assert_eq!(shown, "");
}

const BEFORE: &str = "tests:
  - test: blocks   # a comment
    workflow: case
    given: acme
    start_at: 2026-01-05 09:00
    timeline:
      # first
      - at: 2026-01-05 10:00      # the start
        event: nps.responded
        data: {contact: champion, score: 9}

      - at: 2026-01-06 10:00
        expect:
          - {ask: hello, by: csm}   # asked
          # between
          - {send: hello}           # sent
        approve: hello
      - {at: 2026-01-07 10:00, expect: [{task: Call}, {end: finished}]}
      # the end
      - at: 2026-01-08 10:00
        expect:
          - end: stopped

  - test: none
    workflow: case
    given: acme
    start_at: 2026-01-05 09:00
  - {test: short, workflow: case, given: acme, start_at: 2026-01-05 09:00}
";

const AFTER: &str = "tests:
  - test: blocks   # a comment
    workflow: case
    given: acme
    start_at: 2026-01-05 09:00
    timeline:
      # first
      - at: 2026-01-05 10:00      # the start
        event: nps.responded
        data: {contact: champion, score: 9}
        expect:
          - {task: Call, to: csm}

      - at: 2026-01-06 10:00
        expect:
          - {ask: hello, by: csm}   # asked
          # between
          - {send: hello, to: t@acme.example}
        approve: hello
      - at: 2026-01-06 11:00
        expect:
          - {end: left}
      - {at: 2026-01-07 10:00, expect: [{task: Call}, {end: goal}]}
      # the end
      - at: 2026-01-08 10:00
      - at: 2026-01-09 10:00
        expect:
          - {set: account.size, value: small}
          - {webhook: crm}

  - test: none
    workflow: case
    given: acme
    start_at: 2026-01-05 09:00
    timeline:
      - at: 2026-01-06 11:00
        expect:
          - {end: left}
  - {test: short, workflow: case, given: acme, start_at: 2026-01-05 09:00, timeline: [{at: 2026-01-06 11:00, expect: [{end: left}]}]}
";

#[test]
fn an_empty_timeline_takes_all_that_happened() {
    let day = |day: i8| (date(2026, 1, day).at(9, 0, 0, 0), "{end: left}".to_owned());
    for (empty, filled) in [
        (
            "  - test: T\n    workflow: case\n    given: acme\n    start_at: 2026-01-05 09:00\n    timeline: []\n    end_at: 2026-02-01 09:00\n",
            "    timeline:\n      - at: 2026-01-06 09:00\n        expect:\n          - {end: left}\n      - at: 2026-01-07 09:00\n        expect:\n          - {end: left}\n    end_at",
        ),
        (
            "  - {test: T, workflow: case, given: acme, start_at: 2026-01-05 09:00, timeline: [], end_at: 2026-02-01 09:00}\n",
            "timeline: [{at: 2026-01-06 09:00, expect: [{end: left}]}, {at: 2026-01-07 09:00, expect: [{end: left}]}], end_at",
        ),
    ] {
        let text = format!("{ACCOUNTS}tests:\n{empty}");
        let scenarios = right(&text);
        let change = Change {
            scenario: &scenarios[0],
            gone: Vec::new(),
            new: vec![day(6), day(7)],
        };
        let accepted = accept(&text, &[change]);
        assert!(accepted.contains(filled), "{accepted}");
        right(&accepted);
    }
}

#[test]
fn accepting_changes_expectations_and_nothing_else() {
    let text = format!("{ACCOUNTS}{BEFORE}");
    let scenarios = right(&text);
    let at = |day: i8, hour: i8| date(2026, 1, day).at(hour, 0, 0, 0);
    let line = |text: &str| text.to_owned();
    let timeline = &scenarios[0].timeline;
    let new = vec![
        (at(5, 10), line("{task: Call, to: csm}")),
        (at(6, 10), line("{send: hello, to: t@acme.example}")),
        (at(6, 11), line("{end: left}")),
        (at(7, 10), line("{end: goal}")),
        (at(9, 10), line("{set: account.size, value: small}")),
        (at(9, 10), line("{webhook: crm}")),
    ];
    let ends = |at: usize| {
        (
            at,
            vec![(date(2026, 1, 6).at(11, 0, 0, 0), line("{end: left}"))],
        )
    };
    let mut changes = vec![Change {
        scenario: &scenarios[0],
        gone: vec![
            &timeline[1].expect[1],
            &timeline[2].expect[1],
            &timeline[3].expect[0],
        ],
        new,
    }];
    for (at, new) in [ends(1), ends(2)] {
        changes.push(Change {
            scenario: &scenarios[at],
            gone: Vec::new(),
            new,
        });
    }
    let accepted = accept(&text, &changes);
    assert_eq!(accepted, format!("{ACCOUNTS}{AFTER}"));
    right(&accepted);
    assert_eq!(accept(&text, &[]), text);
}

#[test]
fn an_expectation_beside_the_dash_leaves_its_entry_whole() {
    let text = format!(
        "{ACCOUNTS}tests:\n  - test: a\n    workflow: case\n    given: acme\n    start_at: 2026-01-05 09:00\n    timeline:\n      - expect:\n        - end: left\n        at: 2026-01-06 09:00"
    );
    let scenarios = right(&text);
    let change = Change {
        scenario: &scenarios[0],
        gone: vec![&scenarios[0].timeline[0].expect[0]],
        new: Vec::new(),
    };
    let accepted = accept(&text, &[change]);
    assert!(
        accepted.contains("      - expect: []\n        at: 2026-01-06 09:00"),
        "{accepted}"
    );
    assert_eq!(right(&accepted)[0].timeline[0].expect.len(), 0);
}
