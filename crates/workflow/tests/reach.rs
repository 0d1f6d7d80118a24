//! What can never come about in its place is found; what can't be decided is passed without a word.

use workflow::{Files, check, diagnostic};

const BASE: &str = "\
entities:
  account: {name: required text, arr: money, size: small | middle | large}
  contract: {status: required trial | active, renewal_date: date, seats: number}
  contact: {name: required text, email: required email, role: champion | admin}
  csm: {name: required text, slack: text}
segments:
  is_large: (account.arr else 0) >= 20M
labels:
  touch: {high: is_large, low: otherwise}
topics: {terms: {title: Terms, purpose: contractual}}
defaults: {from: Us <us@vendor.example>, locale: en}
routes: {csm: {channel: \"#cs\"}}
";

/// Each workflow, and the code and line of what is said.
const CASES: [(&str, &str); 17] = [
    // `when` and the start's own `if` are asked at one moment.
    (
        "start: {when: account.size == large, if: account.size == small, existing: skip}\nsteps: [{id: a, stop: x}]\n",
        "E601 3",
    ),
    (
        "start: {when: is_large, if: account.arr < 3M, existing: skip}\nsteps: [{id: a, stop: x}]\n",
        "E601 3",
    ),
    (
        "start: {when: is_large, if: account.size == small, existing: skip}\nwhile: account.size == large\nsteps: [{id: a, stop: x}]\n",
        "E601 3",
    ),
    // `while` is not false when a step acts.
    (
        "while: account.size == large\nsteps: [{id: a, if: account.size == small, alert: csm, text: x}]\n",
        "E501 5",
    ),
    (
        "while: not is_large\nsteps: [{id: a, if: touch == high, alert: csm, text: x}]\n",
        "E501 5",
    ),
    (
        "while: account.size == large\nsteps: [{id: a, if: account.size is unknown, alert: csm, text: x}]\n",
        "",
    ),
    (
        "while: account.arr > 3M\nsteps: [{id: a, if: account.size == small, alert: csm, text: x}]\n",
        "",
    ),
    // A window says how far away the date is.
    (
        "steps: [{id: a, at: 90..80 days before contract.renewal_date, if: days_until(contract.renewal_date) < 30, alert: csm, text: x}]\n",
        "E501 4",
    ),
    (
        "steps: [{id: a, at: 90..80 business days before contract.renewal_date, if: days_until(contract.renewal_date) < 30, alert: csm, text: x}]\n",
        "",
    ),
    // A block's first step, if it acts at once, stands at the moment of the block's own `if`.
    (
        "steps:\n- id: a\n  if: is_large\n  then:\n  - {id: b, if: not is_large, stop: x}\n",
        "E501 8",
    ),
    (
        "steps:\n- id: a\n  if: is_large\n  then:\n  - {id: w, wait: 3d}\n  - {id: b, if: not is_large, stop: x}\n",
        "",
    ),
    (
        "steps:\n- id: a\n  if: is_large\n  then:\n  - {id: b, if: not is_large, alert: csm, text: x}\n",
        "",
    ),
    (
        "steps:\n- id: a\n  if: is_large\n  then: []\n  else:\n  - {id: b, if: account.arr < 3M, stop: x}\n",
        "",
    ),
    // Cases.
    (
        "while: contract.status == active\nsteps:\n- id: a\n  match: contract.status\n  cases:\n    trial: [{id: b, stop: x}]\n    active: [{id: c, stop: x}]\n",
        "E501 9",
    ),
    (
        "while: contract.status == active\nsteps:\n- id: a\n  match: contract.status\n  cases:\n    trial: []\n    active: [{id: c, stop: x}]\n",
        "",
    ),
    (
        "steps:\n- id: a\n  match: account.size\n  cases:\n    large:\n    - {id: b, if: account.size == small, stop: x}\n  otherwise: []\n",
        "E501 9",
    ),
    // What is done on success is free of `while`.
    (
        "while: account.size == large\ngoal: {when: is_large, then: [{id: b, if: account.size == small, alert: csm, text: x}]}\nsteps: [{id: a, stop: x}]\n",
        "",
    ),
];

#[test]
fn what_can_never_come_about_is_found_in_its_place() {
    for (text, expected) in CASES {
        let start = match text.starts_with("start:") {
            true => "",
            false => "start: {when: contract.status == active, existing: skip}\n",
        };
        let text = format!("workflow: case\nonce_per: account\n{start}{text}");
        let files = Files::from([
            ("workflows/base.yaml".into(), BASE.into()),
            ("workflows/case.yaml".into(), text.into()),
        ]);
        let found = check(&files).diagnostics;
        let json = diagnostic::to_json(&found, &files);
        let list = json["diagnostics"].as_array().expect("a list");
        let said = list.iter().map(|one| {
            let code = one["code"].as_str().expect("a code");
            format!("{code} {}", one["line"])
        });
        // Not every case uses all that the base names.
        let said: Vec<String> = said.filter(|said| !said.starts_with("W607")).collect();
        let shown = diagnostic::frames(&found, &files, false);
        assert_eq!(
            said.join(", "),
            expected,
            "{text}\n{shown}",
            text = files["workflows/case.yaml"]
        );
    }
}
