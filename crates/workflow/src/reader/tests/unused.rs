//! Names that nobody uses.

use super::files;
use crate::{check, diagnostic};
use std::collections::BTreeSet;

const DEFINITIONS: &str = "\
metrics:
  told: {count: user.logged_in, over: 30d}
  idle: {count: user.logged_in, over: 90d}
segments: {busy: told > 3, dull: told < 3}
labels: {stage: {on: busy, off: otherwise}, mood: {good: busy, bad: otherwise}}
routes: {desk: {channel: \"#desk\"}, spare: {channel: \"#spare\"}}
webhooks: {other: {url: \"https://crm.example/other\", secret: CRM_SECRET}}
";

const WORKFLOW: &str = "\
workflow: case
topic: terms
start: {every: day 09:00}
with: {amount: account.arr, spoken: account.size}
remember: {before: account.size}
steps:
  - {send: hello, to: champion, with: {first: logins, second: logins}}
  - {id: b, if: amount > 3, alert: desk, text: x}
  - {id: c, webhook: crm}
";

#[test]
fn each_name_that_is_never_used_is_told_where_it_stands() {
    let files = files(
        &[DEFINITIONS, WORKFLOW],
        &[
            ("hello", "{{#if first}}{{number first}}{{/if}}"),
            ("idle-mail", "Nothing."),
        ],
    );
    let checked = check(&files);
    let shown = diagnostic::frames(&checked.diagnostics, &files, false);
    assert!(checked.program.is_some(), "{shown}");
    let said: BTreeSet<&str> = checked
        .diagnostics
        .iter()
        .filter(|it| it.code == "W607")
        .filter_map(|it| it.message.split('`').nth(1))
        .collect();
    let expected = [
        "before",
        "dull",
        "idle",
        "idle-mail",
        "mood",
        "other",
        "second",
        "spare",
        "spoken",
    ];
    assert_eq!(said, BTreeSet::from(expected), "{shown}");
}

#[test]
fn beside_a_mistake_and_without_a_workflow_nothing_is_unused() {
    let wrong = WORKFLOW.replace("champion", "champoin");
    for workflows in [vec![DEFINITIONS], vec![DEFINITIONS, &wrong]] {
        let checked = check(&files(
            &workflows,
            &[("hello", "{{#if first}}{{number first}}{{/if}}")],
        ));
        let mut unused = checked
            .diagnostics
            .iter()
            .filter(|it| it.code == "W607" && !it.file.starts_with("workflows/w1"));
        assert!(unused.next().is_none());
    }
}

#[test]
fn what_is_set_aside_uses_names_too() {
    let list = "\
workflow: list
for_each: csm
start: {every: day 09:00}
with: {late: contracts where busy}
steps: [{id: a, if: count(late) > 0, alert: desk, text: x}]
";
    let checked = check(&files(&[DEFINITIONS, list], &[]));
    let said = |name: &str| {
        let name = format!("`{name}`");
        checked
            .diagnostics
            .iter()
            .any(|it| it.message.contains(&name) && it.code == "W607")
    };
    assert!(said("dull") && said("idle"));
    assert!(!said("busy") && !said("late") && !said("desk") && !said("told"));
}
