//! The pages of `sottaku explain`: every code has one, and its own examples prove it.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests read the sources to learn which codes there are"
)]

use std::collections::BTreeSet;
use std::path::Path;
use workflow::diagnostic::{Example, page, pages};
use workflow::{Files, check, diagnostic};

/// The workspace of which the examples speak.
const BASE: &str = "\
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
complete_since: {all: 2025-01-01}
metrics:
  weekly_users: {count_distinct: user.logged_in.user, over: 7d}
  usage: {formula: weekly_users / contract.seats, as: percent}
segments:
  is_large: (account.arr else 0) >= 20M
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
start: {when: contract.status == active, existing: skip}
once_per: account
steps:
";

fn files(examples: &[Example]) -> Files {
    let mail = "---\nsubject: Hello\n---\nHello.\n";
    let mut files = Files::from([
        ("workflows/base.yaml".into(), BASE.into()),
        ("templates/hello.en.hbs".into(), mail.into()),
    ]);
    for example in examples {
        let (path, text) = match example.place {
            "steps" => ("workflows/case.yaml", format!("{HEAD}{}", example.text)),
            path => (path, example.text.to_owned()),
        };
        files.insert(path.into(), text.into());
    }
    files
}

/// The codes of all that is said, and the frames.
fn said(examples: &[Example]) -> (BTreeSet<&'static str>, String) {
    let files = files(examples);
    let mut checked = check(&files);
    // Not each example uses all that the base offers.
    let is_own = |file: &str| {
        examples
            .iter()
            .any(|it| file == "workflows/case.yaml" || it.place == file)
    };
    checked
        .diagnostics
        .retain(|it| !matches!(it.code, "W607" | "W608") || is_own(&it.file));
    let frames = diagnostic::frames(&checked.diagnostics, &files, false);
    let codes = checked.diagnostics.iter().map(|one| one.code);
    (codes.collect(), frames)
}

/// Every code that the sources can say.
fn codes() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder can be listed") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).expect("the file can be read");
                codes.extend(
                    text.split('"')
                        .filter(|word| is_code(word))
                        .map(str::to_owned),
                );
            }
        }
    }
    codes
}

fn is_code(word: &str) -> bool {
    let digits = word.strip_prefix('E').or_else(|| word.strip_prefix('W'));
    digits.is_some_and(|digits| digits.len() == 3 && digits.bytes().all(|it| it.is_ascii_digit()))
}

/// What the language promises to find.
const PROMISED: &str = "E101 E102 E103 E104 E105 E106 E107 E110 E201 E202 E203 E204 E205 E206 E207 E208 E209 E210 E211 \
    E212 E301 E302 E303 E304 E305 E306 E401 E402 E403 E404 E405 E406 W410 W411 E501 E502 E503 E504 E505 E506 E601 W602 \
    W603 W604 W605 W606 W607 W608 E701 E702 E703 E704 E705 W706 E801";

#[test]
fn every_code_has_one_page_with_a_meaning_and_two_examples() {
    let listed: Vec<&str> = pages().map(|page| page.code).collect();
    let known: BTreeSet<&str> = listed.iter().copied().collect();
    assert_eq!(listed.len(), known.len(), "a code has two pages");
    let said = codes();
    for code in said
        .iter()
        .map(String::as_str)
        .chain(PROMISED.split_whitespace())
    {
        let page = page(code).unwrap_or_else(|| panic!("{code} has no page"));
        assert!(page.meaning().len() > 60, "{code} says too little");
        assert!(
            page.title.len() <= 60 && !page.title.ends_with('.'),
            "{code}"
        );
        assert!(
            !page.wrong().is_empty() && !page.right().is_empty(),
            "{code} lacks an example"
        );
    }
    for code in known {
        let is_meant = said.contains(code) || PROMISED.contains(code);
        assert!(is_meant, "the page {code} is of no use");
    }
}

#[test]
fn the_wrong_example_of_a_page_has_its_mistake_alone_and_the_right_one_has_none() {
    let at_work = codes();
    let mut failed = String::new();
    for page in pages().filter(|page| at_work.contains(page.code)) {
        let (mut wrong, shown) = said(&page.wrong());
        let severity_fits = check(&files(&page.wrong()))
            .diagnostics
            .iter()
            .all(|one| one.code != page.code || one.severity == page.severity());
        if page.code != "E900" {
            wrong.remove("E900");
        }
        if wrong != BTreeSet::from([page.code]) || !severity_fits {
            failed.push_str(&format!("### {}, wrong: {wrong:?}\n{shown}", page.code));
        }
        let (mut right, shown) = said(&page.right());
        right.remove("E900");
        if !right.is_empty() {
            failed.push_str(&format!("### {}, right\n{shown}", page.code));
        }
    }
    assert!(failed.is_empty(), "{failed}");
}
