//! Mistakes that can be seen without knowing the rest of the workspace are refused.

use super::{Judge, files, kind_of};
use crate::file_kind::FileKind;
use std::collections::BTreeSet;

/// Codes of mistakes that a schema sees in one file alone.
const SEEN: [&str; 6] = ["E101", "E102", "E110", "E402", "E406", "E801"];

#[test]
fn the_files_of_the_example_with_a_mistake_of_form_are_refused_and_no_others() {
    let expected = include_str!("../../../../../tests/data/example-mistakes/expected.txt");
    let seen: BTreeSet<&str> = expected
        .lines()
        .filter(|line| SEEN.iter().any(|code| line.starts_with(code)))
        .filter_map(|line| line.split([' ', ':']).nth(1))
        .collect();
    assert_eq!(seen.len(), 5, "{seen:?}");
    let mut refused = BTreeSet::new();
    for (file, text) in files("tests/data/example-mistakes", ".yaml") {
        let (_, inside) = file.split_once("example-mistakes/").expect("it is inside");
        if Judge::of(kind_of(&file, &text)).refuses(&text).is_some() {
            refused.insert(inside.to_owned());
        }
    }
    let refused: BTreeSet<&str> = refused.iter().map(String::as_str).collect();
    assert_eq!(refused, seen);
}

/// A right text, and for each mistake a piece of it and what is written instead.
fn each_is_refused(kind: FileKind, right: &str, mistakes: &[(&str, &str)]) {
    let judge = Judge::of(kind);
    let said = judge.refuses(right);
    assert!(said.is_none(), "{}", said.unwrap_or_default());
    for (piece, instead) in mistakes {
        assert!(right.contains(piece), "there is no {piece}");
        let wrong = right.replacen(piece, instead, 1);
        assert!(judge.refuses(&wrong).is_some(), "{piece} -> {instead}");
    }
}

#[test]
fn a_mistake_of_form_in_a_workflow_is_refused() {
    let right = "\
workflow: renewal
priority: high
start:
  when: a == 1
  existing: skip
once_per: 180d
goal: {when: b, within: 30d}
holdout: 10%
steps:
  - {send: intro, to: champion else admin}
  - {id: rest, wait: {until: c, at_most: 3d, otherwise: stop}}
  - {id: call, task: 電話, assignee: csm, due: 2 business days}
  - {id: way, if: d, then: [{id: say, alert: csm, text: e}], else: []}
  - {id: draw, split: {x: {share: 50%, steps: []}, y: {share: 50%, steps: []}}}
  - {id: field, at: 3 days before contract.renewal_date, set: {account.f: g}}
";
    let mistakes = [
        ("priority", "prioritty"),
        ("priority: high", "priority: highest"),
        ("priority: high", "priority:"),
        ("workflow: renewal", "workflow: Renewal"),
        ("workflow: renewal", "workflow: all"),
        ("workflow: renewal\n", ""),
        ("  existing: skip\n", ""),
        ("once_per: 180d\n", ""),
        ("when: a == 1", "when: a = 1"),
        ("when: a == 1", "when: a && b"),
        ("when: a == 1", "when: 'a || b'"),
        ("when: a == 1", "when: '{{a}}'"),
        ("when: a == 1", "when: 3"),
        ("when: a == 1", "when: {all: [a], any: [b]}"),
        ("when: a == 1", "when: a == 1\n  every: day 09:00"),
        ("when: a == 1", "every: day 09:00"),
        ("when: a == 1\n  existing: skip", "every: monthly 09:00"),
        ("when: a == 1\n  existing: skip", "every: day 9:00"),
        ("when: a == 1\n  existing: skip", "cron: 0 9 * *"),
        ("when: a == 1\n  existing: skip", "event: invited"),
        ("when: a == 1\n  existing: skip", "if: a"),
        ("when: a == 1", "when: a == 1\n  max_age: 1d"),
        (", within: 30d", ""),
        ("within: 30d", "within: 1 month"),
        ("within: 30d", "within: 30d, then: [{id: z, wait: 3d}]"),
        ("holdout: 10%", "holdout: 10"),
        ("holdout: 10%", "holdout: 110%"),
        (", to: champion else admin", ""),
        ("to: champion", "too: champion"),
        ("send: intro", "send: intro, task: x, assignee: csm"),
        ("send: intro", "send: intro, deliver: now"),
        ("send: intro, to: champion else admin", "id: x"),
        ("id: rest, ", ""),
        ("id: rest", "id: Rest"),
        ("at_most: 3d, ", ""),
        (", otherwise: stop", ""),
        ("otherwise: stop", "otherwise: halt"),
        ("until: c", "until: c, if: d"),
        ("until: c", "until: c, event: a.b"),
        (", assignee: csm", ""),
        ("due: 2 business days", "due: 2 days"),
        ("if: d, then", "then"),
        ("alert: csm, text: e", "alert: csm"),
        ("text: e", "text: e, template: f"),
        ("{share: 50%, ", "{"),
        ("3 days before", "days 3 before"),
        ("account.f: g", "risk.f: g"),
    ];
    each_is_refused(FileKind::Workflow, right, &mistakes);
}

