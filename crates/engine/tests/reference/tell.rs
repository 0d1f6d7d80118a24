//! Random histories of one account.

use crate::days;
use crate::dice::Dice;
use crate::told::{About, Told, zone};
use jiff::{SignedDuration, Timestamp};
use model::{Fact, Logged};
use serde_json::{Map, Value, json};
use workflow::Program;

/// How many facts follow the first ones.
const FACTS: (i64, i64) = (8, 28);
/// The days of a history.
const DAYS: (i64, i64) = (40, 70);

/// One fact as the source tells it.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) kind: &'static str,
    pub(crate) at: Timestamp,
    pub(crate) data: Value,
}

/// Facts in the order of the log, and when the history ends.
pub(crate) fn history(dice: &mut Dice) -> (Vec<Said>, Timestamp) {
    let begin = *dice.pick(&[
        "2026-02-10T00:00:00Z",
        "2026-04-20T05:00:00Z",
        "2026-10-05T17:00:00Z",
    ]);
    let begin: Timestamp = begin.parse().expect("a time");
    let begin = begin + SignedDuration::from_hours(dice.between(0, 200));
    let days = dice.between(DAYS.0, DAYS.1);
    let mut said = Vec::new();
    let zone = *dice.pick(&["Asia/Tokyo", "America/New_York", "UTC"]);
    let mut data = account(dice, begin);
    data["name"] = json!("Acme");
    data["timezone"] = json!(zone);
    said.push(Said {
        kind: "account.updated",
        at: begin,
        data,
    });
    let first = |dice: &mut Dice| begin + SignedDuration::from_hours(*dice.pick(&[0, 0, 1, 30]));
    for (id, role) in [("p-1", "champion"), ("p-2", "admin")] {
        let data = json!({"contact": id, "name": "Ann", "role": role, "email": format!("{id}@acme.example")});
        if dice.chance(85) {
            said.push(Said {
                kind: "contact.updated",
                at: first(dice),
                data,
            });
        }
    }
    if dice.chance(85) {
        said.push(Said {
            kind: "contract.updated",
            at: first(dice),
            data: contract(dice, "k-1", begin),
        });
    }
    let bursts = [0; 3].map(|_| dice.between(1, days * 24 - 200));
    for _ in 0..dice.between(FACTS.0, FACTS.1) {
        // Most facts come in bursts, so that they meet what the others set going.
        let hours = if dice.chance(70) {
            *dice.pick(&bursts) + dice.between(0, 150)
        } else {
            dice.between(1, days * 24)
        };
        let at = begin + SignedDuration::from_hours(hours.min(days * 24));
        said.push(another(dice, at, begin));
    }
    said.sort_by_key(|one| one.at);
    for one in &mut said {
        if dice.chance(14) {
            // Told late: its place in the log stays.
            one.at -= SignedDuration::from_hours(dice.between(1, 72));
        }
    }
    (said, begin + SignedDuration::from_hours(24 * days))
}

fn date(dice: &mut Dice, begin: Timestamp, low: i64, high: i64) -> String {
    let day = days::day(begin, &jiff::tz::TimeZone::UTC);
    days::later(day, dice.between(low, high)).to_string()
}

fn account(dice: &mut Dice, begin: Timestamp) -> Value {
    let mut data = Map::new();
    if dice.chance(60) {
        data.insert(
            "plan".into(),
            json!(dice.pick(&[Some("basic"), Some("pro"), Some("max"), None])),
        );
    }
    if dice.chance(50) {
        data.insert(
            "seats".into(),
            json!(dice.pick(&[Some(10), Some(40), Some(80), None])),
        );
    }
    if dice.chance(50) {
        data.insert(
            "flagship".into(),
            json!(dice.pick(&[Some(true), Some(false), None])),
        );
    }
    if dice.chance(20) {
        data.insert("feeling".into(), json!(dice.pick(&["bad", "good"])));
    }
    if dice.chance(50) {
        data.insert("customer_since".into(), json!(date(dice, begin, -90, 30)));
    }
    Value::Object(data)
}

fn contract(dice: &mut Dice, id: &str, begin: Timestamp) -> Value {
    let mut data = json!({
        "contract": id,
        "status": dice.pick(&["active", "active", "active", "trial", "cancelled", "expired"]),
    });
    if dice.chance(80) {
        data["renewal_date"] = json!(date(dice, begin, 10, 180));
    }
    if dice.chance(60) {
        data["start_date"] = json!(date(dice, begin, -30, 40));
    }
    if dice.chance(50) {
        data["seats"] = json!(dice.between(1, 12));
    }
    data
}

