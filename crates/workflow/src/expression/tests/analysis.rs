//! What follows from an expression.

use super::fixture;
use crate::expression::{
    Verdict, Want, changes_with_time, compile, date_windows, is_always_known, known_when_true,
    print, verdict, wakes_daily,
};
use crate::program::Expr;

fn read(text: &str) -> Expr {
    compile(text, &fixture::contract(), &Want::Anything)
        .unwrap_or_else(|mistakes| panic!("{text}: {mistakes:#?}"))
}

#[test]
fn what_can_never_be_unknown_is_told_from_what_can() {
    for (text, expected) in [
        ("contract.seats", true),
        ("contract.renewal_date", false),
        ("contract.renewal_date is known", true),
        ("first_report_at is known", false),
        (
            "days_since(contract.start_date) > 3 and touch == high",
            true,
        ),
        ("account.arr", false),
        ("account.arr else 0", true),
        ("trainings_done", false),
        ("contract.seats / 2", true),
        ("2 / contract.seats", false),
        ("champion", false),
        ("champion.name", false),
        ("health.band", false),
        ("any_open_risk", true),
        ("steps.intro.sent", true),
        ("steps.meeting.outcome", false),
        ("count(contacts where contact.locale == \"ja\") > 0", true),
    ] {
        assert_eq!(
            is_always_known(&read(text), &fixture::contract()),
            expected,
            "{text}"
        );
    }
}

#[test]
fn a_true_condition_says_what_is_known() {
    for (text, expected) in [
        ("account.arr > 3", "account.arr"),
        (
            "account.arr > 3 and days_until(contract.renewal_date) < 9",
            "account.arr contract.renewal_date",
        ),
        ("account.arr > 3 or contract.renewal_date is known", ""),
        ("account.arr > 3 or account.arr < 1", "account.arr"),
        ("(account.arr else 0) > 3", ""),
        ("not (account.arr > 3 or csat > 2)", "account.arr csat"),
        ("champion is known", "champion"),
        ("champion is unknown", ""),
    ] {
        let scope = fixture::contract();
        let known = known_when_true(&read(text));
        let names: Vec<String> = known.iter().map(|expr| print(expr, &scope)).collect();
        assert_eq!(names.join(" "), expected, "{text}");
    }
}

#[test]
fn contradictions_and_truisms_are_found_where_they_are_simple() {
    use Verdict::{Always, Never, Open};
    for (text, expected) in [
        ("csat > 3 and csat < 3", Never),
        ("csat > 3 and csat < 4", Open),
        ("trainings_done > 3 and trainings_done < 4", Never),
        ("trainings_done < 0", Never),
        (
            "days_until(contract.renewal_date) in 0..30 and days_since(contract.renewal_date) > 0",
            Never,
        ),
        (
            "days_until(contract.renewal_date) > 90 and days_until(contract.renewal_date) <= 120",
            Open,
        ),
        (
            "contract.status == active and contract.status == trial",
            Never,
        ),
        (
            "contract.status in [active, trial] and contract.status not in [trial, active]",
            Never,
        ),
        (
            "contract.status > active and contract.status < cancelled",
            Never,
        ),
        (
            "contract.status == active and (contract.status == trial or csat > 3 and csat < 2)",
            Never,
        ),
        ("touch == high or touch != high", Always),
        ("contract.seats >= 3 or contract.seats < 4", Always),
        ("csat >= 3 or csat < 4", Open),
        ("champion is unknown and champion is known", Never),
        ("account.arr > 3 and account.arr is unknown", Never),
        ("contract.seats is known", Always),
        ("contract.seats is unknown", Never),
        ("advocate_ready and not advocate_ready", Never),
        ("1 > 2", Never),
        ("true", Always),
        ("csat > 3 or touch == high", Open),
    ] {
        assert_eq!(
            verdict(&read(text), &fixture::contract()),
            expected,
            "{text}"
        );
    }
}

#[test]
fn sums_holes_and_texts_are_weighed_too() {
    use Verdict::{Always, Never, Open};
    for (text, expected) in [
        ("csat + 1 > 4 and csat < 3", Never),
        ("csat * 2 > 6 and csat <= 2.9", Never),
        ("10 - csat > 8 and csat > 2", Never),
        ("csat == 3 and csat != 3", Never),
        ("csat in 1..3 and csat not in 0..5", Never),
        (
            "trainings_done < 3 and trainings_done not in [0, 1, 2]",
            Never,
        ),
        ("csat in [1, 2] and csat > 2", Never),
        ("min(csat, 5) > 3 and csat < 2", Never),
        ("(csat else 0) > 3 and csat < 3", Never),
        ("(csat else 5) > 3 and csat < 3", Open),
        ("(csat else 5) > 3 and csat is unknown", Open),
        ("account.name == \"a\" and account.name == \"b\"", Never),
        ("account.name == \"a\" and account.name != \"b\"", Open),
        ("account.name == \"a\" or account.name != \"a\"", Always),
        (
            "contract.seats in 1..9 or contract.seats not in 1..9",
            Always,
        ),
        ("csat < csat", Never),
        (
            "days_until(contract.renewal_date) not in 0..30 and days_since(contract.renewal_date) in -20..-10",
            Never,
        ),
    ] {
        let found = verdict(&read(text), &fixture::contract());
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn time_alone_changes_what_counts_days_or_looks_at_windows() {
    for (text, changes, daily) in [
        ("contract.status == active", false, false),
        ("days_until(contract.renewal_date) < 90", true, false),
        (
            "(days_until(contract.renewal_date) else 999) > 60",
            true,
            false,
        ),
        ("contract.renewal_date in this quarter", true, false),
        ("users_28d > 3", true, false),
        ("health.band == red", true, false),
        (
            "days_since(contract.start_date) > contract.seats",
            true,
            true,
        ),
        ("days_since(contract.start_date)", true, true),
        ("steps.intro.sent", false, false),
    ] {
        let expr = read(text);
        assert_eq!(
            changes_with_time(&expr, &fixture::contract()),
            changes,
            "{text}"
        );
        assert_eq!(wakes_daily(&expr), daily, "{text}");
    }
}

#[test]
fn date_windows_are_read_off_a_condition() {
    let windows = date_windows(&read(
        "contract.status == active and days_until(contract.renewal_date) in 90..120 and days_since(contract.start_date) > 10",
    ));
    let scope = fixture::contract();
    let found: Vec<_> = windows
        .iter()
        .map(|window| (print(&window.date, &scope), window.low, window.high))
        .collect();
    let expected = [
        ("contract.renewal_date".to_owned(), Some(90), Some(120)),
        ("contract.start_date".to_owned(), None, Some(-11)),
    ];
    assert_eq!(found, expected);
}
