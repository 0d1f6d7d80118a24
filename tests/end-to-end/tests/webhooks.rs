//! Webhooks out: signed as the standard has it (its own library says so), made again until they are taken, an account's
//! calls in order; and Slack as a bot, with buttons that answer; and Teams.

use std::path::{Path, PathBuf};
use std::time::Duration;

use end_to_end::slack::Posted;
use end_to_end::{Failure, Slack, SlackReply};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::office::{Office, fact};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// The workspace of the tests with other policies and one workflow.
pub(crate) fn workspace(policies: &str, steps: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let definitions = folder.path().join("workflows/definitions");
    std::fs::create_dir_all(&definitions).expect("a folder");
    let from = crate::office::workspace().join("workflows/definitions");
    let read = |name: &str| std::fs::read_to_string(from.join(name)).expect("it is there");
    let usual = read("policies.yaml");
    let usual = usual.split("routes:").next().unwrap_or_default();
    let write = |path: PathBuf, text: &str| std::fs::write(path, text).expect("it is written");
    write(definitions.join("schema.yaml"), &read("schema.yaml"));
    write(
        definitions.join("policies.yaml"),
        &format!("{usual}{policies}"),
    );
    let workflow = format!(
        "workflow: lost\ntitle: What others must know\nfor_each: account\ntopic: notice\nstatus: live\n\
         start:\n  when: account.plan == lost\n  existing: include\nonce_per: account\nsteps:\n{steps}"
    );
    write(folder.path().join("workflows/lost.yaml"), &workflow);
    folder
}

pub(crate) async fn open(slack: &Slack, workspace: &TempDir, more: &str) -> Office {
    let settings = format!(
        "store: sottaku.db\nclock: log\nmode: smtp\nfrom_domain: vendor.example\n\
         smtp: {{host: 127.0.0.1, port: 9, tls: required}}\nlimits: {{retry_wait_max: 1s}}\n\
         egress: {{allow: ['{}']}}\n{more}",
        slack.allowed()
    );
    let variables = [
        ("HOOK", SECRET),
        ("OLD_HOOK", OLD_SECRET),
        ("BOT", "xoxb-test"),
        ("SIGNING", "signing-secret"),
        ("TEAM", &slack.url()),
    ];
    let opened = Office::open(&settings, workspace.path(), &variables).await;
    opened.expect("the office opens")
}

pub(crate) async fn tell(office: &Office, account: &str, name: &str) {
    let lost = fact(
        account,
        "account.updated",
        json!({"name": name, "plan": "lost"}),
    );
    let mut client = office.client();
    let told = client.tell("application/cloudevents+json", lost.as_bytes());
    assert_eq!(told.await.expect("the server answers").status, 202);
}

/// The Python of the tests' own environment, with the standard's library in it; `tests/run` makes it.
pub(crate) fn python() -> PathBuf {
    let beside = Path::new(env!("CARGO_BIN_EXE_mail-sink"));
    let target = beside.ancestors().nth(2).expect("a target folder");
    target.join("python/bin/python")
}

/// Has the standard's own library look at each call, with each of the secrets.
fn verify(calls: &[Posted], secret: &str) -> Result<(), Failure> {
    let script = "import json, sys\n\
        from standardwebhooks.webhooks import Webhook, WebhookVerificationError\n\
        calls, secret = json.load(sys.stdin)\n\
        for body, headers in calls:\n\
        \x20   Webhook(secret).verify(body, headers)\n\
        \x20   try:\n\
        \x20       Webhook(secret).verify(body + ' ', headers)\n\
        \x20   except WebhookVerificationError:\n\
        \x20       continue\n\
        \x20   sys.exit('a changed body was taken')\n";
    let calls: Vec<_> = calls
        .iter()
        .map(|call| (&call.text, &call.headers))
        .collect();
    let mut child = std::process::Command::new(python())
        .args(["-c", script])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .map_err(Failure::io(
            "starting the tests' Python; `tests/run` installs it",
        ))?;
    let input = child.stdin.take().expect("it is piped");
    serde_json::to_writer(input, &(calls, secret)).expect("it is written");
    let ended = child.wait().map_err(Failure::io("waiting for Python"))?;
    assert!(ended.success(), "the standard's library refuses a call");
    Ok(())
}