fn another(dice: &mut Dice, at: Timestamp, begin: Timestamp) -> Said {
    let said = |kind, data| Said { kind, at, data };
    match dice.between(0, 23) {
        0..=3 | 20..=23 => {
            let data = account(dice, begin);
            said("account.updated", data)
        }
        4 => {
            let zone = dice.pick(&["Asia/Tokyo", "America/New_York", "UTC"]);
            said("account.updated", json!({ "timezone": zone }))
        }
        5..=7 => {
            let id = *dice.pick(&["k-1", "k-1", "k-2"]);
            said("contract.updated", contract(dice, id, begin))
        }
        8 => said(
            "contract.deleted",
            json!({"contract": dice.pick(&["k-1", "k-2"])}),
        ),
        9..=11 => {
            let id = *dice.pick(&["p-1", "p-2", "p-3"]);
            let role = dice.pick(&[Some("champion"), Some("admin"), Some("user"), None]);
            let mut data = json!({"contact": id, "name": dice.pick(&["Ann", "Bob"]), "role": role, "email": format!("{id}@acme.example")});
            if dice.chance(30) {
                data["timezone"] = json!(dice.pick(&["Asia/Tokyo", "America/New_York", "UTC"]));
            }
            said("contact.updated", data)
        }
        12 => said(
            "contact.deleted",
            json!({"contact": dice.pick(&["p-1", "p-2", "p-3"])}),
        ),
        13..=15 => said(
            "user.logged_in",
            json!({"user": dice.pick(&["u1", "u2", "u3"])}),
        ),
        16 | 17 => said(
            "ticket.opened",
            json!({"severity": dice.pick(&["low", "normal", "high"])}),
        ),
        _ => said("nps.responded", json!({"score": dice.between(0, 10)})),
    }
}

/// What may be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// A question for approval.
    Question,
    /// A task.
    Task,
    /// A mail.
    Mail,
    /// A call of another system.
    Call,
}

/// Something that may be answered: what, when, workflow, subject, and the step, or of a call its message.
pub(crate) type Asked = (Topic, Timestamp, String, String, String);

/// Answers to some of what was asked and sent.
pub(crate) fn answers(dice: &mut Dice, said: &mut Vec<Said>, asked: &[Asked], end: Timestamp) {
    for (topic, at, workflow, subject, step) in asked {
        let (kinds, silent): (&[&'static str], i64) = match topic {
            Topic::Question => (&["task.approved", "task.approved", "task.rejected"], 25),
            Topic::Task => (&["task.done"], 30),
            Topic::Mail => (&["message.replied"], 75),
            Topic::Call => (&["message.settled"], 30),
        };
        if dice.chance(silent) {
            continue;
        }
        let hours = *dice.pick(&[1, 3, 12, 15, 20, 40, 70, 300]);
        let at = *at + SignedDuration::from_hours(hours);
        if at > end {
            continue;
        }
        let kind = *dice.pick(kinds);
        let mut data = json!({"workflow": workflow, "subject": subject, "step": step});
        if *topic == Topic::Call {
            let state = *dice.pick(&["sent", "sent", "refused"]);
            data = json!({"message": step, "state": state});
        }
        if *topic == Topic::Task {
            if let Some(word) = dice.pick(&[Some("good"), Some("bad"), None]) {
                data["outcome"] = json!(word);
            }
            // What was learnt meanwhile is said first, as `task done --set` does.
            if dice.chance(40) {
                let feeling = dice.pick(&["bad", "neutral", "good"]);
                let kind = "account.updated";
                insert(
                    said,
                    Said {
                        kind,
                        at,
                        data: json!({"feeling": feeling}),
                    },
                );
            }
        }
        insert(said, Said { kind, at, data });
    }
}

/// Puts a fact at its place in the log; what was told late stands where it stood.
fn insert(said: &mut Vec<Said>, one: Said) {
    let mut latest = Timestamp::MIN;
    let place = said.iter().position(|other| {
        latest = latest.max(other.at);
        one.at < latest
    });
    said.insert(place.unwrap_or(said.len()), one);
}

/// The facts as the reference reads them.
pub(crate) fn told(program: &Program, all: &[Said]) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    let mut now = Timestamp::MIN;
    for said in all {
        now = now.max(said.at);
        let id = |key: &str| said.data[key].as_str().unwrap_or("?").to_owned();
        let about = match said.kind {
            "account.updated" => About::Account,
            "contract.updated" => About::Contract(id("contract")),
            "contract.deleted" => About::ContractGone(id("contract")),
            "contact.updated" => About::Contact(id("contact")),
            "contact.deleted" => About::ContactGone(id("contact")),
            "task.approved" | "task.rejected" | "task.done" | "message.replied"
            | "message.settled" => About::Answer(said.kind.to_owned()),
            other => About::Event(other.to_owned()),
        };
        let zone = zone(program, &told);
        told.push(Told {
            about,
            at: said.at,
            seen_at: now,
            data: said.data.as_object().cloned().unwrap_or_default(),
            day: days::day(said.at, &zone),
            hour: said.at.as_second().div_euclid(3_600),
        });
    }
    told
}

/// What became of a message is told under our own source only.
fn source(kind: &str) -> &'static str {
    if kind == "message.settled" {
        "sottaku"
    } else {
        "test"
    }
}

/// The facts as the engine reads them.
pub(crate) fn logged(all: &[Said]) -> Vec<Logged> {
    let numbered = all.iter().zip(1..);
    numbered
        .map(|(said, position)| Logged {
            position,
            arrived_at: all[0].at,
            fact: Fact {
                specversion: "1.0".into(),
                id: format!("e-{position}").into(),
                source: source(said.kind).into(),
                kind: said.kind.into(),
                subject: Some("acme".into()),
                time: Some(said.at),
                is_history: false,
                arrived_at: None,
                data: said.data.as_object().cloned().unwrap_or_default(),
            },
        })
        .collect()
}
