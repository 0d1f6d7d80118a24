//! Many workers over a real Postgres and a real Kafka: `sottaku torture` kills them all in turn, and each fact and each
//! mail has counted once.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use end_to_end::Failure;
use serde_json::Value;
use servers::{Kafka, Postgres};
use tokio::net::TcpListener;

use crate::kill::MACHINE;
use crate::office::product;

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
        ("--minutes", number("SOTTAKU_TORTURE_MINUTES"), "1"),
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
