//! Random histories: facts of an account, some late, some wrong, some answers.

use jiff::{SignedDuration, Timestamp};
use model::{Fact, Logged};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// When histories begin: 2026-01-05 09:00 in Tokyo.
pub(crate) fn begin() -> Timestamp {
    "2026-01-05T00:00:00Z".parse().expect("a time")
}

/// A fact as a test writes it.
pub(crate) fn fact(account: &str, id: u64, kind: &str, at: Timestamp, data: Value) -> Logged {
    let data: Map<String, Value> = data.as_object().cloned().unwrap_or_default();
    Logged {
        position: id,
        arrived_at: begin(),
        fact: Fact {
            specversion: "1.0".into(),
            id: format!("e-{id}").into(),
            source: "test".into(),
            kind: kind.into(),
            subject: Some(account.into()),
            time: Some(at),
            is_history: false,
            arrived_at: None,
            data,
        },
    }
}

/// What one fact says: its type and data.
fn said() -> impl Strategy<Value = (&'static str, Value)> {
    let zone = prop::sample::select(vec![
        "Asia/Tokyo",
        "America/New_York",
        "Europe/Berlin",
        "Nowhere/At_all",
    ]);
    let day = prop::sample::select(vec![
        "2026-04-20",
        "2026-05-01",
        "2026-05-10",
        "2026-06-15",
        "2026-07-01",
        "2027-05-10",
        "2026-02-30",
    ]);
    let status = prop::sample::select(vec![
        "active",
        "active",
        "active",
        "cancelled",
        "trial",
        "asleep",
    ]);
    let renewal = prop::sample::select(vec!["open", "open", "open", "committed", "churned"]);
    let contact = prop::sample::select(vec!["p-1", "p-2", "p-3"]);
    let role = prop::sample::select(vec![
        "champion",
        "admin",
        "executive_sponsor",
        "billing",
        "user",
    ]);
    let contract = prop::sample::select(vec!["k-1", "k-1", "k-2"]);
    let step = prop::sample::select(vec!["intro", "value", "sponsor", "meeting", "no-such-step"]);
    let answer = prop::sample::select(vec![
        "message.replied",
        "message.opened",
        "message.bounced",
        "task.approved",
        "task.rejected",
        "task.done",
    ]);
    let user = 0..40u32;
    prop_oneof![
        1 => zone.prop_map(|zone| ("account.updated", json!({"name": "アクメ", "timezone": zone}))),
        1 => (0..30u32).prop_map(|millions| ("account.updated", json!({"arr": millions * 1_000_000, "mood": 1}))),
        4 => (contract.clone(), day).prop_map(|(id, day)| ("contract.updated", json!({"contract": id, "renewal_date": day}))),
        2 => (contract.clone(), status).prop_map(|(id, status)| ("contract.updated", json!({"contract": id, "status": status, "seats": 10}))),
        2 => (contract.clone(), renewal).prop_map(|(id, word)| ("contract.updated", json!({"contract": id, "renewal_status": word}))),
        1 => contract.prop_map(|id| ("contract.deleted", json!({"contract": id}))),
        4 => (contact.clone(), role).prop_map(|(id, role)| ("contact.updated", json!({"contact": id, "name": id, "role": role, "email": format!("{id}@acme.example")}))),
        1 => contact.clone().prop_map(|id| ("contact.deleted", json!({"contact": id}))),
        1 => contact.clone().prop_map(|id| ("contact.updated", json!({"contact": id, "timezone": "America/New_York"}))),
        4 => user.prop_map(|user| ("user.logged_in", json!({"user": format!("u{user}")}))),
        1 => contact.prop_map(|id| ("nps.responded", json!({"contact": format!("{id}@acme.example"), "score": 9}))),
        1 => Just(("account.deleted", json!({}))),
        1 => Just(("message.sent", json!({}))),
        3 => (answer, step).prop_map(|(kind, step)| (kind, json!({"workflow": "renewal", "subject": "k-1", "step": step}))),
    ]
}

/// The facts of one account, in log order: each some hours after the one before, now and then told late.
pub(crate) fn history(account: &'static str, len: usize) -> impl Strategy<Value = Vec<Logged>> {
    let one = (said(), 0..200i64, prop::option::weighted(0.1, 1..400i64));
    prop::collection::vec(one, 1..len).prop_map(move |all| {
        let mut facts = begun(account);
        let mut now = begin();
        for ((kind, data), hours, late) in all {
            now += SignedDuration::from_hours(hours);
            let at = now - SignedDuration::from_hours(late.unwrap_or(0));
            let id = facts.len() as u64 + 1;
            facts.push(fact(account, id, kind, at, data));
        }
        facts
    })
}

/// The facts with which most histories begin: a contract 125 days before its renewal, and somebody to write to.
pub(crate) fn begun(account: &str) -> Vec<Logged> {
    let at = begin();
    vec![
        fact(
            account,
            1,
            "account.updated",
            at,
            json!({"name": "アクメ", "customer_since": "2025-05-11", "csm": "c7"}),
        ),
        fact(
            account,
            2,
            "contact.updated",
            at,
            json!({"contact": "p-1", "name": "田中", "role": "champion", "email": "tanaka@acme.example"}),
        ),
        fact(
            account,
            3,
            "contract.updated",
            at,
            json!({"contract": "k-1", "status": "active", "start_date": "2025-05-11", "renewal_date": "2026-05-10", "seats": 100, "renewal_status": "open"}),
        ),
    ]
}
