//! A CSM's day by command: what is to be done, what is late, put off, handed over and done, with what came of it.

use std::path::Path;
use std::time::Duration;

use end_to_end::{Ran, wait};
use serde_json::{Value, json};

use crate::office::{Office, fact, workspace};

const CALL: &str = "workflow: call\ntitle: Calls\nfor_each: account\ntopic: notice\nstatus: live\n\
    start:\n  when: account.plan == trial\n  existing: include\nonce_per: account\nsteps:\n  - id: ring\n    task: Ring them\n    assignee: desk\n    due: 2d\n    hours: any\n";

/// The definitions of the tests, and one workflow that asks for a call.
fn calling(folder: &Path) {
    let definitions = folder.join("workflows/definitions");
    std::fs::create_dir_all(&definitions).expect("a folder");
    for name in ["schema.yaml", "policies.yaml"] {
        let from = workspace().join("workflows/definitions").join(name);
        std::fs::copy(from, definitions.join(name)).expect("a copy");
    }
    std::fs::write(folder.join("workflows/call.yaml"), CALL).expect("the file is written");
}

async fn run(office: &Office, arguments: &[&str]) -> Ran {
    office.product.run(arguments).await.expect("it starts")
}

async fn listed(office: &Office, arguments: &[&str]) -> Vec<Value> {
    let arguments = [&["task", "list", "--output", "json"], arguments].concat();
    let ran = office.product.done(&arguments).await;
    ran.expect("tasks are listed").json_lines().expect("JSON")
}

/// Waits until the account's task is so, and gives it.
async fn task(office: &Office, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let found = wait::until(what, Duration::from_secs(30), async || {
        let all = listed(office, &["--all", "--account", "acme"]).await;
        all.into_iter().find(&is_so)
    });
    found.await.expect("it comes to that")
}

/// Tells of a CSM and of an account that is to be called; the task that comes of it.
async fn open_task(office: &Office) -> String {
    let lines = [
        fact("c9", "csm.updated", json!({"name": "Yamamoto"})),
        fact(
            "acme",
            "account.updated",
            json!({"name": "Acme", "plan": "trial"}),
        ),
    ];
    let body = lines.join("\n");
    let mut client = office.client();
    let told = client.tell("application/x-ndjson", body.as_bytes());
    assert_eq!(told.await.expect("it is answered").status, 202);
    let open = task(office, "a task is open", |task| task["state"] == "open").await;
    open["task"].as_str().expect("an id").to_owned()
}

async fn is_put_off(office: &Office, id: &str) {
    // It was due in January of 2026.
    assert_eq!(listed(office, &["--overdue"]).await.len(), 1);
    let shown = run(office, &["task", "list"]).await;
    assert!(shown.out.contains(", overdue"), "{}", shown.out);
    let later = "2100-06-01T09:00:00+09:00";
    let snoozed = run(office, &["task", "snooze", id, "--until", later]).await;
    assert_eq!(snoozed.code, Some(0), "{}", snoozed.err);
    let is_later = |task: &Value| task["due_at"] == "2100-06-01T00:00:00Z";
    task(office, "it is put off", is_later).await;
    assert!(listed(office, &["--overdue"]).await.is_empty());
}

async fn is_handed_over(office: &Office, id: &str) {
    let nobody = run(office, &["task", "reassign", id, "--to", "c0"]).await;
    assert_eq!(nobody.code, Some(3));
    assert!(nobody.err.contains("there is no CSM c0"), "{}", nobody.err);
    let handed = run(office, &["task", "reassign", id, "--to", "c9"]).await;
    assert_eq!(handed.code, Some(0), "{}", handed.err);
    task(office, "it is handed over", |task| task["csm"] == "c9").await;
    assert_eq!(listed(office, &["--assignee", "c9"]).await.len(), 1);
}

async fn is_done(office: &Office, id: &str) {
    let done = |set: &'static str| ["task", "done", id, "--outcome", "booked", "--set", set];
    let wrong = run(office, &done("account.plan=gold")).await;
    assert_eq!(wrong.code, Some(3));
    assert!(wrong.err.contains("account.plan"), "{}", wrong.err);
    let right = run(office, &done("account.plan=paid")).await;
    assert_eq!(right.code, Some(0), "{}", right.err);
    task(office, "it is done", |task| task["state"] == "done").await;
    assert!(listed(office, &[]).await.is_empty(), "nothing is open");
    let again = run(office, &["task", "done", id]).await;
    assert_eq!(again.code, Some(3));
    assert!(again.err.contains("is done already"), "{}", again.err);
}

#[tokio::test]
async fn tasks_are_listed_put_off_handed_over_and_done_by_command() {
    let folder = tempfile::tempdir().expect("a folder");
    calling(folder.path());
    let settings = "store: sottaku.db\nclock: log\nmode: captured\n";
    let office = Office::open(settings, folder.path(), &[]).await;
    let office = office.expect("the office opens");
    let id = open_task(&office).await;
    is_put_off(&office, &id).await;
    is_handed_over(&office, &id).await;
    is_done(&office, &id).await;
    let log = run(&office, &["log", "export"]).await.out;
    for words in ["\"outcome\":\"booked\"", "\"plan\":\"paid\""] {
        assert_eq!(log.matches(words).count(), 1, "{words} in {log}");
    }
}
