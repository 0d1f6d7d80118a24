//! Properties: what holds for every history.

use crate::history::{begin, fact, history};
use crate::workspace::{checked, shipped_files};
use engine::log_clock::{Moment, step};
use engine::simulate::{Report, Simulation};
use engine::{Account, Clock, Context, Csms, Rules, calendar};
use jiff::{SignedDuration, Timestamp};
use model::{AccountId, Channel, Kind, Logged, Record};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use workflow::Program;

/// The shipped workspace with one workflow for each other kind of start and subject.
static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
    let mut files = shipped_files();
    let starts = [
        (
            "answered",
            "for_each: contact\nstart:\n  event: nps.responded\n  if: event.score < 7\nonce_per: 30d\nif_running: restart\ngoal: {when: started_by.contact.role == admin, within: 20d}\nholdout: 50%",
        ),
        (
            "weekly",
            "start:\n  every: Mon,Thu 09:00\n  if: contract.status == active\nonce_per: 20d",
        ),
        (
            "monthly",
            "for_each: contract\nstart:\n  cron: \"30 2 1,15 * *\"\nonce_per: occurrence",
        ),
        (
            "cases",
            "for_each: risk\nstart:\n  when: risk.open\n  existing: include\nonce_per: risk\ngoal: {when: not risk.open, within: 60d}",
        ),
        (
            "after",
            "start:\n  event: [workflow.ended, risk.closed, stage.changed]\n  if: (account.flagship else false) == false\nonce_per: 5d",
        ),
    ];
    for (name, keys) in starts {
        let text = format!(
            "workflow: {name}\ntitle: {name}\nstatus: live\n{keys}\nsteps:\n  - id: pause\n    wait: 3d\n  - id: tell\n    alert: csm\n    text: Now\n    hours: any\n"
        );
        files.insert(format!("workflows/{name}.yaml").into(), text.into());
    }
    checked(&files).0
});

/// Until when histories are followed.
fn until() -> Timestamp {
    begin() + SignedDuration::from_hours(24 * 500)
}

/// Records, counts, and every account's bytes.
type Outcome = (Vec<Record>, Report, Vec<Bytes>);

/// An account's head and parts, as stored.
type Bytes = (Vec<u8>, Vec<(Box<str>, Vec<u8>)>);

fn simulate(facts: &[Logged]) -> Outcome {
    let mut simulation = Simulation::new(&PROGRAM);
    for logged in facts {
        simulation.push(logged);
    }
    let bytes = simulation
        .accounts()
        .map(|account| (account.encode_head(), account.parts.encode_all()))
        .collect();
    let (records, report) = simulation.finish(Some(until()));
    (records, report, bytes)
}

