//! Each provider's proof, and everything that is none.

use crate::http::router;
use crate::shared::Shared;
use crate::trial::{Place, noon};
use crate::{Clock, Config};
use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use store::ClockMode;
use tower::ServiceExt;

const KEY: &[u8] = b"a key of thirty-two bytes, more or less";
const BODY: &str = r#"{"type":"message.opened","message":"m_x"}"#;
/// What stands before the point in a SubjectPublicKeyInfo of P-256.
const BEFORE_POINT: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";

struct Keys {
    random: SystemRandom,
    sendgrid: EcdsaKeyPair,
}

impl Keys {
    fn new() -> Self {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random);
        let made = made.expect("a key is made");
        let sendgrid =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, made.as_ref(), &random);
        Self {
            random,
            sendgrid: sendgrid.expect("it is a key"),
        }
    }

    fn settings(&self) -> String {
        let point = [BEFORE_POINT, self.sendgrid.public_key().as_ref()].concat();
        format!(
            "mail_events:\n  sendgrid: {{public_key: '{}'}}\n  postmark: {{secret: '${{env:POSTMARK}}'}}\n  generic: {{secret: '${{env:GENERIC}}'}}\n  ses: {{topic: 'arn:x', secret: '${{env:SES}}'}}\n",
            STANDARD.encode(point)
        )
    }
}

async fn shared(place: &Place, settings: &str) -> Shared {
    let path = place.folder().join("sottaku.yaml");
    std::fs::write(&path, settings).expect("it is written");
    let generic = format!("whsec_{}", STANDARD.encode(KEY));
    let variable = move |name: &str| match name {
        "POSTMARK" | "SES" => Some("hunter2".to_owned()),
        "GENERIC" => Some(generic.clone()),
        _ => None,
    };
    let config = Config::load_with(Some(&path), &variable).expect("the settings are right");
    let shown = config.shown().to_string();
    assert!(
        !shown.contains("hunter2") && !shown.contains("whsec_"),
        "{shown}"
    );
    Shared::new(config, place.open().await, Clock::by_hand(noon())).expect("no means is needed")
}

async fn status(shared: &Shared, provider: &str, headers: &[(&str, String)], body: &str) -> u16 {
    let mut request = Request::post(format!("/v1/mail-events/{provider}"));
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let request = request
        .body(Body::from(body.to_owned()))
        .expect("a request");
    let answer = router(shared.clone())
        .oneshot(request)
        .await
        .expect("an answer");
    answer.status().as_u16()
}

fn standard(id: &str, at: i64, body: &str) -> Vec<(&'static str, String)> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, KEY);
    let tag = hmac::sign(&key, format!("{id}.{at}.{body}").as_bytes());
    vec![
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", at.to_string()),
        (
            "webhook-signature",
            format!("v1,AAAA v1,{}", STANDARD.encode(tag)),
        ),
    ]
}

#[tokio::test]
async fn standard_webhooks_prove_themselves_by_every_byte() {
    let place = Place::new(ClockMode::Live);
    let shared = shared(&place, &Keys::new().settings()).await;
    let now = noon().as_second();
    for (at, expected) in [
        (now, 200),
        (now - 300, 200),
        (now + 300, 200),
        (now - 301, 401),
        (now + 301, 401),
    ] {
        assert_eq!(
            status(&shared, "generic", &standard("i", at, BODY), BODY).await,
            expected,
            "{at}"
        );
    }
    let right = standard("i", now, BODY);
    for at in 0..BODY.len() {
        let mut body = BODY.as_bytes().to_vec();
        body[at] ^= 1;
        let body = String::from_utf8(body).expect("text");
        assert_eq!(
            status(&shared, "generic", &right, &body).await,
            401,
            "{body}"
        );
    }
    for left_out in 0..right.len() {
        let mut headers = right.clone();
        headers.remove(left_out);
        assert_eq!(
            status(&shared, "generic", &headers, BODY).await,
            401,
            "{headers:?}"
        );
    }
    let mut other = right.clone();
    other[0].1 = "j".to_owned();
    assert_eq!(status(&shared, "generic", &other, BODY).await, 401);
    assert_eq!(
        status(&shared, "generic", &standard("i", now, "[7]"), "[7]").await,
        400
    );
}

#[tokio::test]
async fn sendgrid_proves_itself_by_its_key() {
    let place = Place::new(ClockMode::Live);
    let keys = Keys::new();
    let shared = shared(&place, &keys.settings()).await;
    let body = r#"[{"event":"open"}]"#;
    let signed = |keys: &Keys, at: i64| {
        let text = format!("{at}{body}");
        let signature = keys
            .sendgrid
            .sign(&keys.random, text.as_bytes())
            .expect("it signs");
        vec![
            (
                "x-twilio-email-event-webhook-signature",
                STANDARD.encode(signature),
            ),
            ("x-twilio-email-event-webhook-timestamp", at.to_string()),
        ]
    };
    let now = noon().as_second();
    assert_eq!(
        status(&shared, "sendgrid", &signed(&keys, now), body).await,
        200
    );
    assert_eq!(
        status(&shared, "sendgrid", &signed(&keys, now - 301), body).await,
        401
    );
    assert_eq!(
        status(&shared, "sendgrid", &signed(&Keys::new(), now), body).await,
        401
    );
    assert_eq!(
        status(&shared, "sendgrid", &signed(&keys, now), "[]").await,
        401
    );
    assert_eq!(status(&shared, "sendgrid", &[], body).await, 401);
}

#[tokio::test]
async fn passwords_and_topics_are_compared() {
    let place = Place::new(ClockMode::Live);
    let shared = shared(&place, &Keys::new().settings()).await;
    let basic = |text: &str| vec![("authorization", format!("Basic {}", STANDARD.encode(text)))];
    let record = r#"{"RecordType":"Delivery"}"#;
    let sns = r#"{"Type":"SubscriptionConfirmation","TopicArn":"arn:x"}"#;
    for (provider, password, body, expected) in [
        ("postmark", "u:hunter2", record, 200),
        ("postmark", "u:hunter3", record, 401),
        ("postmark", "hunter2", record, 401),
        ("ses", "sns:hunter2", sns, 200),
        (
            "ses",
            "sns:hunter2",
            r#"{"Type":"SubscriptionConfirmation","TopicArn":"arn:y"}"#,
            401,
        ),
        ("ses", "sns:wrong", sns, 401),
        ("mailgun", "u:hunter2", record, 404),
    ] {
        assert_eq!(
            status(&shared, provider, &basic(password), body).await,
            expected,
            "{provider} {password} {body}"
        );
    }
    let place = Place::new(ClockMode::Live);
    let shared = self::shared(&place, "mode: captured\n").await;
    assert_eq!(
        status(&shared, "postmark", &basic("u:hunter2"), record).await,
        404
    );
}