#[tokio::test]
async fn calls_are_signed_made_again_and_kept_in_order() {
    let replies = [
        SlackReply::new(500, "no"),
        SlackReply::too_many(1),
        SlackReply::new(204, ""),
    ];
    let slack = Slack::start(replies).await.expect("the endpoint starts");
    let url = slack.url();
    let workspace = workspace(
        &format!("webhooks:\n  crm: {{url: '{url}', secret: CRM_HOOK}}\n"),
        "  - id: first\n    webhook: crm\n    body: {name: account.name, plan: account.plan}\n  - id: second\n    webhook: crm\n    body: {plan: account.plan}\n",
    );
    let settings = "webhooks: {crm: {secret: '${env:HOOK}', previous_secret: '${env:OLD_HOOK}', ordered: true}}\n";
    let office = open(&slack, &workspace, settings).await;
    tell(&office, "acme", "株式会社 <大地>").await;
    let calls = slack.posted_once_there_are(4).await.expect("they come");
    let ids: Vec<&str> = calls
        .iter()
        .map(|call| &*call.headers["webhook-id"])
        .collect();
    assert!(
        ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3],
        "{ids:?}"
    );
    assert_eq!(
        calls[2].body,
        json!({"name": "株式会社 <大地>", "plan": "lost"})
    );
    assert_eq!(calls[3].body, json!({"plan": "lost"}));
    for secret in [SECRET, OLD_SECRET] {
        verify(&calls, secret).expect("Python looks at them");
    }
    let sent = end_to_end::wait::until("both are sent", Duration::from_secs(30), async || {
        let mails = office.mails("acme").await;
        let is_sent = |mail: &Value| mail["state"] == "sent";
        (mails.len() == 2 && mails.iter().all(is_sent)).then_some(())
    });
    sent.await.expect("both are sent");
}

#[tokio::test]
async fn who_is_gone_is_called_again_only_when_somebody_says_so() {
    let slack = Slack::start([SlackReply::new(410, "gone")])
        .await
        .expect("it starts");
    let url = slack.url();
    let workspace = workspace(
        &format!("webhooks:\n  crm: {{url: '{url}'}}\n"),
        "  - id: first\n    webhook: crm\n    body: {plan: account.plan}\n",
    );
    let office = open(&slack, &workspace, "").await;
    tell(&office, "acme", "Acme").await;
    let mail = office.fate("acme", &["deferred"]).await;
    assert!(
        mail["detail"].as_str().unwrap_or_default().contains("410"),
        "{mail}"
    );
    let listed = office
        .product
        .done(&["webhook", "list"])
        .await
        .expect("it lists");
    assert!(listed.out.contains("gone"), "{}", listed.out);
    tell(&office, "beta", "Beta").await;
    office.fate("beta", &["deferred"]).await;
    assert_eq!(slack.posted().len(), 1, "nobody is called who is gone");
    office
        .product
        .done(&["webhook", "enable", "crm"])
        .await
        .expect("it is enabled");
    // What waits is looked at again in its own time; a new one goes at once.
    tell(&office, "gamma", "Gamma").await;
    office.fate("gamma", &["sent"]).await;
}

