//! What people are asked, what they answer, and that a person can be forgotten.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use end_to_end::{Look as _, Peek, wait};
use serde_json::{Value, json};

use crate::office::{Office, fact, workspace};

const PUBLIC: &str = "http://127.0.0.1:8080";
const PATIENCE: Duration = Duration::from_secs(60);
/// Contacts that are erased.
const PEOPLE: usize = 200;

const SURVEY: &str =
    "events:\n  survey.answered: {contact: required contact, comment: text, score: number}\n";
const ASKED: &str = "workflow: asked\ntitle: Asked\ntopic: notice\nstatus: live\nstart:\n  event: survey.answered\nonce_per: occurrence\nsteps:\n  - id: ring\n    task: Ring them\n    assignee: desk\n    due: 2d\n    hours: any\n  - id: tell\n    alert: desk\n    template: said\n    hours: any\n  - id: hello\n    send: hello\n    to: started_by.contact\n    approval: {by: desk, at_most: 5d, otherwise: skip}\n    hours: any\n";
const SAID: &str = "---\nchannel: slack\n---\n{{or started_by.contact.name \"?\"}}: {{or started_by.comment \"?\"}}\n";

/// The workspace of the tests with a survey whose answers are told, ask for a call and for a mail.
fn surveyed(folder: &Path) {
    let copy = |from: &Path| {
        for entry in std::fs::read_dir(workspace().join(from)).expect("the workspace") {
            let entry = entry.expect("an entry");
            if entry.path().is_file() {
                let to = folder.join(from);
                std::fs::create_dir_all(&to).expect("a folder");
                std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
            }
        }
    };
    for part in ["workflows", "workflows/definitions", "templates"] {
        copy(Path::new(part));
    }
    for (file, text) in [
        ("workflows/definitions/survey.yaml", SURVEY),
        ("workflows/asked.yaml", ASKED),
        ("templates/said.en.hbs", SAID),
    ] {
        std::fs::write(folder.join(file), text).expect("the file is written");
    }
}

async fn office() -> (Office, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    surveyed(folder.path());
    let settings = format!("store: sottaku.db\nclock: log\nmode: captured\npublic_url: {PUBLIC}\n");
    let opened = Office::open(&settings, folder.path(), &[]).await;
    (opened.expect("the office opens"), folder)
}

async fn tell(office: &Office, lines: &[String]) {
    let told = office
        .client()
        .tell("application/x-ndjson", lines.join("\n").as_bytes())
        .await
        .expect("it is answered");
    assert_eq!(told.status, 202, "{}", told.body);
}

/// Waits until the log is decided and nothing is under way.
async fn quiet(office: &Office) {
    let peek = Peek::open(&office.folder.path().join("sottaku.db")).await;
    let peek = peek.expect("the store is there");
    let quiet = wait::until("everything is decided", PATIENCE, async || {
        let reached = peek.logs().await.ok()?;
        let is_read = reached.iter().all(|shard| shard.position == shard.end);
        (is_read && peek.unsettled().await.ok()? == 0).then_some(())
    });
    quiet.await.expect("it becomes quiet");
}

async fn tasks(office: &Office, query: &str) -> Vec<Value> {
    let answer = office.client().get(&format!("/v1/tasks{query}")).await;
    let answer = answer.expect("it is answered");
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["tasks"].as_array().expect("tasks").clone()
}

fn person(account: &str, number: usize, canary: &str) -> [String; 2] {
    let contact = format!("p-{number}");
    let named = |id: &str, kind: &str, data: Value| {
        let mut whole: Value = serde_json::from_str(&fact(account, kind, data)).expect("a fact");
        whole["id"] = json!(format!("{account}-{number}-{id}"));
        whole.to_string()
    };
    [
        named(
            "1",
            "contact.updated",
            json!({"contact": contact, "name": format!("Name {canary}"), "email": format!("{canary}@acme.example"), "role": "user"}),
        ),
        named(
            "2",
            "survey.answered",
            json!({"contact": format!("{canary}@acme.example"), "comment": format!("I am {canary}, and it is slow"), "score": 3}),
        ),
    ]
}

async fn post(office: &Office, path: &str, body: &[u8]) -> (u16, String) {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = office
        .client()
        .ask(&format!("POST {path}"), &headers, body)
        .await;
    let answer = answer.expect("it is answered");
    (answer.status, answer.body)
}

async fn task_is_done_over_http(office: &Office, call: &str) {
    let (status, body) = post(office, &format!("/v1/tasks/{call}/approve"), b"").await;
    assert_eq!(status, 409, "{body}");
    let (status, body) = post(office, "/v1/tasks/t_nothing/done", b"").await;
    assert_eq!(status, 404, "{body}");
    let (status, body) = post(
        office,
        &format!("/v1/tasks/{call}/done"),
        br#"{"outcome":"booked","set":{"account.plan":"gold"}}"#,
    )
    .await;
    assert_eq!(status, 400, "{body}");
    let (status, body) = post(
        office,
        &format!("/v1/tasks/{call}/done"),
        br#"{"outcome":"booked","set":{"account.plan":"lost"}}"#,
    )
    .await;
    assert_eq!(status, 202, "{body}");
}

/// The question holds the link.
async fn path_of_the_link(office: &Office) -> String {
    let asked = office.mails("acme").await;
    let asked = asked.iter().find(|mail| {
        mail["says"]
            .as_str()
            .is_some_and(|says| says.starts_with("approve"))
    });
    let asked = asked.expect("it was asked")["message"]
        .as_str()
        .expect("an id")
        .to_owned();
    let shown = office
        .product
        .done(&["mail", "show", &asked])
        .await
        .expect("it is shown");
    let begin = shown
        .out
        .find(&format!("{PUBLIC}/a/"))
        .unwrap_or_else(|| panic!("{}", shown.out));
    shown.out[begin + PUBLIC.len()..]
        .chars()
        .take_while(|letter| letter.is_ascii_alphanumeric() || "/_-".contains(*letter))
        .collect()
}

