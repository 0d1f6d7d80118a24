//! What is wrong: the code, the column, the message and the help.

use super::fixture;
use crate::expression::scope::Scope;
use crate::expression::{EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX, Want, compile};

/// `expected` is `code column part of the message | part of the help`.
fn check(scope: &Scope, want: &Want, text: &str, expected: &str) {
    let Err(mistakes) = compile(text, scope, want) else {
        panic!("{text} should be wrong");
    };
    let [mistake] = &mistakes[..] else {
        panic!("{text}: one mistake is due: {mistakes:#?}");
    };
    let column = text[..mistake.at.start].chars().count() + 1;
    let found = format!("{} {column} {}", mistake.code, mistake.message);
    let (message, help) = expected.split_once(" | ").unwrap_or((expected, ""));
    assert!(found.starts_with(message), "{text}: {found}");
    let found = mistake.help.clone().unwrap_or_default();
    assert!(found.contains(help), "{text}: {found}");
    assert!(mistake.at.end <= text.len(), "{text}");
}

fn conditions(scope: &Scope, table: &[(&str, &str)]) {
    for (text, expected) in table {
        check(scope, &Want::Condition, text, expected);
    }
}

/// What is no expression.
const NO_EXPRESSIONS: &[(&str, &str)] = &[
    ("", "E110 1 an expression is missing here"),
    ("  ", "E110 1 an expression is missing here"),
    (
        "touch == high && stage == renewal",
        "E110 15 I do not understand `&&` here | write `and`",
    ),
    (
        "touch == high || stage == renewal",
        "E110 15 I do not understand `||` here | write `or`",
    ),
    (
        "touch = high",
        "E110 7 I do not understand `=` here | write `==`",
    ),
    (
        "!advocate_ready",
        "E110 1 I do not understand `!` here | write `not`",
    ),
    (
        "touch <> high",
        "E110 7 I do not understand `<>` here | write `!=`",
    ),
    (
        "csat => 3",
        "E110 6 I do not understand `=>` here | write `>=`",
    ),
    (
        "csat ≥ 3",
        "E110 6 I do not understand `≥` here | write `>=`",
    ),
    (
        "csat \u{ff1d} 3",
        "E110 6 I do not understand `\u{ff1d}` here | write `==`",
    ),
    (
        "touch == 'high'",
        "E110 10 I do not understand `'` here | double quotes",
    ),
    ("touch == \"high", "E110 10 this text has no closing `\"`"),
    (
        "touch == high AND advocate_ready",
        "E110 15 I do not understand `AND` here | write `and`",
    ),
    (
        "days_since(now) > 3",
        "E110 12 there is no `now` | days_until",
    ),
    (
        "{{account.name}}",
        "E110 1 I do not understand `{{` here | without `{{ }}`",
    ),
    (
        "(touch == high",
        "E110 1 this `(` is never closed | close it with `)`",
    ),
    ("touch in [high, low", "E110 10 this `[` is never closed"),
    ("touch == high)", "E110 14 this `)` does not belong here"),
    ("touch ==", "E110 7 the expression ends too early"),
    ("touch == high and", "E110 15 the expression ends too early"),
    (
        "touch == high stage",
        "E110 15 I do not understand `stage` here | join conditions",
    ),
    (
        "champion is null",
        "E110 13 I do not understand `null` here | write `is unknown`",
    ),
    (
        "csat between 3",
        "E110 6 I do not understand `between` here | in 90..120",
    ),
    ("csat in 3", "E110 9 the expression ends too early"),
    (
        "csat in high",
        "E110 9 I do not understand `high` here | a range `90..120`",
    ),
    (
        "hours_since(first_report_at) > 3d",
        "E110 32 I do not understand the unit `d` here | no durations",
    ),
    (
        "account.arr > 5m",
        "E110 15 I do not understand the unit `m` here | write `5M`",
    ),
    ("csat > 0.1234567", "E110 8 this number has too many places"),
    ("csat > 99999999999999", "E110 8 this number is too large"),
    ("csat # 3", "E110 6 I do not understand `#` here"),
    ("csat\u{7} > 3", "E110 5 I do not understand `\\u{7}` here"),
    ("csat > .5", "E110 8 I do not understand `.` here | 0.5"),
    (
        "csat > 5 %",
        "E110 10 I do not understand `%` here | right behind a number",
    ),
];

