//! From a topic in Kafka to durable decisions in Postgres with 100 workflows loaded, beside a client that reads and
//! parses the same records, and beside the same writes alone; at several numbers of accounts.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use jiff::{Timestamp, ToSpan};
use model::Fact;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use serde_json::json;
use servers::Kafka;
use store::Store;

use crate::commit::{append, decided};
use crate::cpu::{Cost, Meter, resident};
use crate::facts::Line;
use crate::production::{Production, name, patterns};
use crate::rules;
use crate::told::Turns;
use crate::written::{Written, ends};

const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
const WORKFLOWS: usize = 100;
const PATTERNS: usize = 60;
/// Silence for so long, and something is wrong.
const SILENCE_MAX: Duration = Duration::from_secs(30);

pub(crate) async fn measure(facts: usize, rounds: usize) -> anyhow::Result<()> {
    let kafka = Kafka::start();
    let files = rules::workspace(WORKFLOWS);
    let patterns = patterns(&files, &introduced()).await?;
    for accounts in SIZES {
        let topic = format!("bench-{accounts}");
        let production = Production::new(&files, Some((&kafka, &topic))).await?;
        let store = &production.store;
        let began = Instant::now();
        production.populate(&patterns, accounts).await?;
        println!(
            "Kafka to durable decisions, {WORKFLOWS} workflows, {accounts} accounts (written in {:.0} s), {facts} facts a round",
            began.elapsed().as_secs_f64()
        );
        let (mut beside_reading, mut beside_writes) = (Turns::default(), Turns::default());
        for round in 0..rounds {
            let lines = told(facts, accounts, round);
            let mut begins = Vec::new();
            for shard in 0..store.shards() {
                begins.push(store.log_end(shard).await?);
            }
            let before = ends(store).await?;
            append(store, &lines).await?;
            let read = read(&kafka, &topic, &begins, facts)?;
            let ours = decided(store).await?;
            let written = Written::of(store, &lines, before).await?;
            let writes = written.again(store, false).await?;
            beside_reading.ours(ours);
            beside_reading.floor(read);
            beside_writes.ours(ours);
            beside_writes.floor(writes);
        }
        beside_reading.print(("read, decide and commit", "read and parse alone"), facts);
        beside_writes.print(("read, decide and commit", "the same writes alone"), facts);
        idle(store, accounts).await?;
        production.store.close().await;
    }
    Ok(())
}

/// What a worker needs that has all these accounts and nothing to do.
async fn idle(store: &Store, accounts: usize) -> anyhow::Result<()> {
    let before = resident();
    decided(store).await?;
    println!(
        "  a worker of {accounts} idle accounts: {:.0} MB, {:.0} MB before it began",
        resident(),
        before
    );
    Ok(())
}

/// Reads and parses what was told, and does nothing with it.
fn read(kafka: &Kafka, topic: &str, begins: &[u64], count: usize) -> anyhow::Result<Cost> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", kafka.address())
        .set("group.id", "bench-floor")
        .set("enable.auto.commit", "false")
        .create()?;
    let mut places = TopicPartitionList::new();
    for (partition, begin) in (0..).zip(begins) {
        let offset = Offset::Offset(i64::try_from(*begin)?);
        places.add_partition_offset(topic, partition, offset)?;
    }
    let meter = Meter::start();
    consumer.assign(&places)?;
    let mut seen = 0;
    while seen < count {
        let Some(message) = consumer.poll(SILENCE_MAX) else {
            bail!("Kafka was silent after {seen} of {count} records");
        };
        let message = message?;
        let payload = message.payload().context("a record with a value")?;
        let fact: Fact = serde_json::from_slice(payload)?;
        std::hint::black_box(fact);
        seen += 1;
    }
    Ok(meter.stop())
}

/// What makes the patterns: accounts of both plans with some logins behind them.
fn introduced() -> Vec<Line> {
    let plan = |n: usize| if n.is_multiple_of(3) { "free" } else { "paid" };
    let account = |n: usize| {
        let data = json!({"name": "アクメ", "plan": plan(n), "arr": n * 20_000, "seats": n});
        line(&format!("p-{n}"), ("account.updated", data), (n, 0))
    };
    let login = |n: usize| {
        let data = json!({"user": format!("u{}", n % 7)});
        let at = PATTERNS + n;
        line(
            &format!("p-{}", n % PATTERNS),
            ("user.logged_in", data),
            (at, at),
        )
    };
    (0..PATTERNS)
        .map(account)
        .chain((0..PATTERNS * 8).map(login))
        .collect()
}

/// Facts of a round: nine logins for each ticket, of accounts here and there.
fn told(count: usize, accounts: usize, round: usize) -> Vec<Line> {
    let one = |n: usize| {
        let at = 10_000 + round * count + n;
        // Knuth's multiplicative hash: neighbours lie far apart.
        let account = at.wrapping_mul(2_654_435_761) % accounts;
        let told = match n % 10 {
            0 => ("ticket.opened", json!({"severity": "low"})),
            turn => ("user.logged_in", json!({"user": format!("u{turn}")})),
        };
        line(&name(account), told, (at, at))
    };
    (0..count).map(one).collect()
}

fn line(
    account: &str,
    (kind, data): (&str, serde_json::Value),
    (n, seconds): (usize, usize),
) -> Line {
    let start: Timestamp = "2026-01-05T01:00:00Z"
        .parse()
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let seconds = i64::try_from(seconds).unwrap_or(0);
    let at = start.checked_add(seconds.seconds()).unwrap_or(start);
    let json = json!({
        "specversion": "1.0", "id": format!("e-{n}"), "source": "bench", "type": kind,
        "subject": account, "time": at.to_string(), "data": data,
    });
    Line {
        account: account.to_owned(),
        json: json.to_string(),
    }
}
