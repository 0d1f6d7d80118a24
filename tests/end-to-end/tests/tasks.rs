//! A CSM's day by command, over HTTP and in Slack: what is to be done, what is late, put off, handed over and done, with what
//! came of it.

use std::path::Path;
use std::time::Duration;

use end_to_end::{Ran, wait};
use serde_json::{Value, json};

use crate::office::{Office, fact, workspace};
use crate::webhooks::as_slack;

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

async fn office() -> (Office, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    calling(folder.path());
    let settings = "store: sottaku.db\nclock: log\nmode: captured\n";
    let office = Office::open(settings, folder.path(), &[]).await;
    (office.expect("the office opens"), folder)
}

#[tokio::test]
async fn tasks_are_listed_put_off_handed_over_and_done_by_command() {
    let (office, _folder) = office().await;
    let id = open_task(&office).await;
    is_put_off(&office, &id).await;
    is_handed_over(&office, &id).await;
    is_done(&office, &id).await;
    let log = run(&office, &["log", "export"]).await.out;
    for words in ["\"outcome\":\"booked\"", "\"plan\":\"paid\""] {
        assert_eq!(log.matches(words).count(), 1, "{words} in {log}");
    }
}

/// The ids of the tasks that are listed over HTTP.
async fn over_http(office: &Office, query: &str) -> Vec<Value> {
    let answer = office.client().get(&format!("/v1/tasks{query}")).await;
    let answer = answer.expect("it is answered");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let tasks = answer.json()["tasks"].as_array().cloned();
    tasks.unwrap_or_default()
}

/// Answers a task over HTTP.
async fn say(office: &Office, task: &str, verb: &str, body: Value) -> u16 {
    let headers = [("content-type", "application/json")];
    let path = format!("POST /v1/tasks/{task}/{verb}");
    let body = body.to_string().into_bytes();
    let answer = office.client().ask(&path, &headers, &body).await;
    answer.expect("it is answered").status
}

#[tokio::test]
async fn tasks_are_listed_put_off_handed_over_and_done_over_http() {
    let (office, _folder) = office().await;
    let id = open_task(&office).await;
    for query in ["", "?overdue=true", "?account=acme&assignee=desk"] {
        let listed = over_http(&office, query).await;
        assert_eq!(listed.len(), 1, "{query}: {listed:?}");
        assert_eq!(listed[0]["task"], *id);
    }
    let later = json!({"until": "2100-06-01T09:00:00+09:00"});
    for (wrong, body) in [
        ("snooze", json!({"until": "soon"})),
        ("snooze", json!({"to": "c9"})),
        ("reassign", json!({"to": "c0"})),
    ] {
        assert_eq!(say(&office, &id, wrong, body).await, 400, "{wrong}");
    }
    assert_eq!(say(&office, &id, "snooze", later).await, 202);
    let is_later = |task: &Value| task["due_at"] == "2100-06-01T00:00:00Z";
    task(&office, "it is put off", is_later).await;
    assert!(over_http(&office, "?overdue=true").await.is_empty());
    let handed = json!({"to": "c9", "by": "the desk"});
    assert_eq!(say(&office, &id, "reassign", handed).await, 202);
    task(&office, "it is handed over", |task| task["csm"] == "c9").await;
    assert_eq!(over_http(&office, "?assignee=c9").await.len(), 1);
    let done = json!({"outcome": "booked", "set": {"account.plan": "paid"}});
    assert_eq!(say(&office, &id, "done", done.clone()).await, 202);
    task(&office, "it is done", |task| task["state"] == "done").await;
    assert!(over_http(&office, "").await.is_empty(), "nothing is open");
    assert_eq!(over_http(&office, "?state=done").await.len(), 1);
    assert_eq!(say(&office, &id, "done", done).await, 409);
    let log = run(&office, &["log", "export"]).await.out;
    for words in ["\"outcome\":\"booked\"", "\"plan\":\"paid\""] {
        assert_eq!(log.matches(words).count(), 1, "{words} in {log}");
    }
}

/// What a slash command of the person answers to them.
fn asked_in_slack(office: &Office, user: &str, words: &str) -> String {
    let body = format!("command=%2Ftodo&user_id={user}&text={words}");
    let (status, _) = as_slack(office, "/slack/commands", &body, false);
    assert_eq!(status, "401", "not signed by Slack");
    let (status, answer) = as_slack(office, "/slack/commands", &body, true);
    assert_eq!(status, "200", "{answer}");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(answer["response_type"], "ephemeral", "nobody else sees it");
    answer["text"].as_str().expect("a text").to_owned()
}

