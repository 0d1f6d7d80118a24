//! Many workers over a real Postgres and a real Kafka: `sottaku torture` kills them all in turn, and each fact and each
//! mail has counted once.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use end_to_end::{Client, Failure, Product, Serving, wait};
use serde_json::Value;
use servers::{Kafka, Postgres};
use tokio::net::TcpListener;

use crate::kill::MACHINE;
use crate::office::product;

const TIME_MAX: Duration = Duration::from_secs(60);

/// Kills a server and starts it again.
type Strike = Box<dyn FnMut() -> servers::Answer<()> + Send>;

/// An address at which a server is killed and started again, for `curl`.
async fn bell(mut strike: Strike) -> Result<String, Failure> {
    let listening = TcpListener::bind("127.0.0.1:0").await;
    let listener = listening.map_err(Failure::io("listening"))?;
    let address = listener.local_addr().map_err(Failure::io("listening"))?;
    let strike = Arc::new(Mutex::new(move || match strike() {
        Ok(()) => (StatusCode::OK, String::new()),
        Err(why) => (StatusCode::INTERNAL_SERVER_ERROR, why.to_string()),
    }));
    let struck = async move || {
        let strike = strike.clone();
        let struck = tokio::task::spawn_blocking(move || {
            strike.lock().unwrap_or_else(PoisonError::into_inner)()
        });
        struck.await.expect("it does not panic")
    };
    tokio::spawn(async move {
        let router = Router::new().route("/", get(struck));
        axum::serve(listener, router).await
    });
    Ok(format!("curl -fsS --max-time 170 http://{address}/"))
}

fn number(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What is asked of the trial, by default and by the environment.
fn size() -> Vec<String> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let drawn = since.map_or(1, |since| since.subsec_nanos() % 1_000_000);
    let asked = [
        ("--minutes", number("SOTTAKU_TORTURE_MINUTES"), "2"),
        ("--facts", number("SOTTAKU_TORTURE_FACTS"), "10000"),
        ("--accounts", number("SOTTAKU_TORTURE_ACCOUNTS"), "250"),
        ("--workers", number("SOTTAKU_TORTURE_WORKERS"), "3"),
        (
            "--seed",
            number("SOTTAKU_TORTURE_SEED"),
            &*drawn.to_string(),
        ),
    ]
    .map(|(flag, own, usual)| [flag.to_owned(), own.unwrap_or_else(|| usual.to_owned())]);
    let mut asked = asked.concat();
    // A binary without a safeguard, to see that it is found out.
    if let Some(binary) = number("SOTTAKU_KILL_BINARY") {
        asked.extend(["--binary".to_owned(), binary]);
    }
    asked
}

