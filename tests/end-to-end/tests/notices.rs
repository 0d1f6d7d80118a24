//! Notices of mail providers, each with a signature of its own.

use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::office::Office;
use crate::returns::{listening, record};
use crate::webhooks::python;

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

/// Asks the office with these headers; the status and how many notices were told.
async fn post(office: &Office, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
    let answer = office.client().ask(path, headers, body.as_bytes()).await;
    let answer = answer.expect("the server answers");
    let told = answer.json()["told"].clone();
    (answer.status, told)
}

/// The id of the account's mail, as the provider hands it back.
async fn sent(office: &Office, account: &str) -> String {
    let to = format!("{account}@acme.example");
    assert_eq!(office.tell(account, &to, "paid").await.status, 202);
    let mail = office.fate(account, &["sent"]).await;
    mail["message"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn sendgrids_events_count_with_its_own_signature() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = folder.path();
    let made = [
        "ecparam",
        "-name",
        "prime256v1",
        "-genkey",
        "-noout",
        "-out",
        "sg.key",
    ];
    openssl(keys, &made).await;
    let public = [
        "ec", "-in", "sg.key", "-pubout", "-outform", "DER", "-out", "sg.der",
    ];
    openssl(keys, &public).await;
    let public = openssl(keys, &["base64", "-A", "-in", "sg.der"]).await;
    listening(&keys.join("workspace")).expect("the workspace is written");
    let settings = format!(
        "store: sottaku.db\nclock: log\nmail_events: {{sendgrid: {{public_key: '{}'}}}}\n",
        public.trim()
    );
    let office = Office::open(&settings, &keys.join("workspace"), &[]).await;
    let office = office.expect("the office opens");
    let id = sent(&office, "gone").await;
    let body = json!([{
        "event": "bounce", "email": "gone@acme.example", "status": "5.1.1", "type": "bounce",
        "reason": "550 5.1.1 no such user", "sottaku_message": id, "sg_event_id": "e-1",
    }])
    .to_string();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.expect("it is later than 1970").as_secs();
    let sign = async |at: u64| {
        std::fs::write(keys.join("text"), format!("{at}{body}")).expect("it is written");
        let arguments = ["dgst", "-sha256", "-sign", "sg.key", "-out", "tag", "text"];
        openssl(keys, &arguments).await;
        let tag = openssl(keys, &["base64", "-A", "-in", "tag"]).await;
        (at.to_string(), tag.trim().to_owned())
    };
    let (right, old) = (sign(now).await, sign(now - 3_600).await);
    let changed = body.replace("e-1", "e-2");
    for ((at, tag), body, status, told) in [
        (&old, &body, 401, Value::Null),
        (&right, &changed, 401, Value::Null),
        (
            &(right.0.clone(), "AAAA".to_owned()),
            &body,
            401,
            Value::Null,
        ),
        (&right, &body, 200, 1.into()),
        (&right, &body, 200, 0.into()),
    ] {
        let headers = [
            ("content-type", "application/json"),
            ("x-twilio-email-event-webhook-timestamp", &**at),
            ("x-twilio-email-event-webhook-signature", &**tag),
        ];
        let answered = post(&office, "POST /v1/mail-events/sendgrid", &headers, body).await;
        assert_eq!(answered, (status, told), "{at} {body}");
    }
    record(&office, "gone", "mend").await;
}

#[tokio::test]
async fn postmarks_records_count_with_the_password_of_their_address() {
    let folder = tempfile::tempdir().expect("a folder");
    listening(&folder.path().join("workspace")).expect("the workspace is written");
    let settings =
        "store: sottaku.db\nclock: log\nmail_events: {postmark: {secret: '${env:PM_SECRET}'}}\n";
    let variables = [("PM_SECRET", "s3cret-of-the-address")];
    let office = Office::open(settings, &folder.path().join("workspace"), &variables).await;
    let office = office.expect("the office opens");
    let id = sent(&office, "gone").await;
    let record_of = |kind: &str| {
        json!({
            "RecordType": "Bounce", "ID": 4_323_372_036_u64, "Type": kind, "Email": "gone@acme.example",
            "Details": "550 5.1.1 no such user", "Metadata": {"message": id},
        })
        .to_string()
    };
    // `postmark:s3cret-of-the-address` and `postmark:wrong` in base64.
    let right = "Basic cG9zdG1hcms6czNjcmV0LW9mLXRoZS1hZGRyZXNz";
    let wrong = "Basic cG9zdG1hcms6d3Jvbmc=";
    let body = record_of("HardBounce");
    for (password, status, told) in [
        (wrong, 401, Value::Null),
        ("", 401, Value::Null),
        (right, 200, 1.into()),
        (right, 200, 0.into()),
    ] {
        let headers = [
            ("content-type", "application/json"),
            ("authorization", password),
        ];
        let answered = post(&office, "POST /v1/mail-events/postmark", &headers, &body).await;
        assert_eq!(answered, (status, told), "{password}");
    }
    record(&office, "gone", "mend").await;
}

/// The headers of Standard Webhooks for a body, by the standard's own library.
async fn standard(secret: &str, id: &str, body: &str) -> Vec<(String, String)> {
    let script = "import json, sys\nfrom datetime import datetime, timezone\nfrom standardwebhooks.webhooks import Webhook\n\
        secret, id, body = sys.argv[1:]\nat = datetime.now(timezone.utc)\n\
        tag = Webhook(secret).sign(id, at, body)\n\
        print(json.dumps([['webhook-id', id], ['webhook-timestamp', str(int(at.timestamp()))], ['webhook-signature', tag]]))\n";
    let ran = Command::new(python())
        .args(["-c", script, secret, id, body])
        .output()
        .await;
    let ran = ran.expect("the tests' Python runs; `tests/run` installs it");
    serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&ran.stderr)))
}