/// Plays facts with a restart after each: only what was stored goes on.
fn with_restarts(facts: &[Logged]) -> (Vec<Record>, Bytes) {
    let rules = Rules::of(&PROGRAM);
    let csms = Csms::default();
    let context = Context {
        program: &PROGRAM,
        rules: &rules,
        csms: &csms,
        pins: None,
        clock: Clock::Log,
    };
    let id = AccountId::new("acme");
    let mut head: Option<Vec<u8>> = None;
    let mut parts: BTreeMap<Box<str>, Vec<u8>> = BTreeMap::new();
    let mut records = Vec::new();
    let moments = facts
        .iter()
        .map(|logged| (Moment::Fact(logged), None))
        .chain([(Moment::Tick, Some(until()))]);
    let mut before_tick = None;
    for (moment, shard_now) in moments {
        let stored = parts
            .iter()
            .map(|(name, bytes)| (name.clone(), bytes.clone()))
            .collect();
        let mut account = Account::decode(id.clone(), head.as_deref(), stored)
            .expect("what was stored can be read");
        if matches!(moment, Moment::Tick) {
            before_tick = Some((account.encode_head(), account.parts.encode_all()));
        }
        let decisions = step(&context, &mut account, moment, shard_now);
        records.extend(
            decisions
                .into_iter()
                .flat_map(|(_, decision)| decision.records),
        );
        head = Some(account.encode_head());
        for (name, bytes) in account.take_changed_parts() {
            match bytes {
                Some(bytes) => parts.insert(name, bytes),
                None => parts.remove(&name),
            };
        }
    }
    (records, before_tick.expect("there was a tick"))
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 12,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_same_log_gives_the_same_records_and_bytes(facts in history("acme", 60)) {
        prop_assert_eq!(simulate(&facts), simulate(&facts));
    }

    #[test]
    fn a_duplicate_changes_nothing(facts in history("acme", 60), again in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..20)) {
        let (records, _, bytes) = simulate(&facts);
        let mut doubled = facts.clone();
        for (what, place) in again {
            let first = what.index(facts.len());
            let wanted = &facts[first];
            let at = doubled.iter().position(|logged| logged.fact.id == wanted.fact.id).expect("it is there");
            let later = at + 1 + place.index(doubled.len() - at);
            doubled.insert(later.min(doubled.len()), wanted.clone());
        }
        let (records_again, _, bytes_again) = simulate(&doubled);
        prop_assert_eq!(records, records_again);
        prop_assert_eq!(bytes, bytes_again);
    }

    #[test]
    fn what_can_not_be_used_changes_nothing(facts in history("acme", 60), unusable in prop::collection::vec((0_usize..4, 0_i64..400 * 24, any::<prop::sample::Index>()), 1..20)) {
        const UNUSABLE: [(&str, &str); 4] = [
            ("message.sent", "{}"),
            ("contract.updated", "{}"),
            ("contact.deleted", "{}"),
            ("nps.responded", "{}"),
        ];
        let (records, alone, bytes) = simulate(&facts);
        let mut among = facts.clone();
        for (id, (which, hour, place)) in (10_000..).zip(unusable) {
            let (kind, data) = UNUSABLE[which];
            let data = serde_json::from_str(data).expect("it is JSON");
            let at = begin() + SignedDuration::from_hours(hour);
            among.insert(1 + place.index(among.len()), fact("acme", id, kind, at, data));
        }
        let (records_among, report, bytes_among) = simulate(&among);
        prop_assert_eq!(report.parked.len(), alone.parked.len() + among.len() - facts.len());
        prop_assert_eq!(records, records_among);
        prop_assert_eq!(bytes, bytes_among);
    }

    #[test]
    fn a_restart_between_any_two_facts_changes_nothing(facts in history("acme", 40)) {
        let (records, _, bytes) = simulate(&facts);
        let (mut records_again, stored) = with_restarts(&facts);
        records_again.sort_by_key(order);
        let mut records = records;
        records.sort_by_key(order);
        prop_assert_eq!(records, records_again);
        prop_assert_eq!(&bytes[0], &stored);
    }

    #[test]
    fn how_accounts_are_interleaved_changes_nothing(one in history("acme", 40), other in history("zeta", 40), turns in prop::collection::vec(any::<bool>(), 100)) {
        let mut mixed = Vec::new();
        let (mut left, mut right) = (one.iter(), other.iter());
        for turn in turns {
            mixed.extend(if turn { left.next() } else { right.next() });
        }
        mixed.extend(left.chain(right));
        let apart: Vec<&Logged> = one.iter().chain(&other).collect();
        let apart: Vec<Logged> = apart.into_iter().cloned().collect();
        let mixed: Vec<Logged> = mixed.into_iter().cloned().collect();
        let (records, _, bytes) = simulate(&apart);
        let (records_again, _, bytes_again) = simulate(&mixed);
        prop_assert_eq!(records, records_again);
        prop_assert_eq!(bytes, bytes_again);
    }

    #[test]
    fn messages_keep_hours_and_steps_and_goals(facts in history("acme", 60)) {
        let (records, report, _) = simulate(&facts);
        for outgoing in &report.outbox {
            if let Channel::Email { .. } = outgoing.channel {
                let closes_at = outgoing.expires_at.expect("a mail in working hours has an end");
                prop_assert!(outgoing.not_before < closes_at);
                prop_assert!(closes_at.duration_since(outgoing.not_before) <= SignedDuration::from_hours(9));
            }
        }
        let mut sent = BTreeSet::new();
        let mut reached = BTreeSet::new();
        for record in &records {
            let run = record.run.clone();
            match record.kind {
                Kind::End if record.how.as_deref() == Some("goal") => {
                    reached.insert(run);
                }
                Kind::Send => {
                    let is_goal = record.step.as_deref() == Some("thanks");
                    prop_assert_eq!(reached.contains(&run), is_goal, "a step of a run whose goal is reached");
                    prop_assert!(sent.insert((run, record.step.clone(), record.to.clone())), "twice the same step");
                }
                Kind::Alert | Kind::Task | Kind::Ask => {
                    // The goal's own step may find nobody, and tells the CSM.
                    let is_goal = record.step.as_deref() == Some("thanks");
                    prop_assert!(is_goal || !reached.contains(&run), "an ordinary step after the goal");
                }
                Kind::End | Kind::Start | Kind::Skip | Kind::Hold | Kind::Set | Kind::Webhook => {}
                Kind::RiskOpened | Kind::RiskClosed | Kind::HealthChanged | Kind::StageChanged => {}
            }
        }
    }

    #[test]
    fn mails_are_decided_on_working_days_of_the_recipient(facts in history("acme", 60)) {
        let (_, report, _) = simulate(&facts);
        for outgoing in &report.outbox {
            let Channel::Email { contact, .. } = &outgoing.channel else { continue };
            // Only the contact's own zone or the account's can be meant: one of the zones of the history is open.
            let zones = ["Asia/Tokyo", "America/New_York", "Europe/Berlin"];
            let is_open = zones.iter().filter_map(|zone| calendar::zone(zone)).any(|zone| calendar::is_open(&PROGRAM.calendar, outgoing.not_before, &zone));
            prop_assert!(is_open, "{contact} is written to while all sleep");
        }
    }

    #[test]
    fn no_data_can_stop_it(kind in "[a-z]{1,8}\\.(updated|deleted|logged_in|responded|replied|settled|approved)|user.logged_in|contract.updated|contact.updated|account.updated|nps.responded", keys in prop::collection::btree_map("contract|contact|name|email|role|status|seats|renewal_date|score|user|timezone|[a-z]{1,4}", json(), 0..6), late in -1_000_000_000i64..1_000_000_000) {
        let mut facts = crate::history::begun("acme");
        let at = begin() + SignedDuration::from_secs(late);
        let data = serde_json::Value::Object(keys.into_iter().collect());
        facts.push(crate::history::fact("acme", 99, &kind, at, data));
        simulate(&facts);
    }
}

/// The public order of one account's records.
fn order(record: &Record) -> impl Ord + use<> {
    let at: Timestamp = record.at.parse().expect("a record has a time");
    let run = record.run.clone();
    (at, record.workflow.clone(), record.subject.clone(), run)
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        "\\PC{0,12}".prop_map(serde_json::Value::from),
        Just(serde_json::json!("9999-12-31")),
        Just(serde_json::json!("2026-05-10")),
        Just(serde_json::json!({"a": [1]})),
    ]
}
