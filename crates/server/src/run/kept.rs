//! What is no longer kept goes while a server runs.

use super::tests::{AT, PATIENCE, quiet};
use super::*;
use crate::activate;
use crate::config::Retention;
use crate::trial::{Place, example, three_facts};
use jiff::{SignedDuration, Timestamp};
use model::Record;
use store::{ClockMode, DeliveryFilter};

/// The oldest fact, how many records were removed, and the oldest message.
async fn oldest(store: &Store) -> (u64, u64, u64) {
    let shard = store.shard_of("acme");
    let facts = store.read_back(shard, 0, 1, usize::MAX).await;
    let facts = facts.expect("the log reads");
    let verified = store.verify_journal(shard).await;
    let verified = verified.expect("the journal's chain holds");
    let first = DeliveryFilter {
        count_max: 1,
        ..DeliveryFilter::default()
    };
    let messages = store.deliveries(first).await.expect("the store reads");
    (facts[0].position, verified.removed, messages[0].number)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_removes_what_was_kept_long_enough_and_says_how_much() {
    let place = Place::new(ClockMode::Live);
    let store = place.open().await;
    let morning: Timestamp = AT.parse().expect("an instant");
    let clock = Clock::by_hand(morning);
    let start = async |retention: Retention| {
        let mut config = place.config(&[]);
        config.retention = retention;
        let started = Server::start(config, store.clone(), clock.clone(), Roles::ALL).await;
        started.expect("the server starts")
    };
    activate(&store, &example(), morning)
        .await
        .expect("the example is taken");
    let server = start(Retention::default()).await;
    let mut listener = server.records();
    super::tests::tell(&server, &three_facts("acme", AT)).await;
    for (step, days) in [("intro", 13), ("value", 40)] {
        let is_it = |record: &Record| record.step.as_deref() == Some(step);
        loop {
            let record = timeout(PATIENCE, listener.recv()).await;
            let record = record.expect("it is decided").expect("it goes on");
            if is_it(&record) {
                break;
            }
        }
        quiet(&store).await;
        clock.turn(SignedDuration::from_hours(24 * days));
        server.nudge();
    }
    assert_eq!(oldest(&store).await, (1, 0, 1), "everything is kept");
    server.stop().await;
    let server = start(Retention {
        log_days: Some(8),
        journal_days: Some(31),
        deliveries_days: Some(31),
    })
    .await;
    let removed = async {
        loop {
            let (facts, records, messages) = oldest(&store).await;
            if facts > 3 && records > 0 && messages > 1 {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, removed).await.expect("it is removed");
    let shared = server.shared.clone();
    server.stop().await;
    let told = shared.measures.text();
    for kind in ["facts", "records", "messages"] {
        let line = format!("sottaku_rows_removed_total{{kind=\"{kind}\"}} ");
        let counted = told.lines().find_map(|told| told.strip_prefix(&*line));
        assert!(counted.is_some_and(|count| count != "0"), "{kind}: {told}");
    }
}
