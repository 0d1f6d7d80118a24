//! Alerts leave over Slack's incoming webhooks: each is posted once, at the channel's pace, waits when Slack says so, and
//! goes to the route's next target where no channel is configured.

use std::path::Path;
use std::time::{Duration, Instant};

use end_to_end::{Slack, SlackReply};
use serde_json::{Value, json};

use crate::office::{Office, fact, workspace};
use crate::returns::copy;

/// Only `#desk` has a webhook.
async fn office(slack: &Slack) -> Office {
    office_at(&slack.allowed(), &slack.url()).await
}

async fn office_at(allowed: &str, url: &str) -> Office {
    office_of(&workspace(), allowed, url).await
}

async fn office_of(workspace: &Path, allowed: &str, url: &str) -> Office {
    let settings = "store: sottaku.db\nclock: log\nmode: smtp\nfrom_domain: vendor.example\n\
         smtp: {host: 127.0.0.1, port: 9, tls: required}\nlimits: {retry_wait_max: 2s}\n\
         egress: {allow: [ALLOWED]}\nslack: {channels: {'#desk': '${env:DESK}'}}\n";
    let settings = settings.replace("ALLOWED", allowed);
    let opened = Office::open(&settings, workspace, &[("DESK", url)]).await;
    opened.expect("the office opens")
}

async fn lose(office: &Office, account: &str) {
    let lost = fact(
        account,
        "account.updated",
        json!({"name": "Acme <&> Co", "plan": "lost"}),
    );
    let mut client = office.client();
    let told = client.tell("application/cloudevents+json", lost.as_bytes());
    assert_eq!(told.await.expect("the server answers").status, 202);
}

async fn states(office: &Office, account: &str) -> Vec<String> {
    let mails = office.mails(account).await;
    let state = |mail: &Value| mail["state"].as_str().unwrap_or_default().to_owned();
    mails.iter().map(state).collect()
}

#[tokio::test]
async fn alerts_are_posted_once_each_and_wait_when_slack_says_so() {
    let replies = [
        SlackReply::too_many(1),
        SlackReply::new(200, "ok"),
        SlackReply::new(500, "later"),
    ];
    let slack = Slack::start(replies).await.expect("the endpoint starts");
    let office = office(&slack).await;
    let began = Instant::now();
    lose(&office, "acme").await;
    // Two alerts, a 429 and a 500: four posts in all.
    let posted = slack.posted_once_there_are(4).await.expect("they come");
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "Retry-After was not waited for"
    );
    let bodies: Vec<String> = posted.iter().map(|post| post.body.to_string()).collect();
    let with = |words: &str| bodies.iter().filter(|body| body.contains(words)).count();
    assert!(with("Acme &lt;&amp;&gt; Co") >= 1, "{bodies:?}");
    assert!(with("A customer was lost.") >= 1, "{bodies:?}");
    let done = end_to_end::wait::until("both are sent", Duration::from_secs(30), async || {
        (states(&office, "acme").await == ["sent", "sent"]).then_some(())
    });
    done.await.expect("both are sent");
    assert_eq!(slack.posted().len(), 4, "nothing is posted again");
}

#[tokio::test]
async fn a_refused_alert_says_what_slack_said() {
    let replies = [
        SlackReply::new(404, "no_service"),
        SlackReply::new(400, "invalid_payload"),
    ];
    let slack = Slack::start(replies).await.expect("the endpoint starts");
    let office = office(&slack).await;
    lose(&office, "acme").await;
    let refused = office.fate("acme", &["refused"]).await;
    let detail = refused["detail"].as_str().unwrap_or_default().to_owned();
    assert!(
        detail.contains("no_service") || detail.contains("invalid_payload"),
        "{refused}"
    );
}

#[tokio::test]
async fn while_slack_is_down_alerts_wait_and_none_is_lost() {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr());
    let address = free.expect("a free port");
    let url = format!("http://{address}/services/T0/B0/secret");
    let office = office_at(&address.to_string(), &url).await;
    for account in ["acme", "beta"] {
        lose(&office, account).await;
        office.fate(account, &["deferred"]).await;
    }
    let slack = Slack::start_at(address, []).await.expect("it is up again");
    slack.posted_once_there_are(4).await.expect("they come");
    let done = end_to_end::wait::until("all are sent", Duration::from_secs(30), async || {
        let is_sent = states(&office, "acme").await == ["sent", "sent"]
            && states(&office, "beta").await == ["sent", "sent"];
        is_sent.then_some(())
    });
    done.await.expect("all are sent");
    assert_eq!(slack.posted().len(), 4, "each once");
}

#[tokio::test]
async fn an_authors_own_blocks_are_posted_and_a_channel_gets_one_post_a_second() {
    const BLOCKS: &str = "---\nchannel: slack\nformat: blocks\n---\n\
        [{\"type\": \"header\", \"text\": {\"type\": \"plain_text\", \"text\": \"{{account.name}} was lost\"}},\n\
        \x20{\"type\": \"divider\"}]\n";
    let folder = tempfile::tempdir().expect("a folder");
    copy(&workspace(), folder.path()).expect("the workspace is copied");
    let template = folder.path().join("templates/lost.en.hbs");
    std::fs::write(template, BLOCKS).expect("it is written");
    let slack = Slack::start([]).await.expect("the endpoint starts");
    let office = office_of(folder.path(), &slack.allowed(), &slack.url()).await;
    let began = Instant::now();
    lose(&office, "acme").await;
    let posted = slack.posted_once_there_are(2).await.expect("they come");
    assert!(began.elapsed() >= Duration::from_secs(1), "both at once");
    let blocks = posted
        .iter()
        .find(|post| post.body["blocks"][1]["type"] == "divider");
    let blocks = &blocks.expect("the author's blocks").body["blocks"];
    let title = json!({"type": "plain_text", "text": "Acme &lt;&amp;&gt; Co was lost"});
    assert_eq!(blocks[0], json!({"type": "header", "text": title}));
}
