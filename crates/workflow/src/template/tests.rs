//! Templates, tested as data.

use super::{Parsed, Shelf, check, parse};
use crate::diagnostic::{Diagnostic, Severity};
use crate::expression::fixture;
use crate::expression::{Scope, Want, compile};

fn scope() -> Scope {
    Scope {
        has_contact: true,
        has_csm: true,
        has_unsubscribe_url: true,
        ..fixture::contract()
    }
}

fn mail(body: &str) -> String {
    format!("---\nsubject: \"Hello {{{{account.name}}}}\"\n---\n{body}")
}

fn said(text: &str, diagnostic: &Diagnostic) -> String {
    let before = &text[..diagnostic.span.start];
    let line = before.matches('\n').count() + 1;
    let column = before
        .chars()
        .rev()
        .take_while(|letter| *letter != '\n')
        .count()
        + 1;
    let help = diagnostic.help.as_deref().unwrap_or_default();
    format!(
        "{} {line}:{column} {} | {help}",
        diagnostic.code, diagnostic.message
    )
}

/// Everything that is said of one file.
fn all(text: &str) -> Vec<String> {
    let (parsed, mut found) = parse("templates/intro.ja.hbs", text, &Shelf::default());
    if let Some(parsed) = parsed {
        found.extend(check(&[&parsed], &scope(), &[], "ja").1);
    }
    found
        .iter()
        .map(|diagnostic| said(text, diagnostic))
        .collect()
}

/// `expected` is the beginning of what is said; nothing: the body is right.
fn check_body(body: &str, expected: &str) {
    let said = all(&mail(body));
    match (&said[..], expected) {
        ([], "") => {}
        ([one], expected) if !expected.is_empty() => {
            let (start, help) = expected.split_once(" | ").unwrap_or((expected, ""));
            assert!(
                one.starts_with(start) && one.contains(help),
                "{body}: {one}"
            );
        }
        _ => panic!("{body}: {said:#?}"),
    }
}

#[test]
fn right_templates_are_taken() {
    for body in [
        "{{contact.name}} 様\n\n{{#if contract.renewal_date}}{{date contract.renewal_date}}{{/if}}",
        "{{or csm.name \"us\"}} {{or health.band \"不明\"}}",
        "{{#if weekly_active_users}}{{number weekly_active_users}}{{else}}none{{/if}}",
        "{{#unless account.arr}}none{{else}}{{money account.arr}}{{/unless}}",
        "{{#if account.arr}}{{money account.arr}}{{else if csm.name}}{{csm.name}}{{/if}}",
        "{{date (or contract.renewal_date contract.start_date)}}",
        "{{days_until contract.start_date}} {{number (days_since contract.start_date)}}",
        "{{#each contacts}}{{contact.name}} of {{../account.name}}{{else}}nobody{{/each}}",
        "{{count contacts}} {{#each cases}}{{risk.title}}{{/each}}",
        "{{#with account}}{{name}} {{#if arr}}{{money arr}}{{/if}}{{/with}}",
        "<a href=\"{{url unsubscribe_url}}\">leave</a> [here]({{url unsubscribe_url}})",
        "\\{{not.a.name}} {{! a comment with {{ }} {{!-- {{#if}} }} --}}",
        "{{steps.intro.sent}} {{contract.status}} {{~contract.seats~}}",
        "{{broken}} {{#if account.broken}}{{account.broken}}{{/if}}",
    ] {
        check_body(body, "");
    }
}

