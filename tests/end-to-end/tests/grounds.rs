//! On which ground somebody may be written to: what advertises leaves to who does business with us, or agreed; a no is
//! stronger than either.

use end_to_end::{Sink, SinkOptions};
use serde_json::{Value, json};

use crate::office::{Office, fact, workspace};

async fn office(sink: &Sink, jurisdiction: &str) -> Office {
    let settings = format!(
        "store: sottaku.db\nclock: log\nmode: smtp\nfrom_domain: vendor.example\npublic_url: https://cs.vendor.example\n\
         {jurisdiction}relationship_grace_days: 30\nsmtp: {{host: 127.0.0.1, port: {}, tls: none}}\n",
        sink.address().port()
    );
    let office = Office::open(&settings, &workspace(), &[]).await;
    office.expect("the office opens")
}

async fn why(office: &Office, account: &str) -> (String, Value) {
    let text = office.product.done(&["why", "tips", account]).await;
    let json = ["why", "tips", account, "--output", "json"];
    let json = office.product.done(&json).await.expect("it is told");
    let json = json.json_lines().expect("it is JSON").remove(0);
    (text.expect("it is told").out, json)
}

/// Records a proof.
async fn prove(office: &Office, to: &str, basis: &str) {
    let arguments = ["consent", "add", to, "--basis", basis, "--how", "form-12"];
    let added = office.product.done(&arguments).await;
    added.expect("the proof is written");
}

/// Tells of an account whose contract was called off then.
async fn called_off(office: &Office, account: &str, said: &str) {
    let data = json!({"contract": "k-1", "status": "cancelled"});
    let over = fact(account, "contract.updated", data);
    let over = over.replace("2026-01-13T10:00:00+09:00", said);
    let mut client = office.client();
    let told = client.tell("application/x-ndjson", over.as_bytes()).await;
    assert_eq!(told.expect("the server answers").status, 202);
    let to = format!("{account}@acme.example");
    office.tell_of_stranger(account, &to, "trial").await;
}

#[tokio::test]
async fn who_has_no_ground_to_be_written_to_is_left_alone_and_that_is_told() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let sink = Sink::start(SinkOptions::new(folder.path().join("record"))).await;
    let sink = sink.expect("the sink starts");
    let office = office(&sink, "").await;
    office
        .tell_of_stranger("stranger", "a@acme.example", "trial")
        .await;
    let barred = office.fate("stranger", &["suppressed"]).await;
    let detail = barred["detail"].as_str().unwrap_or_default();
    assert!(detail.starts_with("no_consent: "), "{detail}");
    let message = barred["message"].as_str().expect("it has an id");
    let shown = office.product.done(&["mail", "show", message]).await;
    let shown = shown.expect("it is shown").out;
    assert!(shown.contains("no_consent: it advertises"), "{shown}");
    let (text, json) = why(&office, "stranger").await;
    assert!(
        text.contains("What did not leave:") && text.contains("suppressed, no_consent: "),
        "{text}"
    );
    assert_eq!(json["unsent"][0]["state"], "suppressed", "{json}");
    // A day begins at its midnight in Tokyo: on the 13th, at ten, the account was first heard of.
    for (at, is_known) in [
        ("2026-01-13", false),
        ("2026-01-13T00:59:59Z", false),
        ("2026-01-13T10:00:00+09:00", true),
        ("2026-01-14", true),
    ] {
        let asked = ["why", "tips", "stranger", "--at", at];
        let asked = office.product.run(&asked).await.expect("it runs");
        assert_eq!(
            asked.code == Some(0),
            is_known,
            "{at}: {}{}",
            asked.out,
            asked.err
        );
        assert_eq!(asked.err.contains("nothing was known"), !is_known, "{at}");
    }
    // What the contract asks for needs no ground.
    office
        .tell_of_stranger("payer", "a@acme.example", "paid")
        .await;
    office.fate("payer", &["sent"]).await;
    assert_eq!(sink.taken().expect("the record is read").len(), 1);
}

#[tokio::test]
async fn what_advertises_needs_a_ground_and_a_no_is_stronger() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let sink = Sink::start(SinkOptions::new(folder.path().join("record"))).await;
    let sink = sink.expect("the sink starts");
    let office = office(&sink, "").await;
    // A running contract is one, and a contract that was over for longer than the grace is none.
    office.tell("customer", "b@acme.example", "trial").await;
    office.fate("customer", &["sent"]).await;
    called_off(&office, "left-lately", "2026-01-01T09:00:00+09:00").await;
    office.fate("left-lately", &["sent"]).await;
    called_off(&office, "left-long-ago", "2025-11-01T09:00:00+09:00").await;
    office.fate("left-long-ago", &["suppressed"]).await;
    // Consent is one; a published address is not enough for the strictest.
    prove(&office, "c@acme.example", "consent").await;
    office
        .tell_of_stranger("agreed", "C@acme.example", "trial")
        .await;
    office.fate("agreed", &["sent"]).await;
    prove(&office, "d@acme.example", "published").await;
    office
        .tell_of_stranger("published", "d@acme.example", "trial")
        .await;
    office.fate("published", &["suppressed"]).await;
    // A no is stronger than consent and contract.
    let to = "e@acme.example";
    let no = ["suppress", to, "--leavable", "--reason", "by phone"];
    let said = office.product.done(&no).await;
    said.expect("it is written");
    prove(&office, to, "consent").await;
    office.tell("refuses", to, "trial").await;
    let stopped = office.fate("refuses", &["suppressed"]).await;
    let detail = stopped["detail"].as_str().unwrap_or_default();
    assert!(!detail.contains("no_consent"), "{detail}");
    let taken = sink.taken().expect("the record is read");
    let mut recipients: Vec<&str> = taken.iter().map(|mail| &*mail.recipients[0]).collect();
    recipients.sort_unstable();
    let expected = [
        "C@acme.example",
        "b@acme.example",
        "left-lately@acme.example",
    ];
    assert_eq!(recipients, expected);
}

#[tokio::test]
async fn where_no_ground_is_asked_for_whoever_has_not_refused_is_written_to() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let sink = Sink::start(SinkOptions::new(folder.path().join("record"))).await;
    let sink = sink.expect("the sink starts");
    let office = office(&sink, "jurisdiction: us\n").await;
    office
        .tell_of_stranger("stranger", "a@acme.example", "trial")
        .await;
    office.fate("stranger", &["sent"]).await;
}
