//! Sources on a real Kafka: records of other topics become facts, and facts decisions, in a store that has its log
//! elsewhere; whatever is killed, each counts once, and what can't be used stops nobody.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use end_to_end::{Failure, wait};
use serde_json::{Value, json};
use servers::{Kafka, KafkaOptions};

use crate::office::{Office, workspace};

const TIME_MAX: Duration = Duration::from_secs(120);
const ACCOUNTS: usize = 60;
/// A working morning in Tokyo, in milliseconds.
const MORNING: u64 = 1_768_266_000_000;

pub(crate) const SOURCES: &str = "\
sources:
  accounts:
    topic: crm.accounts
    format: debezium
    account: record.id
    type: account.updated
    fields: {name: record.name, plan: record.plan}
    snapshot: news
    backlog: news
  contracts:
    topic: crm.contracts
    format: debezium
    account: record.account_id
    type: contract.updated
    fields: {contract: record.id, status: record.status}
    backlog: news
  people:
    topic: people
    format: json
    where: record.kind == \"person\"
    account: key
    type: contact.updated
    fields: {contact: record.id, name: record.name, role: champion, email: record.mail}
    time: record.at
    backlog: news
  app:
    topic: app
    format: cloudevents
    backlog: news
";

/// A broker on which who writes first makes the topic.
pub(crate) fn broker() -> KafkaOptions {
    KafkaOptions {
        partitions: Some(2),
        ..KafkaOptions::default()
    }
}

/// The workspace of the tests with these sources.
pub(crate) fn workspace_with(folder: &Path, sources: &str) -> PathBuf {
    let copied = Command::new("cp")
        .arg("-r")
        .arg(workspace())
        .arg(folder)
        .status();
    assert!(copied.expect("cp runs").success());
    let copy = folder.join("workspace");
    let file = copy.join("workflows/definitions/sources.yaml");
    std::fs::write(file, sources).expect("a file is written");
    copy
}

/// Records by a client that knows nothing of Sottaku: `key|value` a line; `key|` is a tombstone.
pub(crate) fn produce(kafka: &Kafka, topic: &str, records: &[String], headers: &[&str]) {
    let mut kcat = Command::new("kcat");
    kcat.args(["-P", "-b", kafka.address(), "-t", topic, "-K", "|", "-Z"]);
    kcat.args(["-X", "partitioner=murmur2_random"]);
    for header in headers {
        kcat.args(["-H", header]);
    }
    let mut kcat = kcat.stdin(Stdio::piped()).spawn().expect("kcat runs");
    let mut pipe = kcat.stdin.take().expect("it is piped");
    pipe.write_all(records.join("\n").as_bytes())
        .expect("it listens");
    drop(pipe);
    assert!(kcat.wait().expect("it ends").success());
}

/// A change of a row as Debezium writes it, every third with its schema beside it.
fn change(n: usize, op: &str, before: Value, after: Value) -> String {
    let change = json!({"op": op, "before": before, "after": after, "source": {"ts_ms": MORNING}, "ts_ms": MORNING + 5});
    match n % 3 {
        0 => json!({"schema": {"type": "struct"}, "payload": change}).to_string(),
        _ => change.to_string(),
    }
}

fn account(n: usize) -> String {
    format!("a-{n}")
}

pub(crate) fn contract(n: usize) -> String {
    let row = json!({"id": format!("k-{n}"), "account_id": account(n), "status": "active"});
    format!("k-{n}|{}", change(n, "c", Value::Null, row))
}

fn person(n: usize) -> String {
    let mail = format!("mika@{}.example", account(n));
    let person =
        json!({"kind": "person", "id": "p-1", "name": "Mika", "mail": mail, "at": MORNING});
    format!("{}|{person}", account(n))
}

fn paid(n: usize) -> String {
    let row = json!({"id": account(n), "name": "Acme", "plan": "paid"});
    let op = ["c", "u", "r"][n % 3];
    format!("{}|{}", account(n), change(n, op, Value::Null, row))
}

async fn lines(office: &Office, arguments: &[&str]) -> Result<Vec<Value>, Failure> {
    office.product.done(arguments).await?.json_lines()
}