/// What is wrong in a body.
const WRONG: &[(&str, &str)] = &[
    (
        "a {{acount.name}}",
        "E701 4:5 there is no `acount.name` | did you mean `account.name`?",
    ),
    (
        "a\n\n 担当の {{csm.name}} まで",
        "E704 6:8 `csm.name` may be missing; a customer could read an empty space here | write {{or csm.name \"...\"}} or wrap it in {{#if csm.name}}",
    ),
    (
        "{{date contract.renewal_date}}",
        "E704 4:8 `contract.renewal_date` may be missing | wrap it in {{#if contract.renewal_date}}",
    ),
    (
        "{{#if account.arr}}{{else}}{{money account.arr}}{{/if}}",
        "E704 4:36 `account.arr` may be missing",
    ),
    (
        "{{#if account.arr}}x{{/if}}{{money account.arr}}",
        "E704 4:36",
    ),
    (
        "{{or csm.name csm.email}}",
        "E704 4:15 `csm.email` may be missing",
    ),
    ("{{champion.name}}", "E704 4:3 `champion.name`"),
    (
        "{{champion}}",
        "E702 4:3 `champion` is a contact; name one of its fields, `champion.name`",
    ),
    ("{{contacts}}", "E702 4:3 `contacts` is a list"),
    (
        "{{datum contract.start_date}}",
        "E702 4:3 there is no helper `datum` | did you mean `date`?",
    ),
    (
        "{{dat contract.start_date}}",
        "E702 4:3 there is no helper `dat` | did you mean `date`?",
    ),
    (
        "{{lookup account \"name\"}}",
        "E702 4:3 there is no helper `lookup`",
    ),
    ("{{log account.name}}", "E702 4:3 there is no helper `log`"),
    (
        "{{money contract.seats}}",
        "E702 4:3 `money` takes an amount of money, but this is a number | write `number`",
    ),
    (
        "{{date account.name}}",
        "E702 4:3 `date` takes a date or a time, but this is text",
    ),
    (
        "{{date contract.start_date \"long\"}}",
        "E702 4:3 `date` takes one value, not 2",
    ),
    (
        "{{date contract.start_date format=\"long\"}}",
        "E702 4:3 `date` takes no named values",
    ),
    (
        "{{or csm.name}}",
        "E702 4:3 `or` takes a value that may be missing",
    ),
    (
        "{{#each account.name}}x{{/each}}",
        "E703 4:9 `account.name` is no list",
    ),
    (
        "{{#each contacts}}{{account.name}}{{/each}}",
        "E701 4:21 there is no `account.name` | `../account.name`",
    ),
    ("{{#each contacts}}{{contact.locale}}{{/each}}", "E704 4:21"),
    (
        "{{#foo account.name}}x{{/foo}}",
        "E702 4:4 there is no block `foo`",
    ),
    ("{{../account.name}}", "E701 4:3 nothing is outside of here"),
    ("{{this}}", "E701 4:3 `this` is no name"),
    (
        "{{{account.name}}}",
        "E707 4:1 templates have no raw output",
    ),
    ("{{&account.name}}", "E707 4:1 templates have no raw output"),
    ("{{> footer}}", "E710 4:1 there is no partial `footer`"),
    (
        "{{#> layout}}x{{/layout}}",
        "E707 4:1 templates have no partials",
    ),
    ("{{* deco}}", "E707 4:1 templates have no decorators"),
    ("{{{{raw}}}}", "E707 4:1 templates have no raw output"),
    ("{{@root.secret}}", "E707 4:1 templates have no `@` names"),
    (
        "\\\\{{{account.name}}}",
        "E707 4:3 templates have no raw output",
    ),
    (
        "<a href={{url unsubscribe_url}}>",
        "E707 4:9 only an address may stand here",
    ),
    (
        "<a href=\"{{account.name}}\">",
        "E707 4:10 only an address may stand here",
    ),
    (
        "[x]({{account.name}})",
        "E707 4:5 only an address may stand here",
    ),
    (
        "{{#if account.name}}x",
        "E709 4:1 this block is never closed | {{/if}}",
    ),
    ("x{{/if}}", "E709 4:2 this closes no block"),
    ("{{#if account.name}}x{{/each}}", "E709"),
    ("{{account.name", "E709 4:1 this `{{` is never closed"),
    ("{{account..name}}", "E709 4:"),
];

#[test]
fn what_is_wrong_is_said_at_its_place() {
    for (body, expected) in WRONG {
        check_body(body, expected);
    }
}

#[test]
fn front_matter_is_read_and_its_mistakes_stand_in_the_file() {
    for (text, expected) in [
        ("hello", "E102 1:1 `subject` is missing"),
        ("---\nchannel: slack\n---\nhello", ""),
        (
            "---\nchannel: fax\n---\nhello",
            "E103 2:10 there is no channel `fax`",
        ),
        (
            "---\nsubjct: x\nsubject: y\n---\nhello",
            "E101 2:1 a template has no key `subjct` | did you mean `subject`?",
        ),
        (
            "---\nsubject: [a]\n---\nhello",
            "E103 2:10 `subject` is one line of text",
        ),
        (
            "---\nsubject: x\nhello",
            "E709 1:1 this front matter has no end",
        ),
        (
            "---\nsubject: \"{{acount.name}} 様 {{contract.status}}\"\n---\n",
            "E701 2:13 there is no `acount.name`",
        ),
        (
            "---\nsubject: \"a \\\"b\\\" 様 {{csm.name}}\"\n---\n",
            "E704 2:23",
        ),
        ("---\nsubject: x\npreheader: '{{nope}}'\n---\n", "E701 3:15"),
    ] {
        let said = all(text);
        match (&said[..], expected) {
            ([], "") => {}
            ([one], expected) if !expected.is_empty() => {
                let (start, help) = expected.split_once(" | ").unwrap_or((expected, ""));
                assert!(
                    one.starts_with(start) && one.contains(help),
                    "{text}: {one}"
                );
            }
            _ => panic!("{text}: {said:#?}"),
        }
    }
    let (parsed, found) = parse("templates/noname.hbs", "x", &Shelf::default());
    assert!(parsed.is_none() && found[0].message.contains("name.locale.hbs"));
}

fn parsed(locale: &str, body: &str) -> Parsed {
    let (parsed, found) = parse(
        &format!("templates/intro.{locale}.hbs"),
        &mail(body),
        &Shelf::default(),
    );
    parsed.unwrap_or_else(|| panic!("{found:#?}"))
}