#[tokio::test]
async fn who_fails_again_and_again_is_left_alone_and_health_says_so() {
    let slack = Slack::start((0..5).map(|_| SlackReply::new(500, "no"))).await;
    let slack = slack.expect("it starts");
    let workspace = workspace(
        &format!("webhooks:\n  crm: {{url: '{}'}}\n", slack.url()),
        "  - id: first\n    webhook: crm\n",
    );
    let office = open(&slack, &workspace, "").await;
    let health = async || {
        let answer = office.client().get("/healthz").await;
        answer.expect("it is answered")
    };
    let note = "webhook crm fails again and again; it is left alone until";
    for number in 0..5 {
        assert!(!health().await.body.contains(note));
        let account = format!("acme-{number}");
        tell(&office, &account, "Acme").await;
        office.fate(&account, &["deferred"]).await;
    }
    let after = health().await;
    assert!(
        after.status == 200 && after.body.contains(note),
        "{}",
        after.body
    );
    tell(&office, "beta", "Beta").await;
    let waits = office.fate("beta", &["deferred"]).await;
    assert_eq!(
        waits["detail"],
        "webhook crm fails; it is left alone for a while"
    );
    assert_eq!(slack.posted().len(), 5, "nobody calls it meanwhile");
}

fn hmac(text: &str) -> String {
    let script = "import hmac, sys\n\
        print(hmac.new(b'signing-secret', sys.argv[1].encode(), 'sha256').hexdigest())\n";
    let ran = std::process::Command::new(python())
        .args(["-c", script, text])
        .output()
        .expect("Python runs");
    String::from_utf8_lossy(&ran.stdout).trim().to_owned()
}

#[tokio::test]
async fn a_bot_posts_in_threads_and_its_buttons_answer() {
    let slack = Slack::start([]).await.expect("the endpoint starts");
    let workspace = workspace(
        "routes:\n  desk: {channel: '#desk'}\n  lead: {slack: U0LEAD0001}\n  team: {teams: success}\n",
        "  - id: tell\n    alert: desk\n    text: A customer was lost.\n  - id: call\n    task: Call them\n    assignee: desk\n  - id: card\n    alert: team\n    text: A card.\n",
    );
    let settings = format!(
        "slack: {{bot_token: '${{env:BOT}}', signing_secret: '${{env:SIGNING}}', api: '{}'}}\nteams: {{channels: {{success: '${{env:TEAM}}'}}}}\n",
        slack.api()
    );
    let office = open(&slack, &workspace, &settings).await;
    tell(&office, "acme", "Acme Ltd").await;
    let posted = slack.posted_once_there_are(3).await.expect("they come");
    let on =
        |path: &str| -> Vec<&Posted> { posted.iter().filter(|post| post.path == path).collect() };
    let posts = on("/api/chat.postMessage");
    assert_eq!(posts.len(), 2, "{posted:?}");
    assert!(
        posts
            .iter()
            .all(|post| post.headers["authorization"] == "Bearer xoxb-test")
    );
    let card = on("/services/T0/B0/secret")[0].body.to_string();
    assert!(
        card.contains("A card.") && card.contains("AdaptiveCard"),
        "{card}"
    );
    let with_button = posts.iter().find(|post| post.text.contains("sottaku.done"));
    let with_button = with_button.expect("the task has buttons");
    let said = with_button.body["text"].as_str().unwrap_or_default();
    assert!(
        said.starts_with("*Acme Ltd* "),
        "the account by its name: {said}"
    );
    let threads = posts
        .iter()
        .filter(|post| post.body["thread_ts"].is_string());
    assert_eq!(threads.count(), 1, "the second post hangs on the first");
    let log = pressing_answers(&office, &with_button.body).await;
    the_post_says_who_answered(&slack).await;
    let again = office.product.done(&["log", "export"]).await;
    assert_eq!(again.expect("the log is told").out, log);
}