/// How the sources stand, halted or not.
pub(crate) async fn listed(office: &Office) -> Vec<Value> {
    let list = ["source", "list", "--output", "json"];
    let ran = office.product.run(&list).await.expect("it runs");
    ran.json_lines().unwrap_or_default()
}

/// Waits until a source stands as asked.
pub(crate) async fn once(
    office: &Office,
    what: &str,
    is_so: impl Fn(&[Value]) -> bool,
) -> Vec<Value> {
    let found = wait::until(what, TIME_MAX, async || {
        let listed = listed(office).await;
        is_so(&listed).then_some(listed)
    });
    match found.await {
        Ok(found) => found,
        Err(late) => panic!(
            "{late}: {:?}\n{}",
            listed(office).await,
            office.server.said()
        ),
    }
}

/// Waits until every source is read to its end.
pub(crate) async fn read(office: &Office, sources: usize) {
    let is_read = |one: &Value| one["behind"] == 0 && one["halted"].is_null();
    once(office, "all is read", |listed| {
        listed.len() == sources && listed.iter().all(is_read)
    })
    .await;
}

/// How many mails were decided for an account.
async fn mails(office: &Office) -> Result<Vec<usize>, Failure> {
    let mut counts = vec![0; ACCOUNTS];
    for mail in lines(office, &["mail", "list", "--output", "json"]).await? {
        let number = mail["account"]
            .as_str()
            .and_then(|id| id.strip_prefix("a-"));
        if let Some(count) = number
            .and_then(|n| n.parse().ok())
            .and_then(|n: usize| counts.get_mut(n))
        {
            *count += 1;
        }
    }
    Ok(counts)
}

/// Waits until each account has its mail, and says how many each has.
async fn all_mails(office: &Office) {
    let found = wait::until("every account has its mail", TIME_MAX, async || {
        let counts = mails(office).await.ok()?;
        counts.iter().all(|count| *count > 0).then_some(counts)
    });
    match found.await {
        Ok(counts) => assert_eq!(counts, vec![1; ACCOUNTS], "and no second one"),
        Err(late) => panic!(
            "{late}: {:?}\n{}",
            mails(office).await,
            office.server.said()
        ),
    }
}

/// One of each account.
fn all(of: fn(usize) -> String) -> Vec<String> {
    (0..ACCOUNTS).map(of).collect()
}