async fn looking_answers_nothing(office: &Office, path: &str) {
    for _ in 0..20 {
        let page = office.client().get(path).await.expect("it is answered");
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(page.body.contains("Dear Name canary-one"), "{}", page.body);
        assert!(page.body.contains("value=\"reject\""), "{}", page.body);
        assert!(page.body.contains("<strong>Acme</strong>"), "{}", page.body);
    }
    quiet(office).await;
    assert_eq!(
        tasks(office, "?account=acme").await.len(),
        1,
        "looking answers nothing"
    );
}

#[tokio::test]
async fn tasks_are_answered_over_http_and_approvals_by_their_link() {
    let (office, _folder) = office().await;
    let account = fact("acme", "account.updated", json!({"name": "Acme"}));
    let [contact, survey] = person("acme", 1, "canary-one");
    tell(&office, &[account, contact, survey]).await;
    quiet(&office).await;
    let open = tasks(&office, "?account=acme").await;
    let of = |kind: &str| {
        let found = open.iter().find(|task| task["kind"] == kind);
        let found = found.unwrap_or_else(|| panic!("no {kind} in {open:?}"));
        found["task"].as_str().expect("an id").to_owned()
    };
    let (call, approval) = (of("do"), of("approve"));
    task_is_done_over_http(&office, &call).await;
    let path = path_of_the_link(&office).await;
    looking_answers_nothing(&office, &path).await;
    let forged = format!("{}A", &path[..path.len() - 1]);
    let forged = if forged == path {
        format!("{}B", &path[..path.len() - 1])
    } else {
        forged
    };
    assert_eq!(post(&office, &forged, b"answer=approve").await.0, 404);
    assert_eq!(post(&office, &path, b"answer=perhaps").await.0, 400);
    assert_eq!(post(&office, &path, b"answer=approve").await.0, 200);
    quiet(&office).await;
    let all = tasks(&office, "?account=acme&state=all").await;
    let state = |id: &str| {
        all.iter()
            .find(|task| task["task"] == id)
            .map(|task| task["state"].clone())
    };
    assert_eq!(state(&approval), Some(json!("approved")));
    assert_eq!(state(&call), Some(json!("done")));
    let sent = office.mails("acme").await;
    assert!(
        sent.iter()
            .any(|mail| mail["to"] == "canary-one@acme.example"),
        "{sent:?}"
    );
    let csv = office
        .product
        .done(&["export", "tasks"])
        .await
        .expect("it is exported");
    assert!(csv.out.starts_with("task,account,workflow,"), "{}", csv.out);
    assert_eq!(csv.out.matches("\r\n").count(), 3, "{}", csv.out);
}

fn holds_canary(path: &Path) -> bool {
    let bytes = std::fs::read(path).unwrap_or_default();
    bytes
        .windows(7)
        .any(|window| window.eq_ignore_ascii_case(b"canaria"))
}

fn files_with_canaries(folder: &Path) -> String {
    let mut left = String::new();
    for file in std::fs::read_dir(folder).expect("the folder") {
        let path = file.expect("a file").path();
        if path.is_file() && holds_canary(&path) {
            writeln!(left, "{}", path.display()).expect("text");
        }
    }
    left
}

#[tokio::test]
async fn two_hundred_people_are_forgotten_to_the_last_byte() {
    let (office, _folder) = office().await;
    let mut lines = vec![fact("acme", "account.updated", json!({"name": "Acme"}))];
    let canary = |number: usize| format!("canaria{number:03}x");
    for number in 0..PEOPLE {
        lines.extend(person("acme", number, &canary(number)));
    }
    // Put aside, and not taken.
    lines.push(fact(
        "acme",
        "survey.answered",
        json!({"contact": "p-1", "comment": 5, "unknown": format!("about {}", canary(1))}),
    ));
    lines.push(format!(r#"{{"specversion":"1.0","id":"x","source":"test","type":"user.logged_in","subject":"","data":{{"user":"{}@acme.example"}}}}"#, canary(2)));
    tell(&office, &lines).await;
    quiet(&office).await;
    let store = office.folder.path().join("sottaku.db");
    let wal = office.folder.path().join("sottaku.db-wal");
    assert!(
        holds_canary(&store) || holds_canary(&wal),
        "they are in before"
    );
    for number in 0..PEOPLE {
        let address = format!("{}@acme.example", canary(number));
        let ran = office
            .product
            .run(&["erase", "address", &address, "--yes"])
            .await;
        let ran = ran.expect("it starts");
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        assert!(!ran.err.contains(&canary(number)), "{}", ran.err);
    }
    quiet(&office).await;
    let metrics = office
        .client()
        .get("/metrics")
        .await
        .expect("it is answered")
        .body;
    assert!(!metrics.contains("canaria"));
    let left = files_with_canaries(office.folder.path());
    assert_eq!(
        left, "",
        "they are in none of the files, the server's log among them"
    );
    // The store is sound, goes on deciding, and nothing leaves to them.
    office
        .product
        .done(&["journal", "--verify"])
        .await
        .expect("the chain holds");
    let [contact, survey] = person("acme", 1, "canary-new");
    tell(
        &office,
        &[
            contact.replace("acme-1-", "acme-again-"),
            survey.replace("acme-1-", "acme-again-"),
        ],
    )
    .await;
    quiet(&office).await;
    assert!(
        !tasks(&office, "?account=acme").await.is_empty(),
        "it goes on"
    );
}