/// Each button of a task's post is pressed; the log afterwards.
async fn pressing_answers(office: &Office, post: &Value) -> String {
    let blocks = post["blocks"].as_array().expect("blocks");
    let task = &blocks.last().expect("a last block")["elements"][0]["value"];
    let snooze = json!({"action_id": "sottaku.snooze", "value": task});
    assert_eq!(press(office, snooze, post).await, "200");
    // Nobody is known to be this person, so it stays where it is.
    let block = &blocks.last().expect("a last block")["block_id"];
    let hand_over =
        json!({"action_id": "sottaku.reassign", "block_id": block, "selected_user": "U0NOBODY1"});
    assert_eq!(press(office, hand_over, post).await, "200");
    let is_put_off = |line: &Value| line["state"] == "open" && line["due_at"].is_string();
    until_a_task("the task is put off", office, is_put_off).await;
    let done = json!({"action_id": "sottaku.done", "value": task});
    assert_eq!(press(office, done.clone(), post).await, "200");
    until_a_task("the task is done", office, |line| line["state"] == "done").await;
    let log = office.product.done(&["log", "export"]).await;
    let log = log.expect("the log is told").out;
    for words in ["\"outcome\":\"booked\"", "\"by\":\"slack:U0PRESS01\""] {
        assert!(log.contains(words), "{words} in {log}");
    }
    // Pressed again it changes nothing.
    assert_eq!(press(office, done, post).await, "200");
    log
}

/// Three posts, and four changes of one of them.
async fn the_post_says_who_answered(slack: &Slack) {
    let changed = slack.posted_once_there_are(7).await;
    let changed = changed.expect("the post is changed each time");
    let updates = changed
        .iter()
        .filter(|post| post.path == "/api/chat.update");
    let updates: Vec<String> = updates.map(|post| post.body.to_string()).collect();
    for words in [
        "Put off",
        "is no CSM here",
        "Done (booked): <@U0PRESS01>",
        "Already done",
    ] {
        let times = updates.iter().filter(|update| update.contains(words));
        assert_eq!(times.count(), 1, "{words} in {updates:?}");
    }
    let with_buttons = updates.iter().filter(|post| post.contains("sottaku.done"));
    assert_eq!(with_buttons.count(), 1, "what was not taken keeps them");
}

pub(crate) async fn until_a_task(what: &str, office: &Office, is_so: impl Fn(&Value) -> bool) {
    let found = end_to_end::wait::until(what, Duration::from_secs(30), async || {
        let listed = ["task", "list", "--all", "--output", "json"];
        let lines = office.product.done(&listed).await.ok()?.json_lines().ok()?;
        lines.iter().any(&is_so).then_some(())
    });
    found.await.expect("the button was heard");
}

/// Presses a button as Slack would: once unsigned, which is refused, once signed; the answer's status.
pub(crate) async fn press(office: &Office, action: Value, post: &Value) -> String {
    let payload = json!({
        "type": "block_actions", "user": {"id": "U0PRESS01"}, "channel": {"id": "C1"},
        "message": {"ts": "1700000000.000001", "text": "x", "blocks": post["blocks"]},
        "state": {"values": {"sottaku.outcome": {"sottaku.outcome": {"type": "plain_text_input", "value": "booked"}}}},
        "actions": [action],
    });
    let body = format!("payload={}", escaped(&payload.to_string()));
    let (refused, _) = as_slack(office, "/slack/actions", &body, false);
    assert_eq!(refused, "401");
    as_slack(office, "/slack/actions", &body, true).0
}

/// Posts a form as Slack does, signed rightly or not; the status and what is answered.
pub(crate) fn as_slack(
    office: &Office,
    path: &str,
    body: &str,
    is_signed: bool,
) -> (String, String) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.expect("after 1970").as_secs().to_string();
    let signature = if is_signed {
        hmac(&format!("v0:{now}:{body}"))
    } else {
        "0".repeat(64)
    };
    let url = format!("http://{}{path}", office.server.address());
    let ran = std::process::Command::new("curl")
        .args(["-s", "-w", "\n%{http_code}", "--data-binary", body])
        .args(["-H", &format!("x-slack-request-timestamp: {now}")])
        .args(["-H", &format!("x-slack-signature: v0={signature}"), &url])
        .output();
    let said = String::from_utf8_lossy(&ran.expect("curl runs").stdout).into_owned();
    let (answer, status) = said.rsplit_once('\n').expect("a status");
    (status.to_owned(), answer.to_owned())
}

pub(crate) fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
