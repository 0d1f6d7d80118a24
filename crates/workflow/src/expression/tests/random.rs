//! Random expressions: they print and read back; random text never panics and is refused at once.

use super::fixture;
use crate::expression::{Want, compile, print, verdict};
use proptest::prelude::*;

fn number() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        Just("csat".to_owned()),
        Just("contract.seats".to_owned()),
        Just("days_until(contract.renewal_date)".to_owned()),
        Just("previous(users_28d)".to_owned()),
        Just("count(contacts where contact.role == admin)".to_owned()),
        (-3_000_000i64..3_000_000).prop_map(|n| n.to_string()),
        (0u32..999_999, 0u32..999_999).prop_map(|(a, b)| format!("{a}.{b}")),
        Just("3M".to_owned()),
    ];
    leaf.prop_recursive(4, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), "[-+*/]", inner.clone())
                .prop_map(|(a, sign, b)| format!("({a}) {sign} ({b})")),
            (inner.clone(), "[-+*/]", inner.clone())
                .prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
            inner.clone().prop_map(|a| format!("-({a})")),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| format!("csat else ({a}) else ({b}) + 1")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("min({a}, {b})")),
            inner.prop_map(|a| format!("round({a})")),
        ]
    })
    .boxed()
}

fn condition() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("advocate_ready".to_owned()),
        Just("contract.status in [active, trial]".to_owned()),
        Just("contract.status not in [active]".to_owned()),
        Just("seat_usage in 0.5%..60%".to_owned()),
        Just("champion is unknown".to_owned()),
        Just("champion else admin is known".to_owned()),
        Just("contract.renewal_date not in this quarter".to_owned()),
        Just("account.name contains \"a\\\"b\\\\c\"".to_owned()),
        (number(), "==|!=|<|<=|>|>=", number()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
        number().prop_map(|a| format!("{a} not in -3..20k")),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|all| format!("({})", all.join(") and ("))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| all.join(" or ")),
            inner.clone().prop_map(|a| format!("not ({a})")),
            inner.clone().prop_map(|a| format!("not {a}")),
            inner.clone().prop_map(|a| format!(
                "count(contacts where {a} sort by contact.name descending) > 0"
            )),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) == ({b})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_random_expression_reads_back_as_it_was_printed(text in condition()) {
        let scope = fixture::contract();
        // Too deep, or an `else` that is of no use: what was refused has nothing to print.
        if let Ok(found) = compile(&text, &scope, &Want::Anything) {
            let printed = print(&found, &scope);
            let again = compile(&printed, &scope, &Want::Anything);
            prop_assert_eq!(again.as_ref(), Ok(&found), "{} printed as {}", text, printed);
            let said = verdict(&found, &scope);
            prop_assert_eq!(said, verdict(&found, &scope));
        }
    }

    #[test]
    fn random_text_never_panics(text in "\\PC{0,80}") {
        let found = compile(&text, &fixture::contract(), &Want::Condition);
        prop_assert!(found.is_ok() || found.is_err());
    }

    #[test]
    fn random_words_of_the_language_never_panic(words in prop::collection::vec(
        prop::sample::select(vec![
            "(", ")", "[", "]", "not", "and", "or", "in", "is", "known", "else", "where", "sort", "by", "..", "1",
            "30%", "-", "+", "/", "==", "<", "contacts", "csat", "contact.role", "admin", "stage", "\"x\"", ",",
            "this", "week", "count", "min", "days_until", "contract.renewal_date", "true", "contains", "broken",
        ]), 0..30)) {
        let text = words.join(" ");
        if let Err(mistakes) = compile(&text, &fixture::contract(), &Want::Anything) {
            prop_assert!(mistakes.iter().all(|mistake| mistake.at.end <= text.len() && mistake.at.start <= mistake.at.end));
        }
    }
}

#[test]
fn long_garbage_is_refused_at_once() {
    let garbage = [
        "(".repeat(10_000),
        "not ".repeat(2_500),
        "a.".repeat(5_000),
        "x else ".repeat(1_400),
        "- ".repeat(5_000),
        "[1,".repeat(3_333),
        "csat == (".repeat(800),
        "価".repeat(3_400),
        "q".repeat(7_900),
        "contacts where ".repeat(500),
    ];
    for text in garbage {
        let found = compile(&text, &fixture::contract(), &Want::Condition);
        assert!(found.is_err(), "{}", &text[..9]);
    }
}
