//! Diagnostics as people see them: for each construct a good text without a word, and a bad one.

use workflow::{Checked, Files, check, diagnostic};

/// A workspace in which every name that the cases use exists.
const DEFINITIONS: &str = "\
entities:
  account:
    name: required text
    arr: money
    size: small | middle | large
    since: date
    reference: {type: asked | agreed, written_by: workflows}
  contract: {status: required trial | active, renewal_date: date, seats: number}
  contact: {name: required text, email: required email, role: champion | admin | user}
  csm: {name: required text, email: email, slack: text}
events:
  user.logged_in: {user: required text, device: phone | desk}
  nps.responded: {contact: required contact, score: required number}
complete_since: {all: 2025-01-01}
metrics:
  weekly_users: {count_distinct: user.logged_in.user, over: 7d}
  usage: {formula: weekly_users / contract.seats, as: percent}
segments:
  is_large: (account.arr else 0) >= 20M
labels:
  touch: {high: is_large, low: otherwise}
calendar: {timezone: Asia/Tokyo}
topics:
  terms: {title: Terms, purpose: contractual}
  tips: {title: Tips, purpose: service}
defaults: {from: Us <us@vendor.example>, locale: en}
routes:
  csm: {slack: csm.slack, else: everyone}
  everyone: {channel: \"#cs\"}
webhooks:
  crm: {url: \"https://crm.example/hook\", secret: CRM_SECRET}
";

const HEAD: &str = "\
workflow: case
topic: terms
start:
  when: contract.status == active
  existing: skip
once_per: account
";

fn files(file: &str, text: &str) -> Files {
    let mail = "---\nsubject: Hello\n---\nHello.\n";
    Files::from([
        ("workflows/base.yaml".into(), DEFINITIONS.into()),
        ("templates/hello.en.hbs".into(), mail.into()),
        (file.into(), text.into()),
    ])
}

/// The frames of all diagnostics of a file put beside the base.
fn frames(file: &str, text: &str) -> String {
    let files = files(file, text);
    let mut found = check(&files).diagnostics;
    // Not each case uses all that the base offers.
    found.retain(|it| it.code != "W607" || *it.file == *file);
    diagnostic::frames(&found, &files, false)
}

fn definition(text: &str) -> String {
    frames("workflows/case.yaml", text)
}

fn workflow(text: &str) -> String {
    frames("workflows/case.yaml", &format!("{HEAD}{text}"))
}

fn step(text: &str) -> String {
    workflow(&format!("steps:\n  - {}\n", text.replace('\n', "\n    ")))
}

/// The bad texts' frames, one after the other.
fn all(cases: &[&str], read: fn(&str) -> String) -> String {
    let shown = cases
        .iter()
        .map(|case| format!("### {case}\n{}", read(case)));
    shown.collect::<Vec<_>>().join("\n")
}

/// Compares with what people saw before.
fn shot(name: &str, shown: &str) {
    insta::with_settings!({omit_expression => true}, {
        insta::assert_snapshot!(name, shown);
    });
}

#[test]
fn the_base_is_right() {
    assert_eq!(definition("spread: 20m\n"), "");
}

#[test]
fn right_definitions_are_passed_without_a_word() {
    for good in [
        "entities: {account: {owner: {type: csm, required: true, title: Owner, pii: true}}}\n",
        "events: {ticket.closed: {ticket: required text}}\n",
        "metrics: {logins: {count: user.logged_in, over: 24h, where: event.device == phone}}\n",
        "metrics: {last_login: {latest: user.logged_in}}\n",
        "metrics: {score: {average: nps.responded.score, over: 90d}}\n",
        "metrics: {asked: {count: message.sent, where: event.topic == tips, over: 365d}}\n",
        "metrics: {trend: {formula: change(weekly_users)}}\n",
        "segments: {quiet: {all: [weekly_users < 3, {any: [is_large, usage < 30%]}]}}\n",
        "segments:\n  folded: >-\n    weekly_users < 3\n    and is_large\n",
        "labels: {stage: {trial: contract.status == trial, active: otherwise}}\n",
        "risks: {silence: {opens: usage < 30%, for: 7d, closes: usage >= 40%, severity: {high: is_large, normal: otherwise}}}\n",
        "over_limit: skip\ndelay_at_most: 5d\ndigest: business day 09:00\nholdout: 0%\n",
        "limits: [{at_most: 2, in: 7d, per: contact, topics: [tips], channel: email}]\n",
        "sender: {name: Us, postal_address: Here, contact: us@vendor.example}\n",
        "health: {outcome: {weight: 50%, measures: {u: {value: usage, green: 60%, yellow: 30%, weight: 100%}}}, experience: {weight: 50%, measures: {s: {value: account.size, green: large, yellow: middle, weight: 100%, stale_after: 60d}}}, bands: {green: 70, yellow: 40}, hold: 2d}\n",
    ] {
        assert_eq!(definition(good), "", "{good}");
    }
}

const SOURCE: &str = "topic: t, format: json, account: record.id";

#[test]
fn right_sources_are_passed_without_a_word() {
    for good in [
        "topic: crm.public.accounts, format: debezium, account: record.id, type: account.updated",
        "topic: t, format: json, account: key, type: user.logged_in, fields: {user: record.person.id, device: record.device}",
        "topic: t, format: json, account: record.a else key.id, type: user.logged_in, fields: {user: record.u, device: phone}, where: record.n > 3 and record.n is known, time: record.at, id: header.id",
        "topic: t, format: cloudevents",
        "topic: t, format: cloudevents, account: key, where: record.type == \"a.b\"",
        "topic: t, format: cloudevents, type: user.logged_in, fields: {user: record.data.user}",
        "topic: t, format: debezium, account: record.account, type: contract.updated, fields: {contract: record.id, seats: record.seats * 2, status: record.status, renewal_date: record.ends}, deletes: skip, snapshot: news, backlog: skip",
        "topic: t, format: debezium, account: record.account, type: nps.responded, where: change.op == \"c\" and before.score is unknown, fields: {contact: record.who, score: round(record.score)}",
        "topic: t, format: json, csm: record.id, type: csm.updated, fields: {name: record.name}",
        "topic: t, format: json, account: record.id, type: account.updated, record: {share: percent, sum: money}, where: record.share in 10%..20%, fields: {arr: record.sum * record.share}",
        "topic: t, format: json, account: record.id, type: account.updated, where: {all: [kafka.offset > 3, record.is_live]}",
    ] {
        let text = format!("sources: {{crm: {{{good}}}}}\n");
        assert_eq!(definition(&text), "", "{good}");
    }
}

#[test]
fn wrong_sources_are_told() {
    let cases = [
        "format: json",
        "topic: a b, format: avro, type: account.updated, account: record.id",
        "topic: t, format: json, account: record.id",
        "topic: t, format: json, type: account.updated",
        "type: user.loged_in",
        "type: message.sent",
        "type: user.logged_in, fields: {device: record.device}",
        "type: contract.updated, fields: {seats: record.seats, seat: record.s}",
        "type: account.updated, fields: {reference: record.reference}",
        "type: account.updated, fields: {arr: record.sum == 3, size: huge, since: recrod.at}",
        "type: account.updated, where: record.a + \"x\" == \"y\"",
        "type: account.updated, where: record.a in 10%..20, id: before.id",
        "type: account.updated, deletes: delete, snapshot: news, csm: key",
        "type: account.updated, where: is_large and account.arr > 3",
        "type: account.updated, record: {a: txt}, backlog: never",
        "topic: t, format: debezium, account: key, type: user.logged_in, deletes: delete",
        "topic: t, format: cloudevents, fields: {user: record.data.user}",
    ];
    shot(
        "sources",
        &all(&cases, |case| {
            let head = match case.contains("format") {
                true => String::new(),
                false => format!("{SOURCE}, "),
            };
            definition(&format!("sources: {{crm: {{{head}{case}}}}}\n"))
        }),
    );
}

#[test]
fn right_workflows_are_passed_without_a_word() {
    for good in [
        "steps: [{send: hello, to: champion else admin}]\n",
        "steps: [{send: hello, to: [champion, admin], cc: admin, from: us@vendor.example, reply_to: csm.email, if_nobody: skip, hours: any}]\n",
        "steps: [{send: hello, to: champion, approval: {by: csm, at_most: 2 business days, otherwise: skip}}]\n",
        "steps: [{id: a, alert: [csm, everyone], text: Look here}]\n",
        "steps: [{id: a, task: Call, assignee: csm, due: 3 business days}]\n",
        "steps: [{send: hello, to: champion, at: 30..20 days before contract.renewal_date}, {id: b, if: steps.hello.replied, task: Call, assignee: csm}]\n",
        "steps: [{id: a, if: is_large, then: [{send: hello, to: champion}], else: [{id: b, task: Call, assignee: csm}]}]\n",
        "while: contract.status == active\ngoal: {when: usage >= 80%, within: 30d, then: [{send: hello, to: champion}]}\nsteps: [{id: a, alert: csm, text: x}]\n",
        "with: {seats: contract.seats}\nsteps: [{id: a, if: seats > 3, alert: csm, text: x}]\n",
    ] {
        assert_eq!(workflow(good), "", "{good}");
    }
}

#[test]
fn wrong_definitions_are_told() {
    shot(
        "definitions",
        &all(
            &[
                "metrcs: {}\n",
                "entities: {acount: {}}\n",
                "entities: {account: {a: txt, b: required, c: low | low, d: {type: text, writen_by: source}}}\n",
                "events: {login: {}, message.sent: {}}\n",
                "metrics: {a: {count: user.loged_in}, b: {count_distinct: user.logged_in.usr}, c: {sum: user.logged_in.user}}\n",
                "metrics: {a: {count: user.logged_in, latest: user.logged_in}, b: {count: user.logged_in, over: 7 moons}}\n",
                "metrics: {a: {formula: b + 1}, b: {formula: a + 1}}\n",
                "segments: {a: b, b: not a}\n",
                "segments: {is_large: weekly_users > 3}\n",
                "segments: {count: weekly_users > 3, champion: is_large}\n",
                "labels: {stage: {all: otherwise, none: is_large}}\n",
                "risks: {r: {opens: usage < 30, closes: usage}}\n",
                "limits: [{at_most: 0, in: 7d, per: customer, topics: [tipps]}]\n",
                "topics: {news: {title: News, purpose: promotional}}\n",
                "topics: {news: {title: {ja: お知らせ, Deutsch: Neues}, purpose: service}}\n",
                "topics: {news: {title: {ja: お知らせ, fr: Nouvelles}, purpose: service}}\n",
                "topics: {news: {title: {en: [News]}, purpose: service}}\n",
                "routes: {a: {else: b}, b: {slack: csm.slak, else: nowhere}}\n",
                "webhooks: {x: {url: crm.example, secret: hunter2}}\n",
                "health: {outcome: {weight: 50, measures: {}}, bands: {green: 40, yellow: 70}}\n",
                "complete_since: {all: yesterday}\n",
            ],
            definition,
        ),
    );
}

#[test]
fn wrong_workflows_are_told() {
    shot(
        "workflows",
        &all(
            &[
                "stepz: []\n",
                "status: lively\nsteps: []\n",
                "topic: terms\nsteps: [{id: a, alert: csm, text: x}]\n",
                "while: contract.status == trial\nsteps: [{id: a, alert: csm, text: x}]\n",
                "holds_back: [terms, tpis]\nsteps: [{id: a, alert: csm, text: x}]\n",
                "with: {usage: contract.seats}\nsteps: [{id: a, alert: csm, text: x}]\n",
                "steps: [{id: a, alert: csm, text: x}, {id: a, task: Call, assignee: csm}]\n",
                "steps: [{id: a, stop: enough}, {id: b, task: Call, assignee: csm}]\n",
                "while: days_until(contract.renewal_date) in 0..60\nsteps: [{id: a, at: 90..80 days before contract.renewal_date, alert: csm, text: x}]\n",
                "steps: [{id: a, if: usage > 3%, alert: csm, text: x}, {id: b, if: usage <= 3%, alert: csm, text: x}]\n",
                "steps: [{send: hello, to: champion}, {id: b, if: steps.hello.opened, alert: csm, text: x}]\n",
                "holdout: 10%\ngoal: usage > 3%\nsteps: [{id: a, alert: csm, text: x}]\n",
                "goal: {when: usage > 3%, then: [{id: w, wait: 3d}]}\nsteps: [{id: a, alert: csm, text: x}]\n",
            ],
            workflow,
        ),
    );
}

const STEP: &str = "workflow: case\ntopic: terms\nsteps: [{id: a, alert: csm, text: x}]\n";

fn start(text: &str) -> String {
    frames("workflows/case.yaml", &format!("{STEP}{text}"))
}

#[test]
fn wrong_starts_are_told() {
    let shown = all(
        &[
            "start: {}\n",
            "start: {when: is_large}\n",
            "start: {when: is_large, event: user.logged_in, existing: skip}\nonce_per: account\n",
            "start: {when: days_until(contract.renewal_date) in 90..120, for: 45d, existing: skip}\nonce_per: account\n",
            "start: {when: is_large, if: days_until(contract.renewal_date) > 3, existing: skip}\nonce_per: contract\n",
            "start: {event: user.loged_in, max_age: 1d, for: 3d}\nonce_per: 30d\n",
            "start: {every: monthly 09:00}\n",
            "start: {cron: every day}\n",
            "start: {when: contract.seats > 3 and contract.seats < 2, existing: maybe}\nonce_per: 3 months\n",
        ],
        start,
    );
    shot("starts", &shown);
}

#[test]
fn wrong_steps_are_told() {
    shot(
        "steps",
        &all(
            &[
                "send: hello",
                "send: helo\nto: champion",
                "send: hello\nto: champoin",
                "send: hello\nto: champion\ntopic: tips\ncc: admin",
                "send: hello\nto: champion\nalert: csm",
                "sned: hello\nto: champion",
                "title: nothing",
                "task: Call\nassignee: csm",
                "id: a\ntask: Call\nassignee: cms\ndue: soon",
                "id: a\nalert: csm",
                "id: a\nalert: csm\ntext: x\ntemplate: hello",
                "id: a\nthen: []",
                "id: a\nat: 10..20 days before contract.renewal_date\nalert: csm\ntext: x",
                "id: a\nat: 20 days beside contract.renewal_date\nalert: csm\ntext: x",
                "id: a\nat: 20 days before contract.renewal\nalert: csm\ntext: x",
                "id: a\nif: steps.b.sent\nalert: csm\ntext: x",
                "id: A step\nalert: csm\ntext: x",
                "id: a\nif: usage > 10% and usage < 5%\nalert: csm\ntext: x",
                "id: a\nif: steps.a.sent\nalert: csm\ntext: x",
                "send: hello\nto: csm.email",
                "id: a\nwait: {until: is_large}",
                "id: a\nwait: {event: user.loged_in, at_most: 3d, otherwise: carry on}",
                "id: a\nmatch: touch\ncases: {high: [], lo: []}",
                "id: a\nsplit: {x: {share: 50%, steps: []}, y: {share: 40%, steps: []}}",
                "id: a\nset: {account.size: large, account.refrence: asked}",
                "id: a\nset: {account.reference: maybe}",
                "id: a\nwebhook: crn\nbody: {size: account.siz}",
            ],
            step,
        ),
    );
}

#[test]
fn wrong_tests_are_told() {
    let text = "\
accounts:
  acme:
    account: {name: Acme, arr: 3M, sice: 2025-01-01, since: soon}
    contract: {status: activ}
    metrics: {weekly_users: 3, usage: 72, touch: hgh, weekly: 1}
tests:
  - test: a
    workflow: cse
    given: acme
    start_at: 2026-01-05 09:00
  - test: b
    workflows: all
    given: acm
    start_at: 2026-01-05
  - test: c
    workflows: all
    given: acme
    start_at: 2026-01-05 09:00
    timeline:
      - {at: 2026-01-04 09:00, event: user.logged_in, data: {usr: u}}
      - {at: 2026-01-06 09:00, change: {contract.seats: many}, expect: [{send: helo}, {end: done}, {skip: x, why: because}]}
";
    shot("tests", &frames("workflows/case.test.yaml", text));
}

#[test]
fn a_number_with_a_leading_nought_is_a_text() {
    let shown = definition("limits: [{at_most: 010, in: 7d, per: contact}]\n");
    assert!(shown.contains("`at_most` is a whole number"), "{shown}");
    let shown = definition("entities: {account: {a: {type: text, required: NO}}}\n");
    assert!(shown.contains("`required` is `true` or `false`"), "{shown}");
}

#[test]
fn limits_hold_at_their_edge() {
    let named = |bytes: usize| format!("segments: {{{}: is_large}}\n", "s".repeat(bytes));
    let titled = |bytes: usize| {
        format!(
            "{HEAD}title: {}\nsteps: [{{id: a, alert: csm, text: x}}]\n",
            "t".repeat(bytes)
        )
    };
    let steps = |count: usize| {
        let steps = (0..count).map(|at| format!("  - {{id: s{at}, alert: csm, text: x}}\n"));
        format!("{HEAD}steps:\n{}", steps.collect::<String>())
    };
    let blocks = |depth: usize| {
        let open: String = (0..depth)
            .map(|at| format!("[{{id: b{at}, if: is_large, then: "))
            .collect();
        format!(
            "{HEAD}steps: {open}[{{id: z, alert: csm, text: x}}]{}\n",
            "}]".repeat(depth)
        )
    };
    for (good, bad) in [
        (named(64), named(65)),
        (titled(4096), titled(4097)),
        (steps(500), steps(501)),
        (blocks(4), blocks(5)),
    ] {
        assert_eq!(frames("workflows/case.yaml", &good), "");
        assert!(checked(bad).diagnostics.iter().any(|it| it.code == "E103"));
    }
}

#[test]
fn diagnostics_as_json_count_lines_and_columns_from_one() {
    let files = files("workflows/case.yaml", "segments: {更新: usage < 30}\n");
    let json = diagnostic::to_json(&check(&files).diagnostics, &files);
    let expected = serde_json::json!({"diagnostics": [{
        "code": "E302",
        "severity": "error",
        "message": "this compares a percentage with a plain number",
        "help": "did you mean `30%`?",
        "file": "workflows/case.yaml",
        "line": 1,
        "column": 22,
        "end_line": 1,
        "end_column": 23,
    }]});
    assert_eq!(json, expected);
}

fn checked(text: String) -> Checked {
    check(&files("workflows/case.yaml", &text))
}

#[test]
fn hostile_files_are_refused_by_name() {
    let deep = |open: &str, close: &str| {
        format!(
            "segments: {{a: {}x{}}}\n",
            open.repeat(5_000),
            close.repeat(5_000)
        )
    };
    let long = "a + ".repeat(50_000);
    let steps = "[{if: is_large, id: a, then: ".repeat(20);
    for text in [
        deep("(", ")"),
        deep("not ", ""),
        deep("[", "]"),
        deep("{all: [", "]}"),
        format!("segments: {{a: {long}1}}\n"),
        format!("{HEAD}steps: {steps}\n"),
        "segments:\n".to_owned() + &"  a: *b\n".repeat(10_000),
        (0..6_000)
            .map(|at| format!("a{at}: &x [*x, *x]\n"))
            .collect(),
        "\u{0}\u{1b}[31m: 1\n".to_owned(),
        "x".repeat(2_000_000),
        format!("{}: 1\n", "y".repeat(100_000)),
    ] {
        let checked = checked(text);
        assert!(checked.program.is_none());
        assert!(!checked.diagnostics.is_empty());
        assert!(
            checked.diagnostics.len() <= 200,
            "{}",
            checked.diagnostics.len()
        );
    }
}

#[test]
fn a_long_chain_of_definitions_is_ordered() {
    let chain: String = (1..2_000)
        .map(|at| format!("  s{at}: s{} and weekly_users > 1\n", at - 1))
        .collect();
    let checked = checked(format!("segments:\n  s0: is_large\n{chain}"));
    let program = checked.program.expect("a program");
    assert_eq!(program.segments.len(), 2_001);
}
