//! `sottaku doctor` looks at a real mail server, at a store, at topics in a real Kafka, and at what a name server says, and
//! sends nothing.

use std::net::UdpSocket;
use std::path::Path;
use std::time::Duration;

use end_to_end::{Postfix, Product, Ran, Tls, wait};
use serde_json::Value;
use servers::Kafka;

use crate::office::{Office, product, workspace};
use crate::sources::{broker, produce, workspace_with};

const TIME_MAX: Duration = Duration::from_secs(120);

/// A name server that knows no name: it answers each question with itself and NXDOMAIN (RFC 1035, 4.1.1).
fn name_server() -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let address = socket.local_addr().expect("it has an address");
    std::thread::spawn(move || {
        let mut bytes = [0_u8; 1_500];
        while let Ok((length, from)) = socket.recv_from(&mut bytes) {
            (bytes[2], bytes[3]) = (0x81, 0x83);
            if socket.send_to(&bytes[..length], from).is_err() {
                return;
            }
        }
    });
    address.to_string()
}

async fn look(product: &Product, name_server: &str) -> (Ran, Vec<Value>) {
    let asked = ["doctor", "--output", "json", "--name-server", name_server];
    let ran = product.run(&asked).await.expect("it starts");
    let found = ran.json_lines().expect("JSON");
    (ran, found)
}

/// The findings about one thing, as `state: words`.
fn about(found: &[Value], what: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let about = found
        .iter()
        .filter(|one| text(&one["what"]).starts_with(what));
    about
        .map(|one| format!("{}: {}", text(&one["state"]), text(&one["says"])))
        .collect()
}

fn settings(folder: &Path, port: u16, tls: &str) {
    let settings = format!(
        "mode: smtp\nsmtp: {{host: 127.0.0.1, port: {port}, tls: {tls}, connect_time_max: 3s, command_time_max: 3s}}\n"
    );
    std::fs::write(folder.join("sottaku.yaml"), settings).expect("the file is written");
}

#[tokio::test]
async fn the_doctor_says_what_is_missing_and_what_is_there() {
    let postfix = Postfix::start(Tls::Required).await.expect("Postfix starts");
    let authority = postfix
        .authority()
        .expect("it has a certificate")
        .display()
        .to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let stranger = product(folder.path());
    let product = product(folder.path()).with("SSL_CERT_FILE", &authority);
    let names = name_server();

    settings(folder.path(), postfix.address().port(), "required");
    let (ran, found) = look(&product, &names).await;
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(about(&found, "store")[0].starts_with("bad: "), "{found:?}");
    assert!(
        !folder.path().join("sottaku.db").exists(),
        "looking makes nothing"
    );

    let from = workspace().display().to_string();
    let applied = product.done(&["apply", &from, "--yes"]).await;
    applied.expect("the workspace is applied");
    let (ran, found) = look(&product, &names).await;
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    let store = &about(&found, "store")[0];
    assert!(
        store.starts_with("good: SQLite 3.") && store.contains("journal_mode wal"),
        "{store}"
    );
    assert_eq!(
        about(&found, "smtp"),
        ["good: encrypts and asked for no password"]
    );
    for record in ["spf ", "dmarc "] {
        let told = about(&found, record);
        assert!(
            told.len() == 1 && told[0].starts_with("bad: there is no record"),
            "{found:?}"
        );
    }

    // Whoever does not know the authority of its certificate is not let in by our own side.
    let (_, found) = look(&stranger, &names).await;
    let told = about(&found, "smtp");
    assert!(told[0].starts_with("bad: at tls: "), "{told:?}");
    // Nobody listens there.
    settings(folder.path(), 1, "none");
    let (_, found) = look(&product, &names).await;
    let told = about(&found, "smtp");
    assert!(told[0].starts_with("bad: at connect: "), "{told:?}");
    assert!(postfix.log().contains("connect from"), "{}", postfix.log());
    assert!(!postfix.log().contains("from=<"), "no mail was begun");
}

const APP: &str = "\
sources:
  app: {topic: app, format: json, account: key, type: user.logged_in, fields: {user: record.user}, backlog: news}
  gone: {topic: gone, format: json, account: key, type: user.logged_in, fields: {user: record.user}}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_looks_at_the_topics_of_the_log_and_of_sources() {
    let mut kafka = Kafka::start_with(broker());
    let place = tempfile::tempdir().expect("a folder");
    let workspace = workspace_with(place.path(), APP);
    let logged_in = |n: usize| format!("acme|{{\"user\":\"p-{n}\"}}");
    let records: Vec<String> = (0..5).map(logged_in).collect();
    produce(&kafka, "app", &records, &[]);
    let settings = format!(
        "store: sottaku.db\nshards: 1\nlog: {{kafka: {{brokers: \"{}\", topic: facts, replicas: 1}}}}\n",
        kafka.address()
    );
    let office = Office::open(&settings, &workspace, &[]).await;
    let office = office.expect("the office opens");
    let names = name_server();
    // What was written is read by the server meanwhile.
    let good = "good: the topic is the one that was read; 0 records are still to be read";
    let found = wait::until("the source is read", TIME_MAX, async || {
        let (_, found) = look(&office.product, &names).await;
        let told = about(&found, "source app");
        told.iter().any(|told| told == good).then_some(found)
    });
    let found = found.await.expect("it is, and nothing is behind");
    let told = about(&found, "source app");
    assert!(
        told[0].starts_with("good: topic app: 2 partitions, 1 replicas; "),
        "{told:?}"
    );
    assert!(told[0].contains("retention.ms "), "{told:?}");
    let told = about(&found, "source gone");
    assert!(
        told.len() == 1 && told[0].starts_with("bad: ") && told[0].contains("gone is not there"),
        "{told:?}"
    );
    let told = about(&found, "log");
    assert!(
        told[0].starts_with("good: topic facts: 1 partitions, 1 replicas; "),
        "{told:?}"
    );
    assert!(
        told[1].starts_with("note: each fact is on one broker alone"),
        "{told:?}"
    );
    // Another topic under the same name.
    kafka.begin_anew(broker());
    let others: Vec<String> = (10..20).map(logged_in).collect();
    produce(&kafka, "app", &others, &[]);
    let (ran, found) = look(&office.product, &names).await;
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    let told = about(&found, "source app");
    assert!(
        told[1].starts_with("bad: ") && told[1].contains("made anew"),
        "{told:?}"
    );
    // Nobody is there at all.
    kafka.kill();
    let (_, found) = look(&office.product, &names).await;
    for what in ["source app", "log"] {
        let told = about(&found, what);
        assert!(told.len() == 1 && told[0].starts_with("bad: "), "{told:?}");
    }
}
