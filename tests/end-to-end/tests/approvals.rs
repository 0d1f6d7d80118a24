//! A question in Slack: one button approves the mail, another refuses it, and the post says who answered.

use std::time::Duration;

use end_to_end::Slack;
use end_to_end::slack::Posted;
use serde_json::{Value, json};

use crate::office::{Office, fact};
use crate::webhooks::{open, press, tell, until_a_task, workspace};

/// Somebody who can be written to.
async fn tell_of_mika(office: &Office, account: &str) {
    let mika = json!({"contact": "p-1", "name": "Mika", "role": "champion", "email": format!("mika@{account}.example")});
    let mika = fact(account, "contact.updated", mika);
    let mut client = office.client();
    let told = client.tell("application/cloudevents+json", mika.as_bytes());
    assert_eq!(told.await.expect("the server answers").status, 202);
}

/// The button of a post whose action this is.
fn button(post: &Value, action: &str) -> Value {
    let blocks = post["blocks"].as_array().expect("blocks");
    let elements = blocks
        .iter()
        .filter_map(|block| block["elements"].as_array());
    let mut elements = elements.flatten();
    let found = elements.find(|element| element["action_id"] == action);
    let found = found.expect("there is such a button");
    json!({"action_id": action, "value": found["value"]})
}

#[tokio::test]
async fn a_button_approves_a_mail_and_another_refuses_one() {
    let slack = Slack::start([]).await.expect("the endpoint starts");
    let workspace = workspace(
        "routes:\n  desk: {channel: '#desk'}\n",
        "  - id: offer\n    send: hello\n    to: champion\n    approval: {by: desk, at_most: 5d, otherwise: skip}\n",
    );
    let templates = workspace.path().join("templates");
    std::fs::create_dir_all(&templates).expect("a folder");
    for locale in ["en", "ja"] {
        let text = "---\nsubject: \"A word\"\n---\nHello {{contact.name}}\n";
        std::fs::write(templates.join(format!("hello.{locale}.hbs")), text).expect("it is written");
    }
    let settings = format!(
        "slack: {{bot_token: '${{env:BOT}}', signing_secret: '${{env:SIGNING}}', api: '{}'}}\n",
        slack.api()
    );
    let office = open(&slack, &workspace, &settings).await;
    for (account, name, action, state) in [
        ("acme", "Acme Ltd", "sottaku.approve", "approved"),
        ("beta", "Beta Ltd", "sottaku.reject", "rejected"),
    ] {
        tell_of_mika(&office, account).await;
        tell(&office, account, name).await;
        let asks = end_to_end::wait::until("it is asked", Duration::from_secs(30), async || {
            let posted = slack.posted();
            let mut asks = posted
                .iter()
                .filter(|post| post.path == "/api/chat.postMessage");
            asks.find(|post| post.text.contains(name))
                .map(|post| post.body.clone())
        });
        let ask = asks.await.expect("somebody is asked");
        assert_eq!(press(&office, button(&ask, action), &ask).await, "200");
        let is_answered = |line: &Value| line["account"] == account && line["state"] == state;
        until_a_task("the question is answered", &office, is_answered).await;
    }
    let told = end_to_end::wait::until("both are decided", Duration::from_secs(30), async || {
        let journal = ["journal", "--output", "json"];
        let lines = office
            .product
            .done(&journal)
            .await
            .ok()?
            .json_lines()
            .ok()?;
        let is = |line: &Value, account: &str, kind: &str| {
            line["account"] == account && line["kind"] == kind && line["step"] == "offer"
        };
        let sends = lines.iter().filter(|line| is(line, "acme", "send")).count();
        let skips = lines.iter().filter(|line| is(line, "beta", "skip"));
        let skips: Vec<&Value> = skips.collect();
        (sends == 1 && skips.len() == 1).then(|| skips[0]["why"].clone())
    });
    assert_eq!(told.await.expect("both are decided"), "rejected");
    let updates = slack.posted_once_there_are(4).await;
    let updates = updates.expect("both posts say who answered");
    for words in ["Approved: <@U0PRESS01>", "Rejected: <@U0PRESS01>"] {
        let is_update = |post: &&Posted| {
            post.path == "/api/chat.update" && post.body.to_string().contains(words)
        };
        assert_eq!(updates.iter().filter(is_update).count(), 1, "{words}");
    }
}