#[tokio::test]
async fn anybodys_notices_count_with_the_signature_of_standard_webhooks() {
    const OURS: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let folder = tempfile::tempdir().expect("a folder");
    listening(&folder.path().join("workspace")).expect("the workspace is written");
    let settings =
        "store: sottaku.db\nclock: log\nmail_events: {generic: {secret: '${env:EVENTS}'}}\n";
    let variables = [("EVENTS", OURS)];
    let office = Office::open(settings, &folder.path().join("workspace"), &variables).await;
    let office = office.expect("the office opens");
    let id = sent(&office, "gone").await;
    let told = json!([
        {"type": "message.delivered", "message": id},
        {"type": "message.bounced", "message": id, "recipient": "gone@acme.example", "class": "hard", "code": "5.1.1"},
        {"type": "message.bounced", "message": "m_of_somebody_else"},
    ]);
    let (body, changed) = (told.to_string(), told.to_string().replace("hard", "soft"));
    let nonsense = json!({"type": "message.eaten", "message": id}).to_string();
    for (secret, signed, body, status, told) in [
        (OTHER, &body, &body, 401, Value::Null),
        (OURS, &body, &changed, 401, Value::Null),
        (OURS, &nonsense, &nonsense, 400, Value::Null),
        (OURS, &body, &body, 200, 2.into()),
        (OURS, &body, &body, 200, 0.into()),
    ] {
        let headers = standard(secret, "n-1", signed).await;
        let headers = headers.iter().map(|(name, value)| (&**name, &**value));
        let headers: Vec<(&str, &str)> = headers.collect();
        let answered = post(&office, "POST /v1/mail-events/generic", &headers, body).await;
        assert_eq!(answered, (status, told), "{secret} {body}");
    }
    record(&office, "gone", "mend").await;
    let ledger = ["suppress", "list", "gone@acme.example", "--output", "json"];
    let ledger = office.product.done(&ledger).await.expect("it is listed");
    assert!(ledger.out.contains("\"bounced\""), "{}", ledger.out);
}
