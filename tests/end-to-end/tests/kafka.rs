//! The log in a real Kafka: facts over HTTP and from a foreign client stand in its topic, are decided once though
//! the server and the broker are killed, and what was decided is what `simulate` says of the exported log.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use end_to_end::{Client, Failure, Serving, wait};
use serde_json::{Value, json};
use servers::Kafka;

use crate::office::{Office, fact, workspace};

const ACCOUNTS: usize = 120;
const TOPIC: &str = "facts";
const NDJSON: &str = "application/x-ndjson";
const TIME_MAX: Duration = Duration::from_secs(120);
/// After this much was told the server or the broker is killed.
const BLOWS: [usize; 3] = [30, 60, 90];

/// An office whose log is in Kafka.
async fn office(kafka: &Kafka, clock: &str) -> Result<Office, Failure> {
    let settings = format!(
        "store: sottaku.db\nclock: {clock}\nshards: 4\n\
         log: {{kafka: {{brokers: \"{}\", topic: {TOPIC}, replicas: 1}}}}\n",
        kafka.address()
    );
    Office::open(&settings, &workspace(), &[]).await
}

/// Everything an account says, one after the other.
fn facts(account: usize) -> String {
    let name = format!("a-{account}");
    let to = format!("mika@{name}.example");
    let contact = json!({"contact": "p-1", "name": "Mika", "role": "champion", "email": to});
    let plan = ["paid", "trial", "lost"][account % 3];
    [
        fact(&name, "contact.updated", contact),
        fact(
            &name,
            "account.updated",
            json!({"name": "Acme", "plan": plan}),
        ),
    ]
    .join("\n")
}

/// Tells facts until they are accepted, again after every cut.
async fn tell(server: &Serving, body: &str) -> Result<(), Failure> {
    let mut client = Client::new(server.address(), Duration::from_secs(40));
    wait::until("facts are taken", TIME_MAX, async || {
        let told = client.tell(NDJSON, body.as_bytes()).await;
        told.ok().filter(|answer| answer.status == 202)
    })
    .await
    .map(|_| ())
}

/// A record by a client that knows nothing of Sottaku, keyed as Java's clients key.
fn foreign(kafka: &Kafka, key: &str, record: &str) {
    let mut kcat = Command::new("kcat")
        .args(["-P", "-b", kafka.address(), "-t", TOPIC, "-k", key])
        .args(["-X", "partitioner=murmur2_random"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("kcat runs");
    let mut pipe = kcat.stdin.take().expect("it is piped");
    pipe.write_all(record.as_bytes()).expect("it listens");
    drop(pipe);
    assert!(kcat.wait().expect("it ends").success());
}

/// How many records of the topic there are.
fn records(kafka: &Kafka) -> usize {
    topic(kafka).lines().count()
}

/// The topic as the foreign client reads it, a record a line.
fn topic(kafka: &Kafka) -> String {
    let read = Command::new("kcat")
        .args(["-C", "-e", "-q", "-b", kafka.address(), "-t", TOPIC])
        .output()
        .expect("kcat runs");
    String::from_utf8_lossy(&read.stdout).into_owned()
}

async fn lines(office: &Office, arguments: &[&str]) -> Result<Vec<Value>, Failure> {
    office.product.done(arguments).await?.json_lines()
}

/// How many accounts the journal speaks of.
async fn decided(office: &Office) -> Option<usize> {
    let journal = lines(office, &["journal", "--output", "json"]).await.ok()?;
    let ends = journal.iter().filter(|record| record["kind"] == "end");
    Some(ends.count())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facts_in_kafka_count_once_though_server_and_broker_are_killed() {
    let mut kafka = Kafka::start();
    let mut office = office(&kafka, "log").await.expect("the office opens");
    for account in 0..ACCOUNTS {
        if BLOWS.contains(&account) {
            if account == BLOWS[1] {
                kafka.kill_and_restart();
            } else {
                let restarted = office.server.kill_and_restart().await;
                restarted.expect("it starts again");
            }
        }
        // Every tenth is told twice.
        for _ in 0..=usize::from(account % 10 == 0) {
            let told = tell(&office.server, &facts(account)).await;
            told.expect("they are accepted");
        }
    }
    // One account by somebody else's hand.
    for line in facts(ACCOUNTS).lines() {
        foreign(&kafka, &format!("a-{ACCOUNTS}"), line);
    }
    // What is no fact is put aside and stops nobody.
    foreign(&kafka, "junk", "this is no fact");
    let done = wait::until("all are decided", TIME_MAX, async || {
        (decided(&office).await? > ACCOUNTS).then_some(())
    });
    if let Err(late) = done.await {
        panic!(
            "{late}: {:?}\n{}",
            decided(&office).await,
            office.server.said()
        );
    }
    let log = office
        .product
        .done(&["log", "export"])
        .await
        .expect("it is exported");
    assert_eq!(log.out.lines().count() + 1, records(&kafka));
    assert!(log.err.contains("left out what is no fact"), "{}", log.err);
    let file = office.folder.path().join("log.ndjson");
    std::fs::write(&file, &log.out).expect("a file is written");
    let (file, from) = (
        file.display().to_string(),
        workspace().display().to_string(),
    );
    let simulate = ["simulate", &*from, "--events", &*file, "--output", "json"];
    let simulated = office.product.run(&simulate).await.expect("it runs");
    let journal = ["journal", "--output", "json"];
    let journal = office.product.done(&journal).await.expect("it is read");
    assert!(journal.out.lines().count() > ACCOUNTS * 2);
    assert!(
        journal.out == simulated.out,
        "the journal is what simulate says"
    );
    let parked = lines(&office, &["parked", "list", "--output", "json"]).await;
    assert_eq!(parked.expect("it is listed").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_with_other_rows_comes_to_the_topic_too() {
    let kafka = Kafka::start();
    let office = office(&kafka, "log").await.expect("the office opens");
    let told = office.tell("acme", "mika@acme.example", "paid").await;
    assert_eq!(told.status, 202, "{}", told.body);
    office.fate("acme", &["sent"]).await;
    let before = records(&kafka);
    // It stands in the store in one transaction with the suppression, and goes on from there.
    let suppress = "suppress mika@acme.example --all --reason asked --account acme --contact p-1";
    let suppress: Vec<&str> = suppress.split(' ').collect();
    office.product.done(&suppress).await.expect("it is kept");
    wait::until("it is told in the topic", TIME_MAX, async || {
        (records(&kafka) == before + 1).then_some(())
    })
    .await
    .expect("once");
    let log = office
        .product
        .done(&["log", "export"])
        .await
        .expect("it is exported");
    let last = log.out.lines().last().unwrap_or_default();
    assert!(last.contains("\"source\":\"sottaku\""), "{last}");
    // Who does not reach the brokers is told so.
    let elsewhere = ("SOTTAKU_LOG_KAFKA_BROKERS", "127.0.0.1:9");
    let blind = office.product.clone().with(elsewhere.0, elsewhere.1);
    let blind = blind.run(&["log", "export"]).await.expect("it runs");
    assert_ne!(blind.code, Some(0), "{}", blind.out);
    assert!(blind.err.contains("Kafka"), "{}", blind.err);
}