#[test]
fn what_is_no_expression_is_refused_at_its_place() {
    conditions(&fixture::contract(), NO_EXPRESSIONS);
}

/// Names that are not there.
const STRANGE_NAMES: &[(&str, &str)] = &[
    (
        "acount.name == \"x\"",
        "E201 1 there is no `acount.name` | did you mean `account.name`?",
    ),
    (
        "account.nmae == \"x\"",
        "E201 1 there is no `account.nmae` | did you mean `account.name`?",
    ),
    (
        "seat_usge < 30%",
        "E201 1 there is no `seat_usge` | did you mean `seat_usage`?",
    ),
    (
        "stge == adoption",
        "E201 1 there is no `stge` | did you mean `stage`?",
    ),
    (
        "not advocate_redy",
        "E201 5 there is no `advocate_redy` | did you mean `advocate_ready`?",
    ),
    (
        "champion.nam == \"x\"",
        "E201 1 there is no `champion.nam` | `champion.name`",
    ),
    (
        "contact.role == admin",
        "E201 1 there is no `contact.role` | a contact is there",
    ),
    (
        "event.score > 3",
        "E201 1 there is no `event.score` | beside the event",
    ),
    ("health == red", "E201 1 `health` alone is nothing"),
    (
        "health.bnd == red",
        "E201 1 there is no `health.bnd` | did you mean `health.band`?",
    ),
    (
        "contract.seats-1 > 3",
        "E201 1 there is no `contract.seats-1` | `contract.seats`",
    ),
    (
        "account.name == hello",
        "E201 17 there is no `hello` | in quotes: `\"hello\"`",
    ),
    (
        "contacts contains champoin",
        "E201 19 there is no `champoin` | `champion`",
    ),
    (
        "steps.intr.sent",
        "E208 1 there is no step `intr` above | did you mean `intro`?",
    ),
    (
        "not steps.intro.replied and not steps.escalate.sent",
        "E504 33 `escalate` comes later; a step may ask only about steps above it",
    ),
    (
        "steps.intro.done",
        "E201 1 the step `intro` has no result `done`",
    ),
    (
        "steps.answer.event.anser == declined",
        "E201 1 the event `reference.answered` has no field `anser` | did you mean `answer`?",
    ),
    (
        "csm.name == \"x\"",
        "E211 1 `csm.name` can't be asked for in a condition",
    ),
    (
        "days_untill(contract.renewal_date) < 3",
        "E209 1 there is no function `days_untill` | did you mean `days_until`?",
    ),
    (
        "has(account.arr)",
        "E209 1 there is no function `has` | is known",
    ),
    (
        "days_until() > 3",
        "E209 1 `days_until` takes one value, not 0",
    ),
    ("min(csat) > 3", "E209 1 `min` takes two values, not 1"),
];

#[test]
fn names_that_are_not_there_are_said_with_the_nearest() {
    let scope = fixture::contract();
    conditions(&scope, STRANGE_NAMES);
    check(
        &scope,
        &Want::Contacts,
        "champoin else admin",
        "E204 1 there is no role `champoin` | did you mean `champion`?",
    );
    check(
        &scope,
        &Want::Contacts,
        "champion else admn",
        "E204 15 there is no role `admn` | did you mean `admin`?",
    );
    check(
        &scope,
        &Want::Contacts,
        "account.name",
        "E301 1 this should be a contact or contacts, but it is text",
    );
    check(
        &fixture::event("nps.responded"),
        &Want::Condition,
        "account.arr > 3",
        "E201 1 there is no `account.arr` | only the fields of `event`",
    );
    check(
        &fixture::event("nps.responded"),
        &Want::Condition,
        "event.scor > 3",
        "E201 1 the event `nps.responded` has no field `scor` | `score`",
    );
}