#[test]
fn what_is_known_from_the_step_needs_no_protection() {
    let scope = scope();
    let known: Vec<_> = ["contract.renewal_date", "champion"]
        .iter()
        .map(|text| compile(text, &scope, &Want::Anything).expect("it is right"))
        .collect();
    let text = parsed("ja", "{{date contract.renewal_date}} {{champion.name}}");
    let (template, found) = check(&[&text], &scope, &known, "ja");
    assert_eq!(found, []);
    let reads: Vec<String> = template
        .expect("there is no error")
        .1
        .iter()
        .map(|read| read.path.join("."))
        .collect();
    assert_eq!(
        reads,
        ["account.name", "champion.name", "contract.renewal_date"]
    );
}

#[test]
fn locales_are_compared_and_the_default_one_is_due() {
    let (ja, en) = (
        parsed("ja", "{{contract.seats}}"),
        parsed("en", "{{contract.status}}"),
    );
    let (template, found) = check(&[&ja, &en], &scope(), &[], "ja-JP");
    assert_eq!(template.map(|(_, reads)| reads.len()), Some(3));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].severity, Severity::Warning);
    assert_eq!(
        found[0].message,
        "`en` does not use `contract.seats`, which `ja` uses"
    );
    let (template, found) = check(&[&en], &scope(), &[], "ja");
    assert!(template.is_none());
    assert_eq!((found[0].code, found.len()), ("E705", 1));
}

#[test]
fn every_limit_holds_at_its_edge() {
    use super::{
        TEMPLATE_BLOCKS_DEPTH_MAX as BLOCKS, TEMPLATE_PARENTHESES_DEPTH_MAX as PARENTHESES,
    };
    let blocks = |depth: usize| {
        format!(
            "{}x{}",
            "{{#if account.name}}".repeat(depth),
            "{{/if}}".repeat(depth)
        )
    };
    check_body(&blocks(BLOCKS), "");
    check_body(
        &blocks(BLOCKS + 1),
        "E708 4:641 blocks nest more than 32 levels deep here",
    );
    let calls = |depth: usize| {
        format!(
            "{{{{or csm.name {}\"x\"{}}}}}",
            "(or csm.name ".repeat(depth),
            ")".repeat(depth)
        )
    };
    check_body(&calls(PARENTHESES), "");
    check_body(
        &calls(PARENTHESES + 1),
        "E708 4:1 this nests more than 8 parentheses",
    );
    let loops = |depth: usize| {
        format!(
            "{}x{}",
            "{{#each ../contacts}}".repeat(depth),
            "{{/each}}".repeat(depth)
        )
    };
    check_body(&loops(3), "E708 4:43 `each` nests more than 2 levels deep");
    let tags = |count: usize| "{{account.name}}".repeat(count);
    check_body(&tags(super::TEMPLATE_TAGS_MAX), "");
    check_body(
        &tags(super::TEMPLATE_TAGS_MAX + 1),
        "E708 4:32001 this has more than 2000 expressions",
    );
    let fixed = mail("").len();
    check_body(&"x".repeat(super::TEMPLATE_BYTES_MAX - fixed), "");
    check_body(
        &"x".repeat(super::TEMPLATE_BYTES_MAX - fixed + 1),
        "E708 1:1 this template is larger than 262144 bytes",
    );
}

#[test]
fn garbage_is_refused_and_never_panics() {
    for text in [
        "{{#if x}}".repeat(20_000),
        "(".repeat(100_000),
        format!("{{{{a {}}}}}", "(b ".repeat(20_000)),
        format!("{{{{a {}}}}}", "[".repeat(20_000)),
        format!("\\\\{}", "{{#if x}}".repeat(20_000)),
        format!("{{{{!-- }}}}{}", "{{#if x}}".repeat(20_000)),
        format!("{{{{'}}}}{}", "{{#if x}}".repeat(20_000)),
        "{{account.name}}".repeat(15_000),
        "\\{{{{".repeat(20_000),
        "{{".repeat(50_000),
        "}}{{/each}}".repeat(10_000),
    ] {
        let said = all(&mail(&text));
        assert!(said.len() <= 25, "{}", said.len());
    }
}

proptest::proptest! {
    #[test]
    fn random_templates_never_panic(words in proptest::collection::vec(proptest::sample::select(vec![
        "{{", "}}", "{{#if ", "{{/if}}", "{{else}}", "{{else if ", "account.name", "csm.name", "}}", "{{#each contacts}}",
        "{{/each}}", "\\", "\"", "'", "(", ")", "or ", "date ", "{{{", "}}}", "~", "価", "\n", "{{!--", "--}}", "<a href=\"", ">", "../", "this", "@root", "{{^}}", "[", "]", "=",
    ]), 0..24)) {
        let said = all(&mail(&words.concat()));
        proptest::prop_assert!(said.len() < 60);
    }
}
