//! A commit that the database refuses leaves nothing behind in memory: its facts are decided again from what was
//! committed before.

use std::time::Duration;

use end_to_end::{Peek, wait};

use crate::office::{Office, workspace};

const TIME_MAX: Duration = Duration::from_secs(60);
const SETTINGS: &str = "store: sottaku.db\nclock: log\nmode: captured\n";

/// How many commits were refused.
async fn refused(office: &Office) -> Option<u64> {
    let told = office.client().get("/metrics").await.ok()?.body;
    let mut lines = told.lines();
    let line = "sottaku_commits_total{outcome=\"refused\"} ";
    lines.find_map(|told| told.strip_prefix(line)?.parse().ok())
}

#[tokio::test]
async fn what_a_refused_commit_decided_is_forgotten_and_decided_again() {
    let office = Office::open(SETTINGS, &workspace(), &[]).await;
    let office = office.expect("the office opens");
    let peek = Peek::open(&office.folder.path().join("sottaku.db")).await;
    let peek = peek.expect("there is a store");
    peek.refuse_records().await.expect("it is told so");
    let told = office.tell("acme", "mika@acme.example", "paid").await;
    assert_eq!(told.status, 202, "the log takes it: {}", told.body);
    wait::until("a commit is refused", TIME_MAX, async || {
        refused(&office).await.filter(|count| *count > 0)
    })
    .await
    .expect("it is tried");
    assert!(office.mails("acme").await.is_empty(), "nothing is decided");
    peek.take_records().await.expect("it is told so");
    office.fate("acme", &["captured", "sent"]).await;
    let log = office.product.done(&["log", "export"]).await;
    let file = office.folder.path().join("log.ndjson");
    std::fs::write(&file, log.expect("it is exported").out).expect("a file is written");
    let (file, from) = (
        file.display().to_string(),
        workspace().display().to_string(),
    );
    let simulate = ["simulate", &*from, "--events", &*file, "--output", "json"];
    let simulated = office.product.run(&simulate).await.expect("it runs");
    let journal = office.product.done(&["journal", "--output", "json"]).await;
    let journal = journal.expect("it is read");
    assert!(journal.out.lines().count() > 2, "{}", journal.out);
    assert_eq!(
        journal.out, simulated.out,
        "the journal is what simulate says"
    );
}