/// What has the wrong type.
const WRONG_TYPES: &[(&str, &str)] = &[
    (
        "first_report_at",
        "E303 1 this should be a condition (yes/no), but it is a time",
    ),
    (
        "advocate_ready and touch",
        "E303 20 this should be a condition (yes/no), but it is a word of a pick-list | `touch == high`",
    ),
    (
        "contract.status == activ",
        "E304 20 `activ` is not one of: trial, active, cancelled, expired | did you mean `active`?",
    ),
    ("activ == contract.status", "E304 1 `activ` is not one of"),
    (
        "contract.status in [active, trail]",
        "E304 29 `trail` is not one of: trial, active, cancelled, expired | did you mean `trial`?",
    ),
    (
        "(account.csm_sentiment else god) != bad",
        "E304 29 `god` is not one of: bad, neutral, good | did you mean `good`?",
    ),
    ("contract.status == \"nix\"", "E304 20 `nix` is not one of"),
    (
        "stage in [adoption, renewal] and (seat_usage < 30 or usage_trend <= -40%)",
        "E302 46 this compares a percentage with a plain number | did you mean `30%`?",
    ),
    (
        "30 > seat_usage",
        "E302 4 this compares a percentage with a plain number | did you mean `30%`?",
    ),
    (
        "seat_usage < csat",
        "E302 12 this compares a percentage with a plain number",
    ),
    (
        "seat_usage in 30..60",
        "E302 15 this compares a percentage with a plain number | did you mean `30%..60%`?",
    ),
    (
        "seat_usage in 30..60%",
        "E302 15 this compares a percentage with a plain number | did you mean `30%..60%`?",
    ),
    (
        "csat in 30%..60%",
        "E302 9 this compares a percentage with a plain number | did you mean `30..60`?",
    ),
    (
        "seat_usage in [30, 40%]",
        "E302 16 this compares a percentage with a plain number | did you mean `30%`?",
    ),
    (
        "(nps else 0) > 3%",
        "E302 11 this mixes a percentage with a plain number | did you mean `0%`?",
    ),
    (
        "seat_usage + 5 > 3%",
        "E302 12 this reckons a percentage with a plain number | did you mean `5%`?",
    ),
    (
        "account.arr * arr_then > 3",
        "E301 13 `*` can't join an amount of money and an amount of money",
    ),
    ("touch < high", "E301 7 these words have no order"),
    ("account.name < \"x\"", "E301 14 text has no order"),
    (
        "account.name == 3",
        "E301 14 this compares text with a number",
    ),
    (
        "contract.status == account.csm_sentiment",
        "E301 17 this compares words of two different pick-lists",
    ),
    (
        "contract.renewal_date < 90",
        "E301 23 this compares a date with a number | `days_until(contract.renewal_date)`",
    ),
    (
        "contract.renewal_date in 90..120",
        "E306 1 `contract.renewal_date` is a date; it can't be in a range of numbers | did you mean `days_until(contract.renewal_date) in 90..120`?",
    ),
    (
        "contract.renewal_date > first_report_at",
        "E301 23 this compares a date with a time",
    ),
    (
        "contract.renewal_date - 3 > contract.start_date",
        "E301 23 `-` can't join a date and a number",
    ),
    (
        "touch in 1..3",
        "E301 1 a word of a pick-list can't be in a range of numbers | in [high, low, tech]",
    ),
    (
        "days_until(contract.renewal_date) in 150..0",
        "E401 38 this range is empty: 150 is above 0 | write 0..150",
    ),
    (
        "(contract.seats else 0) > 3",
        "E305 17 `contract.seats` is always known",
    ),
    (
        "champion else contract.seats",
        "E301 15 `else` has a contact on its left and a number on its right",
    ),
    ("contacts is known", "E301 1 a list is always known"),
    (
        "account.arr where true",
        "E301 1 `where` stands behind a list",
    ),
    (
        "count(csat) > 0",
        "E301 7 `count` takes a list, but this is a number",
    ),
    (
        "change(csat + 1) > 3%",
        "E301 8 `change` takes the name of a metric",
    ),
    ("change(csat) > 3%", "E301 8 `csat` has no window"),
    (
        "days_until(account.arr) > 3",
        "E301 12 this should be a date or a time, but it is an amount of money",
    ),
    (
        "hours_since(contract.start_date) > 3",
        "E301 13 a date has no hours | days_since",
    ),
    (
        "min(csat, nps) > 3",
        "E302 1 `min` takes two values of one type",
    ),
    ("contacts == champion", "E301 10 a list can't be compared"),
    (
        "csat in this week",
        "E301 1 this should be a date or a time, but it is a number",
    ),
];

