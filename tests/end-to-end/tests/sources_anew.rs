//! A topic that is another one under the same name: its source halts, alone, until a person says how to go on.

use std::time::Duration;

use end_to_end::wait;
use serde_json::Value;
use servers::Kafka;

use crate::office::Office;
use crate::sources::{SOURCES, broker, contract, listed, once, produce, read, workspace_with};

const TIME_MAX: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_is_another_halts_its_source_alone_until_a_person_says_how_to_go_on() {
    let mut kafka = Kafka::start_with(broker());
    let place = tempfile::tempdir().expect("a folder");
    let workspace = workspace_with(place.path(), SOURCES);
    let topics = ["crm.contracts", "people", "crm.accounts", "app"];
    for topic in topics {
        produce(&kafka, topic, &[contract(1), contract(2), contract(3)], &[]);
    }
    let settings = format!(
        "store: sottaku.db\nsources: {{kafka: {{brokers: \"{}\"}}}}\n",
        kafka.address()
    );
    let office = Office::open(&settings, &workspace, &[])
        .await
        .expect("it opens");
    read(&office, 4).await;
    // Nobody is there: it is told, and nothing is halted.
    kafka.kill();
    let health = wait::until("it is told", TIME_MAX, async || {
        let health = office.client().get("/healthz").await.ok()?;
        health
            .body
            .contains("the source contracts can't be read")
            .then_some(health)
    });
    assert_eq!(health.await.expect("it is").status, 503);
    let is_halted = |one: &Value| !one["halted"].is_null();
    assert!(!listed(&office).await.iter().any(is_halted));
    // The same names on another broker: more records than were read in one, other partitions in another.
    kafka.restart();
    read(&office, 4).await;
    kafka.begin_anew(broker());
    for topic in topics {
        let records: Vec<String> = (10..40).map(contract).collect();
        produce(&kafka, topic, &records, &[]);
    }
    let halted = once(&office, "all are halted", |listed| {
        listed.iter().all(is_halted)
    })
    .await;
    let why = halted[0]["halted"].as_str().unwrap_or_default();
    assert!(
        why.contains("made anew") && why.contains("sottaku source resume"),
        "{why}"
    );
    let resume = ["source", "resume", "contracts", "--from", "beginning"];
    let resumed = office.product.done(&resume).await.expect("it goes on");
    assert!(resumed.out.contains("goes on at 0"), "{}", resumed.out);
    let others = |listed: &[Value]| {
        let of = |name: &str| listed.iter().find(|one| one["source"] == name);
        let goes_on = of("contracts").is_some_and(|one| !is_halted(one) && one["behind"] == 0);
        goes_on && of("people").is_some_and(is_halted)
    };
    once(&office, "one goes on, and the others wait", others).await;
    let log = office
        .product
        .done(&["log", "export"])
        .await
        .expect("it is exported");
    let contracts = log
        .out
        .lines()
        .filter(|line| line.contains("contract.updated"));
    assert_eq!(contracts.count(), 33, "{}", log.out);
}
