//! Proofs: that a notice is its provider's own. Nothing is fetched for it, and nothing is read before it holds.

use crate::config::{MailEvents, SesProof};
use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ingest::notice::Provider;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde_json::{Map, Value};

/// How far a signed time may lie from ours.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// Signatures of one request: one of each key while keys are changed.
const SIGNATURES_MAX: usize = 8;

/// A request.
pub(super) struct Said<'r> {
    pub(super) headers: &'r HeaderMap,
    pub(super) body: &'r [u8],
    pub(super) now: Timestamp,
}

/// Whether it is the provider's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Proven,
    Forged(&'static str),
    /// The settings don't know the provider.
    Unknown,
}

pub(super) fn verify(known: &MailEvents, provider: Provider, said: &Said<'_>) -> Verdict {
    let proven = match provider {
        Provider::Ses => known.ses.as_ref().map(|ses| match &ses.proof {
            SesProof::Certificate(der) => is_signed_by(der, said) && is_topic(said, &ses.topic),
            SesProof::Secret(secret) => {
                has_password(said, secret.expose()) && is_topic(said, &ses.topic)
            }
        }),
        Provider::Sendgrid => known
            .sendgrid
            .as_ref()
            .map(|point| is_sendgrids(point, said)),
        Provider::Postmark => known
            .postmark
            .as_ref()
            .map(|secret| has_password(said, secret.expose())),
        Provider::Generic => known
            .generic
            .as_ref()
            .map(|(key, _)| is_standard(key, said)),
    };
    match proven {
        Some(true) => Verdict::Proven,
        Some(false) => {
            Verdict::Forged("the request does not prove to be the provider's, or is too old")
        }
        None => Verdict::Unknown,
    }
}

impl Said<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether a time in seconds is near enough to ours.
    fn is_fresh(&self, seconds: &str) -> bool {
        let at = seconds
            .parse()
            .ok()
            .and_then(|at| Timestamp::from_second(at).ok());
        at.is_some_and(|at| self.now.duration_since(at).abs() <= TOLERANCE)
    }
}

/// HMAC-SHA256 over id, time and body (Standard Webhooks).
fn is_standard(key: &[u8], said: &Said<'_>) -> bool {
    let fields = (
        said.header("webhook-id"),
        said.header("webhook-timestamp"),
        said.header("webhook-signature"),
    );
    let (Some(id), Some(at), Some(signatures)) = fields else {
        return false;
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let signed = [id.as_bytes(), b".", at.as_bytes(), b".", said.body].concat();
    let mut given = signatures
        .split(' ')
        .filter_map(|one| one.strip_prefix("v1,"))
        .take(SIGNATURES_MAX);
    said.is_fresh(at)
        && given.any(|one| {
            let tag = STANDARD.decode(one);
            // Compared in constant time.
            tag.is_ok_and(|tag| hmac::verify(&key, &signed, &tag).is_ok())
        })
}

/// ECDSA over time and body.
fn is_sendgrids(point: &[u8], said: &Said<'_>) -> bool {
    let signature = said.header("x-twilio-email-event-webhook-signature");
    let at = said.header("x-twilio-email-event-webhook-timestamp");
    let (Some(signature), Some(at)) = (signature.and_then(|one| STANDARD.decode(one).ok()), at)
    else {
        return false;
    };
    let signed = [at.as_bytes(), said.body].concat();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
    said.is_fresh(at) && key.verify(&signed, &signature).is_ok()
}

/// The password of basic authentication; the name before it is not looked at.
fn has_password(said: &Said<'_>, password: &str) -> bool {
    let given = said
        .header("authorization")
        .and_then(|value| value.split_once(' '));
    let given = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    let given = given.and_then(|(_, text)| STANDARD.decode(text.trim()).ok());
    let given = given.and_then(|text| String::from_utf8(text).ok());
    let Some((_, given)) = given.as_deref().and_then(|text| text.split_once(':')) else {
        return false;
    };
    // Hashes compare in constant time.
    blake3::hash(given.as_bytes()) == blake3::hash(password.as_bytes())
}

fn is_topic(said: &Said<'_>, topic: &str) -> bool {
    let body: Option<Map<String, Value>> = serde_json::from_slice(said.body).ok();
    body.is_some_and(|body| body.get("TopicArn").and_then(Value::as_str) == Some(topic))
}

/// RSA over the fields that SNS names, in its order; the second version of its signature only, since the first is SHA-1.
fn is_signed_by(certificate: &[u8], said: &Said<'_>) -> bool {
    let Ok(body) = serde_json::from_slice::<Map<String, Value>>(said.body) else {
        return false;
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let fields: &[&str] = match text("Type") {
        Some("Notification") => &[
            "Message",
            "MessageId",
            "Subject",
            "Timestamp",
            "TopicArn",
            "Type",
        ],
        Some(_) => &[
            "Message",
            "MessageId",
            "SubscribeURL",
            "Timestamp",
            "Token",
            "TopicArn",
            "Type",
        ],
        None => return false,
    };
    let mut signed = String::new();
    for name in fields {
        if let Some(value) = text(name) {
            signed.extend([name, "\n", value, "\n"]);
        }
    }
    let signature = text("Signature").and_then(|one| STANDARD.decode(one).ok());
    let is_second = text("SignatureVersion") == Some("2");
    signature.is_some_and(|signature| {
        is_second && outreach::tls::is_signed(certificate, signed.as_bytes(), &signature)
    })
}
