//! Whole servers over a store in a temporary folder: what comes out, whatever is cut off on the way.

use super::*;
use crate::records::{self, COUNT_MAX, RecordFilter};
use crate::trial::{Place, example, noon, post, three_facts};
use crate::{Settled, activate};
use engine::simulate::Simulation;
use jiff::{SignedDuration, Timestamp};
use model::{DeliveryState, Fact, Logged};
use std::time::Duration;
use store::ClockMode;

/// How long a test waits for a signal before it says that none came.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
pub(super) const AT: &str = "2026-01-13T09:00:00+09:00";
/// Longer than a lease lasts.
pub(super) const TAKEOVER: SignedDuration = SignedDuration::from_secs(7);

async fn start(place: &Place, store: &Store, clock: &Clock) -> Server {
    let started = Server::start(place.config(&[]), store.clone(), clock.clone(), Roles::ALL).await;
    started.expect("the server starts")
}

pub(super) async fn tell(server: &Server, facts: &[String]) {
    let address = server.address().expect("it listens");
    let batch = format!("[{}]", facts.join(","));
    let (status, body) = post(address, "application/cloudevents-batch+json", &batch).await;
    assert_eq!(
        (status, &*body),
        (
            202,
            &*format!(r#"{{"accepted":{},"parked":[]}}"#, facts.len())
        )
    );
}

async fn settled(listener: &mut broadcast::Receiver<Settled>, count: usize) -> Vec<Settled> {
    let mut seen = Vec::new();
    while seen.len() < count {
        let next = timeout(PATIENCE, listener.recv())
            .await
            .expect("something is settled in time");
        seen.push(next.expect("the server goes on"));
    }
    seen
}

/// Returns when the log is decided to its end and no message waits.
pub(super) async fn quiet(store: &Store) {
    let is_quiet = async || {
        for state in store.shard_states().await.expect("the store reads") {
            if state.mark.position < store.log_end(state.shard).await.expect("the store reads") {
                return false;
            }
        }
        let counts = store.delivery_counts().await.expect("the store reads");
        let waiting = [
            DeliveryState::Queued,
            DeliveryState::Claimed,
            DeliveryState::Deferred,
        ];
        counts
            .iter()
            .all(|(state, count)| *count == 0 || !waiting.contains(state))
    };
    let all = async {
        while !is_quiet().await {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, all)
        .await
        .expect("everything is decided and settled in time");
}

pub(super) async fn told(store: &Store) -> Vec<String> {
    let filter = RecordFilter {
        count_max: COUNT_MAX,
        ..RecordFilter::default()
    };
    let lines = records::read(store, &filter)
        .await
        .expect("the journal reads");
    lines.into_iter().map(String::from).collect()
}

/// What a simulation of each shard's log tells, and how many messages it decides.
async fn simulated(store: &Store) -> (Vec<String>, usize) {
    let program = workflow::check(&example())
        .program
        .expect("the example is right");
    let (mut lines, mut messages) = (Vec::new(), 0);
    for shard in 0..store.shards() {
        let mut simulation = Simulation::new(&program);
        for stored in store
            .read_log(shard, 0, 100_000, usize::MAX)
            .await
            .expect("the log reads")
        {
            let fact: Fact = serde_json::from_str(&stored.json).expect("a fact");
            simulation.push(&Logged {
                position: stored.position,
                arrived_at: stored.arrived_at,
                fact,
            });
        }
        let (records, report) = simulation.finish(None);
        messages += report.outbox.len();
        lines.extend(
            records
                .iter()
                .map(|record| serde_json::to_string(record).expect("a record")),
        );
    }
    (lines, messages)
}

/// The records of a run equal those of a simulation, and every message stands in the outbox once.
async fn equals_simulation(store: &Store) -> usize {
    let (mut expected, messages) = simulated(store).await;
    let mut lines = told(store).await;
    expected.sort();
    lines.sort();
    assert_eq!(lines, expected);
    let counts = store.delivery_counts().await.expect("the store reads");
    let in_outbox: u64 = counts.iter().map(|(_, count)| count).sum();
    assert_eq!(usize::try_from(in_outbox).expect("few"), messages);
    for shard in 0..store.shards() {
        store
            .verify_journal(shard)
            .await
            .expect("the journal's chain holds");
    }
    lines.len()
}

async fn mails(store: &Store) -> Vec<String> {
    let rows = store.captured(0, 1_000).await.expect("the store reads");
    let mails = rows
        .into_iter()
        .filter(|row| &*row.captured.channel == "email");
    mails.map(|row| row.captured.to.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_facts_put_one_renewal_mail_into_the_store() {
    let place = Place::new(ClockMode::Log);
    let store = place.open().await;
    let activated = activate(&store, &example(), noon())
        .await
        .expect("the example is taken");
    assert!(activated.is_new);
    let server = start(&place, &store, &Clock::by_hand(noon())).await;
    let mut listener = server.settled();
    tell(&server, &three_facts("acme", AT)).await;
    let both = settled(&mut listener, 2).await;
    assert!(
        both.iter().all(|it| it.state == "sent" && it.is_captured),
        "{both:?}"
    );
    assert_eq!(mails(&store).await, ["tanaka@acme.example"]);
    let again = activate(&store, &example(), noon())
        .await
        .expect("the same text is taken");
    assert!(!again.is_new);
    server.stop().await;
    let leases = store.leases().await.expect("the store reads");
    assert!(
        leases.iter().all(|lease| lease.owner.is_none()),
        "a graceful stop gives every lease back"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_cut_off_everything_is_decided_once() {
    let place = Place::new(ClockMode::Log);
    let clock = Clock::by_hand(noon());
    let mut store = place.open().await;
    activate(&store, &example(), noon())
        .await
        .expect("the example is taken");
    // Small limits, so that facts, wake-ups and what is kept in memory come in many pieces.
    let start = async |store: &Store| {
        let mut config = place.config(&[]);
        config.limits.batch_facts_max = 5;
        config.limits.wakes_max = 3;
        config.limits.accounts_cached_max = 4;
        config.limits.claims_max = 2;
        let started = Server::start(config, store.clone(), clock.clone(), Roles::ALL).await;
        started.expect("the server starts")
    };
    // Each round is cut off after so many of its records, and the next takes over when the leases have run out.
    for (round, cut_after) in [0, 1, 2, 3, 5, 8].into_iter().enumerate() {
        let server = start(&store).await;
        let mut listener = server.records();
        for account in 0..4 {
            tell(&server, &three_facts(&format!("a-{round}-{account}"), AT)).await;
        }
        // The same facts again, as a client whose answer was lost sends them.
        tell(&server, &three_facts(&format!("a-{round}-0"), AT)).await;
        for _ in 0..cut_after {
            timeout(PATIENCE, listener.recv())
                .await
                .expect("records come in time")
                .expect("the server goes on");
        }
        server.abandon();
        store = place.open().await;
        clock.turn(TAKEOVER);
    }
    let server = start(&store).await;
    let tick = r#"{"specversion":"1.0","id":"t","source":"test","type":"sottaku.tick","time":"2026-03-01T00:00:00Z"}"#;
    let ended = r#"{"specversion":"1.0","id":"h","source":"test","type":"sottaku.history_ended"}"#;
    tell(&server, &[tick.into(), ended.into()]).await;
    quiet(&store).await;
    assert!(equals_simulation(&store).await > 24 * 3);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_one_file_decide_everything_once() {
    let place = Place::new(ClockMode::Log);
    let (store, other_store) = (place.open().await, place.open().await);
    activate(&store, &example(), noon())
        .await
        .expect("the example is taken");
    let server = start(&place, &store, &Clock::by_hand(noon())).await;
    let mut listener = server.records();
    tell(&server, &three_facts("before", AT)).await;
    timeout(PATIENCE, listener.recv())
        .await
        .expect("it decides")
        .expect("it goes on");
    // To the other one, whose clock is ahead, the leases of the first have run out: it takes them from under its feet.
    let ahead = Clock::by_hand(noon());
    ahead.turn(TAKEOVER);
    let other = start(&place, &other_store, &ahead).await;
    for account in 0..20 {
        let to = if account % 2 == 0 { &server } else { &other };
        tell(to, &three_facts(&format!("a-{account}"), AT)).await;
    }
    quiet(&store).await;
    assert!(equals_simulation(&store).await > 20 * 3);
    server.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_the_live_clock_what_falls_due_is_decided_when_it_is() {
    let place = Place::new(ClockMode::Live);
    let store = place.open().await;
    let morning: Timestamp = AT.parse().expect("an instant");
    let clock = Clock::by_hand(morning);
    // Told before the first text: it is history, which the first text closes.
    let facts = three_facts("acme", AT).map(|json| store::NewFact {
        shard: store.shard_of("acme"),
        arrived_at: morning,
        json: json.into(),
    });
    let incoming = store::Incoming {
        facts: facts.into(),
        parked: Vec::new(),
    };
    store.append(incoming).await.expect("they are durable");
    activate(&store, &example(), morning)
        .await
        .expect("the example is taken");
    let server = start(&place, &store, &clock).await;
    let mut listener = server.records();
    let mut kinds = Vec::new();
    let until = |step: &'static str| move |record: &Record| record.step.as_deref() == Some(step);
    for (step, days) in [("intro", 13), ("value", 0)] {
        let is_it = until(step);
        loop {
            let record = timeout(PATIENCE, listener.recv())
                .await
                .expect("it is decided")
                .expect("it goes on");
            kinds.push(format!(
                "{:?} {}",
                record.kind,
                record.step.as_deref().unwrap_or("-")
            ));
            if is_it(&record) {
                break;
            }
        }
        clock.turn(SignedDuration::from_hours(24 * days));
        server.nudge();
    }
    let starts = kinds.iter().filter(|kind| *kind == "Start -").count();
    assert_eq!(starts, 1, "{kinds:?}");
    server.stop().await;
}