#[test]
fn what_has_the_wrong_type_is_said_in_words() {
    conditions(&fixture::contract(), WRONG_TYPES);
}

#[test]
fn thresholds_of_the_wrong_type_are_refused() {
    let scope = fixture::contract();
    let word = crate::program::Type::Word(fixture::pick("bad neutral good", true));
    check(
        &scope,
        &Want::Value(word),
        "god",
        "E304 1 `god` is not one of: bad, neutral, good | did you mean `good`?",
    );
    let percent = Want::Value(crate::program::Type::Percent);
    check(
        &scope,
        &percent,
        "60",
        "E302 1 a percentage is needed here | did you mean `60%`?",
    );
    check(
        &scope,
        &Want::Numeric,
        "touch",
        "E301 1 this should be a number, but it is a word of a pick-list",
    );
}

#[test]
fn what_failed_elsewhere_is_not_complained_about_again() {
    let scope = fixture::contract();
    for text in [
        "broken",
        "broken == whatever and advocate_ready",
        "whatever == broken",
        "broken in [some, words] or broken < 30% or broken in 3..4",
        "account.broken > 3",
        "lost and steps.fog.anything",
        "(broken else whatever) == something",
        "count(broken where something.else_ > 3) > 1",
        "champion.name == broken",
        "days_until(broken) > 3",
    ] {
        assert_eq!(
            compile(text, &scope, &Want::Condition),
            Err(Vec::new()),
            "{text}"
        );
    }
    check(
        &scope,
        &Want::Condition,
        "broken and seat_usage < 30",
        "E302 23 this compares",
    );
}

#[test]
fn all_mistakes_of_one_expression_are_said_at_once() {
    let text = "contract.status == activ and seat_usage < 30 and nothing_like_it";
    let mistakes = compile(text, &fixture::contract(), &Want::Condition).expect_err("it is wrong");
    let codes: Vec<&str> = mistakes.iter().map(|mistake| mistake.code).collect();
    assert_eq!(codes, ["E304", "E302", "E201"]);
}

#[test]
fn every_limit_is_named_and_holds_at_its_edge() {
    let scope = fixture::contract();
    let padded = |length: usize| format!("true{}", " ".repeat(length - 4));
    assert!(compile(&padded(EXPRESSION_BYTES_MAX), &scope, &Want::Condition).is_ok());
    check(
        &scope,
        &Want::Condition,
        &padded(EXPRESSION_BYTES_MAX + 1),
        "E110 1 this expression is longer than 8000 bytes",
    );
    let nested = |depth: usize| format!("{}true{}", "(".repeat(depth), ")".repeat(depth));
    assert!(compile(&nested(EXPRESSION_DEPTH_MAX - 1), &scope, &Want::Condition).is_ok());
    check(
        &scope,
        &Want::Condition,
        &nested(EXPRESSION_DEPTH_MAX),
        "E110 41 this nests deeper than 40 levels",
    );
    let sum = |terms: usize| format!("0{} > 1", " + 1".repeat(terms - 1));
    assert!(compile(&sum(EXPRESSION_DEPTH_MAX - 1), &scope, &Want::Condition).is_ok());
    check(
        &scope,
        &Want::Condition,
        &sum(EXPRESSION_DEPTH_MAX),
        "E110 1 this nests deeper",
    );
    check(
        &scope,
        &Want::Condition,
        &"not ".repeat(1_900),
        "E110 7597 the expression ends too early",
    );
}
