//! Notices of mail providers, each with a signature of its own.

use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::office::Office;
use crate::returns::{listening, record};

async fn openssl(folder: &Path, arguments: &[&str]) -> String {
    let ran = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .await;
    let ran = ran.expect("openssl runs");
    assert!(
        ran.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
    String::from_utf8(ran.stdout).expect("text")
}

/// A notification as SNS signs it, by the key in `folder`.
async fn signed(folder: &Path, event: &Value, topic: &str) -> Value {
    let mut body = json!({
        "Type": "Notification", "MessageId": "n-1", "TopicArn": topic, "Message": event.to_string(),
        "Timestamp": "2026-01-13T01:00:00.000Z", "SignatureVersion": "2",
    });
    let mut text = String::new();
    for name in ["Message", "MessageId", "Timestamp", "TopicArn", "Type"] {
        let value = body[name].as_str().expect("a text");
        text.push_str(&format!("{name}\n{value}\n"));
    }
    std::fs::write(folder.join("text"), text).expect("it is written");
    openssl(
        folder,
        &["dgst", "-sha256", "-sign", "sns.key", "-out", "tag", "text"],
    )
    .await;
    let tag = openssl(folder, &["base64", "-A", "-in", "tag"]).await;
    body["Signature"] = tag.trim().into();
    body
}

/// What SES tells of a mail whose address does not exist.
fn bounce(id: &str) -> Value {
    json!({
        "eventType": "Bounce",
        "mail": {"source": "success@vendor.example", "headers": [{"name": "Message-ID", "value": format!("<{id}@vendor.example>")}]},
        "bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "mika@acme.example", "status": "5.1.1"}]},
    })
}

#[tokio::test]
async fn a_providers_notice_counts_only_with_its_signature() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = folder.path();
    let made = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "sns.key",
        "-out",
        "sns.pem",
        "-days",
        "2",
        "-subj",
        "/CN=sns.test",
    ];
    openssl(keys, &made).await;
    listening(&keys.join("workspace")).expect("the workspace is written");
    let settings = format!(
        "store: sottaku.db\nclock: log\nmail_events: {{ses: {{topic: 'arn:ours', certificate: '{}'}}}}\n",
        keys.join("sns.pem").display()
    );
    let office = Office::open(&settings, &keys.join("workspace"), &[])
        .await
        .expect("the office opens");
    assert_eq!(
        office
            .tell("acme", "mika@acme.example", "paid")
            .await
            .status,
        202
    );
    let sent = office.fate("acme", &["sent"]).await;
    let id = sent["message"]
        .as_str()
        .expect("an id")
        .trim_start_matches("m_")
        .to_owned();
    let event = bounce(&id);
    let right = signed(keys, &event, "arn:ours").await;
    let elsewhere = signed(keys, &event, "arn:other").await;
    let mut changed = right.clone();
    changed["MessageId"] = "n-2".into();
    for (body, status, told) in [
        (&elsewhere, 401, Value::Null),
        (&changed, 401, Value::Null),
        (&right, 200, 1.into()),
        (&right, 200, 0.into()),
    ] {
        let bytes = body.to_string().into_bytes();
        let answer = office
            .client()
            .ask(
                "POST /v1/mail-events/ses",
                &[("content-type", "text/plain")],
                &bytes,
            )
            .await;
        let answer = answer.expect("the server answers");
        assert_eq!(
            (answer.status, answer.json()["told"].clone()),
            (status, told),
            "{}",
            answer.body
        );
    }
    record(&office, "acme", "mend").await;
}
