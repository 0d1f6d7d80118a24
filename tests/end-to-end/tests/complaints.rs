//! A reader calls a mail spam: the complaint (RFC 5965) of their provider comes over TLS to the address that the mail
//! names, its account is told, and nothing that advertises reaches the address any more.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;

use end_to_end::{Certificate, Sink, SinkOptions, Taken, wait};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::office::{Office, workspace};

const DOMAIN: &str = "b.vendor.example";

/// A report of a mail, as providers write it.
fn report(taken: &Taken, from: &str) -> String {
    format!(
        "From: <{from}>\nTo: <complaints@{DOMAIN}>\nSubject: FW: Hello\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n\
         --b\nContent-Type: text/plain\n\nThis is an abuse report.\n\
         --b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: Loop/1.0\nVersion: 1\n\
         Original-Mail-From: <{}>\nOriginal-Rcpt-To: <{}>\n\
         --b\nContent-Type: message/rfc822\n\n{}\n--b--\n",
        taken.sender,
        taken.recipients[0],
        taken.text.replace("\r\n", "\n"),
    )
}

/// Brings a mail by a foreign client over STARTTLS; whether it was taken.
async fn bring(back: SocketAddr, authority: &Path, mail: &str) -> bool {
    let mut curl = Command::new("curl")
        .args(["-sS", "--crlf", "--ssl-reqd", "--cacert"])
        .arg(authority)
        .args(["--url", &format!("smtp://{back}")])
        .args(["--mail-from", "feedback@provider.example"])
        .args(["--mail-rcpt", &format!("complaints@{DOMAIN}")])
        .args(["--upload-file", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("curl starts");
    let mut input = curl.stdin.take().expect("it has an input");
    input.write_all(mail.as_bytes()).await.expect("it reads");
    drop(input);
    curl.wait().await.expect("curl ends").success()
}

async fn ledger(office: &Office, address: &str) -> Vec<Value> {
    let arguments = ["suppress", "list", address, "--output", "json"];
    let listed = office.product.done(&arguments).await;
    let listed = listed.expect("the ledger is listed");
    listed.json_lines().expect("each line is JSON")
}

async fn office(sink: &Sink, back: SocketAddr, certificate: &Certificate) -> Office {
    let settings = format!(
        "store: sottaku.db\nclock: log\nmode: smtp\nfrom_domain: vendor.example\npublic_url: https://cs.vendor.example\n\
         smtp: {{host: 127.0.0.1, port: {}, tls: none}}\n\
         bounces: {{domain: {DOMAIN}, listen: '{back}', certificate: '{}', key: '{}', complaints_from: [provider.example]}}\n",
        sink.address().port(),
        certificate.server.display(),
        certificate.key.display(),
    );
    let office = Office::open(&settings, &workspace(), &[]).await;
    office.expect("the office opens")
}

#[tokio::test]
async fn a_complaint_comes_over_tls_and_ends_what_advertises() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let certificate = Certificate::make(folder.path()).expect("openssl makes one");
    let mut options = SinkOptions::new(folder.path().join("record"));
    options.is_whole = true;
    let sink = Sink::start(options).await.expect("the sink starts");
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
    let back = free.expect("a free port");
    let office = office(&sink, back, &certificate).await;
    office.tell("first", "mika@acme.example", "trial").await;
    office.fate("first", &["sent"]).await;
    let taken = sink.taken().expect("the record is read").remove(0);
    let feedback = format!("\r\nCFBL-Address: complaints@{DOMAIN}; report=arf\r\n");
    assert!(taken.text.contains(&feedback), "{}", taken.text);
    // Somebody else, who got hold of the mail, is not believed.
    let forged = report(&taken, "abuse@evil.example");
    assert!(bring(back, &certificate.authority, &forged).await);
    assert!(ledger(&office, "mika@acme.example").await.is_empty());
    let complaint = report(&taken, "feedback@provider.example");
    for _ in 0..2 {
        assert!(bring(back, &certificate.authority, &complaint).await);
    }
    let rows = wait::until(
        "the complaint is written",
        std::time::Duration::from_secs(30),
        async || {
            let rows = ledger(&office, "mika@acme.example").await;
            (!rows.is_empty()).then_some(rows)
        },
    );
    let rows = rows.await.expect("the ledger has a row");
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["scope"], "promotional", "{rows:?}");
    assert_eq!(rows[0]["reason"], "complained", "{rows:?}");
    office.tell("second", "Mika@Acme.example", "trial").await;
    office.fate("second", &["suppressed"]).await;
    // The forged one was counted, and that is all.
    let metrics = office.client().get("/metrics").await.expect("an answer");
    let unproven = "sottaku_mail_came_back_total{what=\"unproven\"} 1";
    assert!(metrics.body.contains(unproven), "{}", metrics.body);
}