/// What is there before anybody reads: with a broken record, one that is passed over, tombstones, and both kinds of events.
fn fill(kafka: &Kafka) {
    produce(kafka, "crm.contracts", &all(contract), &[]);
    let mut people = all(person);
    people.insert(7, "a-1|{\"kind\": \"person\", broken".into());
    people.insert(9, "a-1|{\"kind\":\"robot\"}".into());
    people.insert(11, "a-1|".into());
    produce(kafka, "people", &people, &[]);
    produce(kafka, "crm.accounts", &["a-0|".to_owned()], &[]);
    let login = |n: usize| {
        json!({"specversion": "1.0", "id": format!("l-{n}"), "source": "app", "type": "user.logged_in",
            "subject": account(n), "time": "2026-01-13T10:00:00+09:00", "data": {"user": "p-1"}})
    };
    let logins: Vec<String> = (0..10).map(|n| format!("x|{}", login(n))).collect();
    produce(
        kafka,
        "app",
        &logins,
        &["content-type=application/cloudevents+json"],
    );
    let binary = [
        "ce_specversion=1.0",
        "ce_id=b-1",
        "ce_source=app",
        "ce_type=user.logged_in",
        "ce_subject=a-3",
        "ce_time=2026-01-13T10:00:00+09:00",
        "content-type=application/json",
    ];
    produce(kafka, "app", &["x|{\"user\":\"p-1\"}".to_owned()], &binary);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_of_other_topics_count_once_though_all_is_killed() {
    let mut kafka = Kafka::start_with(broker());
    let place = tempfile::tempdir().expect("a folder");
    let workspace = workspace_with(place.path(), SOURCES);
    fill(&kafka);
    let settings = format!(
        "store: sottaku.db\nclock: log\nshards: 4\nsources: {{kafka: {{brokers: \"{}\"}}}}\n",
        kafka.address()
    );
    let mut office = Office::open(&settings, &workspace, &[])
        .await
        .expect("it opens");
    read(&office, 4).await;
    // The rows come in while server and broker are killed.
    for (n, part) in all(paid).chunks(ACCOUNTS / 4).enumerate() {
        produce(&kafka, "crm.accounts", part, &[]);
        match n {
            0 | 2 => {
                let restarted = office.server.kill_and_restart().await;
                restarted.expect("it starts again");
            }
            1 => kafka.kill_and_restart(),
            _ => {}
        }
    }
    all_mails(&office).await;
    read(&office, 4).await;
    let log = office
        .product
        .done(&["log", "export"])
        .await
        .expect("it is exported");
    // Contracts, people, accounts, logins: each fact once, nothing of the broken record, the robot, the tombstones.
    assert_eq!(log.out.lines().count(), 3 * ACCOUNTS + 11, "{}", log.err);
    let parked = lines(&office, &["parked", "list", "--output", "json"]).await;
    let parked = parked.expect("it is listed");
    assert_eq!(parked.len(), 1, "{parked:?}");
    assert_eq!(parked[0]["code"], "bad_data");
    assert!(
        parked[0]["fact"]
            .as_str()
            .is_some_and(|fact| fact.contains("\"source\":\"people\""))
    );
    again(&office).await;
}

/// All of it once more, by hand: it is in the log twice, and counts once.
async fn again(office: &Office) {
    for name in ["contracts", "people", "accounts"] {
        let resume = ["source", "resume", name, "--from", "beginning"];
        office.product.done(&resume).await.expect("it goes on");
    }
    let found = wait::until("all is read again", TIME_MAX, async || {
        let log = office.product.done(&["log", "export"]).await.ok()?;
        (log.out.lines().count() >= 6 * ACCOUNTS + 11).then_some(())
    });
    found.await.expect("it is");
    read(office, 4).await;
    all_mails(office).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_mapping_makes_of_records_is_shown_and_not_kept() {
    let kafka = Kafka::start_with(broker());
    let place = tempfile::tempdir().expect("a folder");
    let workspace = workspace_with(place.path(), SOURCES).display().to_string();
    let row = |row: Value, before: Value, op| format!("k-1|{}", change(1, op, before, row));
    let gone = row(Value::Null, json!({"id": "k-1", "account_id": "a-1"}), "d");
    let lost = row(Value::Null, Value::Null, "d");
    let odd = json!({"id": 7, "account_id": "a-1", "status": "odd"});
    let news = row(odd, Value::Null, "r");
    produce(
        &kafka,
        "crm.contracts",
        &[gone, lost, news, "k-1|".into()],
        &[],
    );
    let settings = format!(
        "store: sottaku.db\nsources: {{kafka: {{brokers: \"{}\"}}}}\n",
        kafka.address()
    );
    std::fs::write(place.path().join("sottaku.yaml"), settings).expect("a file is written");
    let product = crate::office::product(place.path());
    let try_it = [
        "source",
        "try",
        "contracts",
        "--dir",
        &workspace,
        "--limit",
        "10",
        "--output",
        "json",
    ];
    let ran = product.run(&try_it).await.expect("it runs");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    let tried = ran.json_lines().expect("each line is JSON");
    assert_eq!(tried.len(), 4, "{}", ran.out);
    let fact = &tried[0]["facts"][0];
    assert_eq!(
        (&fact["type"], &fact["subject"]),
        (&json!("contract.deleted"), &json!("a-1"))
    );
    assert_eq!(fact["data"], json!({"contract": "k-1"}));
    assert_eq!(tried[1]["refused"]["code"], "bad_envelope");
    let fact = &tried[2]["facts"][0];
    assert_eq!(fact["data"], json!({"contract": "7", "status": "odd"}));
    assert_eq!(fact["sottakuhistory"], true);
    assert!(tried[3]["passed"].is_string());
    assert!(!place.path().join("sottaku.db").exists(), "nothing is made");
    let text = product.run(&try_it[..7]).await.expect("it runs");
    assert!(
        text.out.contains("becomes  {") && text.out.contains("refused: bad_envelope"),
        "{}",
        text.out
    );
    let nobody = product
        .run(&["source", "try", "nobody", "--dir", &workspace])
        .await;
    assert_eq!(nobody.expect("it runs").code, Some(3));
}
