//! What is right, with the type it gives; and that it prints and reads back.

use super::fixture;
use crate::expression::scope::Scope;
use crate::expression::{Want, compile, print};
use crate::program::{ListKind, Type};

fn check(scope: &Scope, text: &str, expected: &str) {
    let found = match compile(text, scope, &Want::Anything) {
        Ok(found) => found,
        Err(mistakes) => panic!("{text}: {mistakes:#?}"),
    };
    let ty = match &found.ty {
        Type::Bool => "condition",
        Type::Number => "number",
        Type::Percent => "percent",
        Type::Money => "money",
        Type::Text => "text",
        Type::Word(_) => "word",
        Type::Date => "date",
        Type::Time => "time",
        Type::Contact => "contact",
        Type::List(ListKind::Contacts) => "contacts",
        Type::List(ListKind::Risks) => "risks",
        Type::List(ListKind::Contracts) => "contracts",
        Type::List(ListKind::Accounts) => "accounts",
    };
    assert_eq!(ty, expected, "{text}");
    let printed = print(&found, scope);
    let again = compile(&printed, scope, &Want::Anything);
    assert_eq!(again.as_ref(), Ok(&found), "{text} printed as {printed}");
}

/// What is right, and its type.
const RIGHT: &[(&str, &str)] = &[
    (
        "contract.status == active and contract.renewal_status == open and days_until(contract.renewal_date) in 90..120",
        "condition",
    ),
    (
        "contract.renewal_status in [committed, renewed]",
        "condition",
    ),
    ("active == contract.status", "condition"),
    ("contract.status < expired", "condition"),
    ("contract.status == \"active\"", "condition"),
    ("touch == high or health.band == red", "condition"),
    ("health.band >= yellow", "condition"),
    (
        "not steps.intro.replied and not steps.meeting.done",
        "condition",
    ),
    (
        "steps.answer.event.answer == declined or steps.answer.timed_out",
        "condition",
    ),
    ("steps.drawn.chosen == how_to", "condition"),
    ("steps.meeting.outcome", "text"),
    (
        "stage in [adoption, renewal] and (seat_usage < 30% or usage_trend <= -40%)",
        "condition",
    ),
    ("seat_usage in 30%..60%", "condition"),
    ("account.arr >= 20M", "condition"),
    ("account.arr in 1k..20M", "condition"),
    (
        "(account.arr else 0) >= 20M or (account.flagship else false)",
        "condition",
    ),
    (
        "(nps else 100%) >= 30% and (account.csm_sentiment else neutral) != bad",
        "condition",
    ),
    ("first_report_at is known", "condition"),
    (
        "champion is unknown and days_until(contract.renewal_date) <= 90",
        "condition",
    ),
    ("champion is not known", "condition"),
    ("champion is not unknown", "condition"),
    ("champion else admin", "contact"),
    ("champion else admin else billing", "contact"),
    ("boss else champion", "contact"),
    ("champion.name", "text"),
    ("champion.name contains \"様\"", "condition"),
    ("contacts", "contacts"),
    ("contacts where contact.role == admin", "contacts"),
    (
        "contacts where contact.role == admin or contact.role == user sort by contact.name descending",
        "contacts",
    ),
    ("contacts contains champion", "condition"),
    (
        "count(contacts where contact.role in [champion, admin]) >= 2 and any_open_risk",
        "condition",
    ),
    (
        "count(open_risks where risk.severity >= high and risk.category != sentiment) > 0",
        "condition",
    ),
    ("cases where days_since(risk.opened_at) > 3", "risks"),
    ("sentiment or support", "condition"),
    ("contract.renewal_date in this quarter", "condition"),
    ("contract.renewal_date not in next month", "condition"),
    ("first_report_at in last week", "condition"),
    ("contract.start_date < contract.renewal_date", "condition"),
    ("weekly_active_users / contract.seats", "number"),
    ("contract.seats * 50%", "number"),
    ("account.arr * 10% + 500", "money"),
    ("account.arr / contract.seats", "money"),
    ("account.arr / arr_then", "number"),
    ("seat_usage - nps", "percent"),
    ("seat_usage / nps", "number"),
    ("-(seat_usage)", "percent"),
    ("-csat + -1 - (2 - 3) * -4", "number"),
    ("-(5)", "number"),
    ("change(users_28d)", "percent"),
    ("previous(users_28d) else 0", "number"),
    ("change(users_28d) > -40%", "condition"),
    ("min(account.arr, 5M)", "money"),
    ("max(contract.start_date, contract.renewal_date)", "date"),
    ("round(csat)", "number"),
    (
        "business_days_since(account.customer_since) + hours_since(first_report_at)",
        "number",
    ),
    (
        "days_until(contract.renewal_date else contract.start_date)",
        "number",
    ),
    (
        "(days_until(contract.renewal_date) else 999) > 60",
        "condition",
    ),
    ("not (onboarding_complete else false)", "condition"),
    ("not not advocate_ready", "condition"),
    ("trainings_done else 0", "number"),
    ("true", "condition"),
];

#[test]
fn right_expressions_have_their_type_and_read_back_as_printed() {
    let scope = fixture::contract();
    for (text, expected) in RIGHT {
        check(&scope, text, expected);
    }
}

#[test]
fn metrics_see_their_event_and_nothing_else() {
    for (kind, text) in [
        ("nps.responded", "event.score >= 9"),
        ("nps.responded", "event.contact.role == champion"),
        ("nps.responded", "event.comment contains \"great\""),
        ("meeting.held", "event.executive"),
        ("meeting.held", "event.kind in [kickoff, checkin]"),
    ] {
        check(&fixture::event(kind), text, "condition");
    }
}

#[test]
fn csm_workflows_see_accounts_inside_their_lists() {
    let scope = fixture::csm();
    check(
        &scope,
        "contracts where contract.renewal_date in this quarter and (health.band == red or any_open_risk) sort by account.arr descending",
        "contracts",
    );
    check(
        &scope,
        "count(accounts where seat_usage < 10%) > 0",
        "condition",
    );
    check(&scope, "csm.name", "text");
}

#[test]
fn thresholds_stand_beside_their_value() {
    let scope = fixture::contract();
    let sentiment = fixture::pick("bad neutral good", true);
    for (text, ty) in [
        ("good", Type::Word(sentiment)),
        ("60%", Type::Percent),
        ("account.goal_progress else 60%", Type::Percent),
        ("45", Type::Number),
        ("5M", Type::Money),
    ] {
        let found = compile(text, &scope, &Want::Value(ty.clone()));
        assert_eq!(found.map(|found| found.ty), Ok(ty), "{text}");
    }
}

#[test]
fn recipients_are_contacts() {
    let scope = fixture::contract();
    for text in [
        "champion else admin",
        "contacts",
        "contacts where contact.role == user",
    ] {
        assert!(compile(text, &scope, &Want::Contacts).is_ok(), "{text}");
    }
}