#[test]
fn a_mistake_of_form_in_definitions_is_refused() {
    let right = "\
entities:
  account: {name: required text, tier: low | high, f: {type: number, written_by: workflows}}
events:
  user.invited: {user: required text}
metrics:
  a: {count: user.invited, over: 7d}
  b: {formula: a / 2, as: percent}
labels: {touch: {high: a > 1, low: otherwise}}
risks:
  r: {opens: a == 0, closes: a > 0, severity: {high: a > 3, normal: otherwise}}
complete_since: {all: 2025-01-01}
calendar: {timezone: Asia/Tokyo, business_days: Mon-Fri, sending_hours: 09:00-18:00, fiscal_year_starts: April}
topics: {t: {title: T, purpose: contractual, if_unknown: resend}, u: {title: {ja: ユー, en-GB: U}, purpose: service}}
limits: [{at_most: 2, in: 7d, per: contact}]
digest: business day 09:00
defaults: {from: A <a@b.example>, locale: ja, currency: JPY}
sender: {name: A, postal_address: B, contact: C}
routes: {csm: {slack: csm.slack, email: csm.email, else: desk}, desk: {channel: \"#desk\"}}
webhooks: {crm: {url: \"https://crm.example/\", secret: CRM}}
";
    let mistakes = [
        ("entities:", "entitys:"),
        ("  account:", "  customer:"),
        ("required text", "required txt"),
        ("low | high", "low | "),
        ("written_by: workflows", "written_by: me"),
        ("en-GB: U", "english: U"),
        ("en-GB: U", "en-GB: {a: U}"),
        ("type: number, ", ""),
        ("user.invited: {user", "invited: {user"),
        ("user.invited: {user", "message.sent: {user"),
        (
            "count: user.invited",
            "count: user.invited, sum: user.invited.n",
        ),
        ("count: user.invited", "sum: user.invited"),
        ("count: user.invited, over", "over"),
        ("over: 7d", "over: 25h"),
        ("over: 7d", "over: 7d, since: account.x"),
        ("as: percent", "as: money"),
        ("as: percent", "over: 7d"),
        (", closes: a > 0", ""),
        ("normal: otherwise", "normal: a < 3"),
        ("2025-01-01", "2025-13-01"),
        ("timezone: Asia/Tokyo, ", ""),
        ("Mon-Fri", "Monday-Friday"),
        ("09:00-18:00", "9-18"),
        ("April", "Apr"),
        ("contractual", "legal"),
        ("contractual", "service"),
        ("at_most: 2", "at_most: 0"),
        ("per: contact", "per: person"),
        (", per: contact", ""),
        ("digest: business day 09:00", "digest: daily"),
        ("A <a@b.example>", "A"),
        ("locale: ja", "locale: Japanese"),
        ("currency: JPY", "currency: yen"),
        ("postal_address: B, ", ""),
        (
            "{slack: csm.slack, email: csm.email, else: desk}",
            "{else: desk}",
        ),
        ("#desk", "desk"),
        ("https://crm.example/", "crm.example"),
        ("secret: CRM", "secret: crm-secret"),
    ];
    each_is_refused(FileKind::Definitions, right, &mistakes);
}

#[test]
fn a_mistake_of_form_in_tests_is_refused() {
    let right = "\
accounts:
  acme:
    account: {name: アクメ, arr: 3M}
    contacts: [{name: 田中, role: champion}]
    risk: {category: product, severity: high}
    metrics: {seat_usage: 60%, nps: null}
tests:
  - test: すぐに始まる
    workflow: renewal
    given: acme
    start_at: 2026-01-05 09:00
    timeline:
      - {at: 2026-01-05 09:00, event: user.invited, data: {user: u}}
      - at: 2026-01-06 09:00
        expect: [{send: intro, to: a@b.example}, {skip: x, why: no approval}, {end: goal}]
";
    let mistakes = [
        ("accounts:", "customers:"),
        ("    metrics:", "    metric:"),
        ("severity: high", "severity: severe"),
        ("category: product, ", ""),
        ("    given: acme\n", ""),
        ("    workflow: renewal\n", ""),
        ("workflow: renewal", "workflows: renewal"),
        ("workflow: renewal", "workflow: all"),
        ("start_at: 2026-01-05 09:00", "start_at: 2026-01-05"),
        ("2026-01-05 09:00", "2026-01-05 9:00"),
        ("at: 2026-01-05 09:00, ", ""),
        ("event: user.invited, ", ""),
        ("event: user.invited", "event: user.invited, reply: x"),
        ("send: intro", "send: intro, alert: csm"),
        ("send: intro, to", "to"),
        ("why: no approval", "why: because"),
        ("end: goal", "end: done"),
    ];
    each_is_refused(FileKind::Test, right, &mistakes);
}

#[test]
fn a_mistake_of_form_in_holidays_and_front_matter_is_refused() {
    let days = "2026-01-01: 元日\n2026-02-11: 建国記念の日\n";
    let mistakes = [
        ("2026-01-01", "2026-1-1"),
        ("元日", "[元日]"),
        (": 元日", ":"),
    ];
    each_is_refused(FileKind::Holidays, days, &mistakes);
    let front = "subject: \"{{account.name}}\"\npreheader: a\nchannel: email\n";
    let mistakes = [
        ("subject", "subjekt"),
        ("email", "sms"),
        ("channel: email", "chanel: email"),
        ("channel: email", "format: html"),
        ("channel: email", "layout: [a]"),
    ];
    each_is_refused(FileKind::Template, front, &mistakes);
    let slack = Judge::of(FileKind::Template).refuses("channel: slack\n");
    assert_eq!(slack, None, "a message in Slack has no subject");
}
