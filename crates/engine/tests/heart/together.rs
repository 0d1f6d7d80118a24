//! Tests in YAML of all workflows together: limits, priority, what is held back.

use crate::limits::{files, send, sends, workflow};
use crate::workspace::checked;
use engine::scenario;

const POLICIES: &str = "limits: [{at_most: 1, in: 2d, per: contact, topics: [tips, asks]}]\ndelay_at_most: 5d\ndigest: business day 09:00\n";

const TESTS: &str = "accounts:
  acme:
    account: {name: アクメ, a: false, b: false, c: false, hot: false}
    contacts:
      - {name: 田中, role: champion, email: tanaka@acme.example}
tests:
  - test: the more urgent of two goes first, the other when the limit lets it through
    workflows: all
    given: acme
    start_at: 2026-01-05 09:00
    timeline:
      - at: 2026-01-06 20:00
        change: {account.a: true, account.b: true}
      - at: 2026-01-07 09:00
        expect:
          - {send: note, step: high}
          - end: finished
      - at: 2026-01-09 09:00
        expect:
          - {send: note, step: low}
          - end: finished
    end_at: 2026-01-20 09:00

  - test: an ask waits for the end of what holds it back
    workflows: all
    given: acme
    but: {account.c: true}
    start_at: 2026-01-05 09:00
    timeline:
      - at: 2026-01-06 10:00
        change: {account.a: true}
      - at: 2026-01-08 14:00
        change: {account.hot: true}
        expect:
          - {end: left}
          - {send: note, step: low}
          - {end: finished}
    end_at: 2026-01-20 09:00

  - test: but not for ever
    workflows: all
    given: acme
    but: {account.c: true}
    start_at: 2026-01-05 09:00
    timeline:
      - at: 2026-01-06 10:00
        change: {account.a: true}
      - at: 2026-01-11 10:00
        expect:
          - {skip: low, why: held back}
          - {end: finished}
    end_at: 2026-01-20 09:00
";

#[test]
fn tests_of_all_workflows_see_them_meet() {
    let holder = "topic: notices\nholds_back: [asks]\nwhile: not account.hot\n";
    let waits = "  - id: later\n    alert: csm\n    text: Later\n    at: 300 days after contract.renewal_date\n";
    let mut files = files(
        POLICIES,
        &[
            workflow(
                "asker",
                "a",
                "topic: asks\npriority: low\n",
                &send("low", ""),
            ),
            workflow(
                "tipper",
                "b",
                "topic: tips\npriority: high\n",
                &sends(&["high"], ""),
            ),
            workflow("holder", "c", holder, waits),
        ],
    );
    files.insert("workflows/tests/all.test.yaml".into(), TESTS.into());
    let (program, checked) = checked(&files);
    assert_eq!(checked.scenarios.len(), 3);
    for scenario in &checked.scenarios {
        let outcome = scenario::run(&program, scenario, &|_| String::new());
        assert!(
            outcome.is_passed,
            "{}\n{}\n{}",
            scenario.name,
            outcome.differences.join("\n"),
            outcome.happened
        );
    }
}