/// An office that Slack may ask, and a CSM known there.
async fn office_in_slack() -> (Office, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    calling(folder.path());
    let schema = folder.path().join("workflows/definitions/schema.yaml");
    let text = std::fs::read_to_string(&schema).expect("it is there");
    let text = text.replace("  csm:\n", "  csm:\n    slack: text\n");
    std::fs::write(schema, text).expect("it is written");
    let settings = "store: sottaku.db\nclock: log\nmode: captured\nslack: {signing_secret: '${env:SIGNING}'}\n";
    let variables = [("SIGNING", "signing-secret")];
    let office = Office::open(settings, folder.path(), &variables).await;
    let office = office.expect("the office opens");
    let csm = json!({"name": "Sato", "slack": "U0SATO0001"});
    let csm = fact("c8", "csm.updated", csm);
    let mut client = office.client();
    let told = client.tell("application/cloudevents+json", csm.as_bytes());
    assert_eq!(told.await.expect("it is answered").status, 202);
    (office, folder)
}

#[tokio::test]
async fn in_slack_a_csm_sees_what_they_have_to_do_and_what_is_late() {
    let (office, _folder) = office_in_slack().await;
    let id = open_task(&office).await;
    let stranger = asked_in_slack(&office, "U0NOBODY1", "");
    assert!(stranger.contains("of no CSM"), "{stranger}");
    assert_eq!(
        asked_in_slack(&office, "U0SATO0001", ""),
        "There is nothing to do."
    );
    let handed = run(&office, &["task", "reassign", &id, "--to", "c8"]).await;
    assert_eq!(handed.code, Some(0), "{}", handed.err);
    task(&office, "it is handed over", |task| task["csm"] == "c8").await;
    for words in ["", "tasks", "overdue"] {
        let said = asked_in_slack(&office, "U0SATO0001", words);
        assert!(
            said.starts_with(&format!("• *acme* Ring them (`{id}`), due <!date^")),
            "{said}"
        );
        assert!(said.ends_with(" *overdue*"), "{said}");
    }
    let later = [
        "task",
        "snooze",
        &id,
        "--until",
        "2100-06-01T09:00:00+09:00",
    ];
    assert_eq!(run(&office, &later).await.code, Some(0));
    task(&office, "it is put off", |task| {
        task["due_at"] == "2100-06-01T00:00:00Z"
    })
    .await;
    let said = asked_in_slack(&office, "U0SATO0001", "");
    assert!(
        said.contains("Ring them") && !said.contains("overdue"),
        "{said}"
    );
    assert_eq!(
        asked_in_slack(&office, "U0SATO0001", "overdue"),
        "There is nothing to do."
    );
    let usage = asked_in_slack(&office, "U0SATO0001", "dance");
    assert!(usage.contains("`overdue`"), "{usage}");
}

#[tokio::test]
async fn in_slack_a_csm_says_that_a_task_is_done_and_what_is_known_now() {
    let (office, _folder) = office_in_slack().await;
    let id = open_task(&office).await;
    let unknown = asked_in_slack(&office, "U0SATO0001", "done+t-none");
    assert!(unknown.contains("no task t-none"), "{unknown}");
    let wrong = asked_in_slack(
        &office,
        "U0SATO0001",
        &format!("done+{id}+account.plan%3Dgold"),
    );
    assert!(wrong.starts_with("Not taken: "), "{wrong}");
    let done = format!("done+{id}+they+stay+%26amp%3B+grow+account.plan%3Dpaid");
    assert_eq!(
        asked_in_slack(&office, "U0SATO0001", &done),
        "Done: Ring them"
    );
    let is_done = |task: &Value| task["state"] == "done";
    task(&office, "it is done", is_done).await;
    let log = run(&office, &["log", "export"]).await.out;
    for words in [
        "\"outcome\":\"they stay & grow\"",
        "\"by\":\"slack:U0SATO0001\"",
        "\"plan\":\"paid\"",
    ] {
        assert_eq!(log.matches(words).count(), 1, "{words} in {log}");
    }
    let again = asked_in_slack(&office, "U0SATO0001", &done);
    assert!(again.contains("is done already"), "{again}");
}