/// Runs the trial; the command's exit code and its report.
async fn tried(arguments: &[String]) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut command = product(folder.path()).command(&["torture", "--output", "json"]);
    command.args(arguments).args(size());
    // What it says meanwhile is for who watches.
    command.stdout(Stdio::piped()).stderr(Stdio::inherit());
    let child = command.spawn().expect("it starts");
    let output = child.wait_with_output().await.expect("it ends");
    let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
    println!("{report:#}");
    (output.status.code(), report)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_workers_on_postgres_and_kafka_count_each_fact_once_whatever_is_killed() {
    let _machine = MACHINE.lock().await;
    let mut postgres = Postgres::start().expect("Postgres starts");
    let url = postgres.url();
    let strike_store = bell(Box::new(move || {
        postgres.crash()?;
        postgres.restart()
    }));
    let strike_store = strike_store.await.expect("it listens");
    let mut kafka = Kafka::start();
    let brokers = kafka.address().to_owned();
    let strike_kafka = bell(Box::new(move || {
        kafka.kill_and_restart();
        Ok(())
    }));
    let strike_kafka = strike_kafka.await.expect("it listens");
    let arguments = [
        ["--store", &*url],
        ["--kafka", &*brokers],
        ["--strike-store", &*strike_store],
        ["--strike-kafka", &*strike_kafka],
    ];
    let arguments: Vec<String> = arguments.concat().iter().map(ToString::to_string).collect();
    let (code, report) = tried(&arguments).await;
    assert_eq!(report["violations"], serde_json::json!([]));
    assert_eq!(code, Some(0));
    for blow in ["kills", "stops", "leaves", "stores", "brokers"] {
        assert!(report[blow].as_u64() > Some(0), "no {blow}");
    }
    let mails = report["mails"].as_u64();
    assert!(mails > Some(0), "nothing was sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_somebody_uses_is_not_touched() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let product = product(folder.path());
    let workspace = crate::office::workspace().display().to_string();
    let applied = product.done(&["apply", &workspace, "--yes"]).await;
    applied.expect("there is a store");
    let store = Path::new("sottaku.db").display().to_string();
    let ran = product.run(&["torture", "--store", &store]).await;
    let ran = ran.expect("it runs");
    assert_eq!(ran.code, Some(3), "{}", ran.out);
    assert!(ran.err.contains("name one that is empty"), "{}", ran.err);
}

/// Waits until every shard is held for both roles and nothing waits, as `sottaku shards` has it.
async fn all_are_held(product: &Product) -> Result<(), Failure> {
    wait::until("every shard has its owners", TIME_MAX, async || {
        let shown = product.run(&["shards", "--output", "json"]).await.ok()?;
        let shards = shown.json_lines().ok()?;
        let is_held = |shard: &Value| {
            let held = |role: &str| shard[role]["held"] == true && shard[role]["epoch"].is_u64();
            held("decide") && held("send") && shard["lag"] == 0
        };
        (shards.len() == 8 && shards.iter().all(is_held)).then_some(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_waits_for_a_database_that_is_down_and_its_shards_are_shown() {
    let mut postgres = Postgres::start().expect("Postgres starts");
    postgres.crash().expect("it is killed");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let product = product(folder.path()).with("SOTTAKU_STORE", &postgres.url());
    let log = folder.path().join("serve.log");
    let server = Serving::start(&product, &["serve"], &log).expect("it starts");
    wait::until("it says that it waits", TIME_MAX, async || {
        let said = server.said();
        said.contains("can't be opened yet").then_some(())
    })
    .await
    .expect("it does not end");
    postgres.restart().expect("it is there again");
    server.answers().await.expect("it goes on");
    all_are_held(&product).await.expect("on Postgres");
    let shown = product.done(&["shards"]).await.expect("they are shown");
    assert!(shown.out.starts_with("SHARD") && shown.out.lines().count() == 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deciding_and_sending_go_apart() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let product = product(folder.path());
    let start = |roles: &str| {
        let log = folder.path().join(format!("{roles}.log"));
        Serving::start(&product, &["serve", "--roles", roles], &log).expect("it starts")
    };
    let deciding = start("decide,ingest");
    deciding.answers().await.expect("it answers");
    let sending = start("send");
    sending
        .answers()
        .await
        .expect("health and measures are everywhere");
    all_are_held(&product).await.expect("on SQLite");
    let shown = product.done(&["shards", "--output", "json"]).await;
    let shards = shown.expect("they are shown").json_lines();
    for shard in shards.expect("a line for each") {
        let owner = |role: &str| shard[role]["owner"].as_str().map(str::to_owned);
        let is_of = |owner: Option<String>, server: &Serving| {
            owner.is_some_and(|owner| owner.starts_with(&format!("{}-", server.pid())))
        };
        assert!(is_of(owner("decide"), &deciding), "{shard}");
        assert!(is_of(owner("send"), &sending), "{shard}");
    }
    let mut client = Client::new(sending.address(), TIME_MAX);
    let told = client.tell("application/cloudevents+json", b"{}").await;
    assert_eq!(told.expect("it answers").status, 404);
    let asked = client.get("/healthz").await.expect("it answers");
    assert_eq!(asked.status, 200, "{}", asked.body);
}
