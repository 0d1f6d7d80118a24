//! Posts to Slack: to an incoming webhook, or as a bot.
//!
//! Slack has no key by which it would know a post again, so what was cut after the request went out stays unknown, as
//! with mail. The address of a webhook is a secret and appears in no error.

pub mod actions;
mod bot;
mod signature;

pub use bot::{Bot, Said};
pub use signature::{SIGNATURE_AGE_MAX, Unverified, verify};

use crate::egress::{Answer, Barred, Call, Cut, Egress};
use crate::{Fate, Phase, Secret};
use serde_json::Value;

/// The most characters of an answer that are kept.
const TEXT_CHARS_MAX: usize = 200;

/// Why posts cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlackFault {
    /// The address is none that may be posted to. It is not shown.
    #[error("the webhook's address can't be posted to: {0}")]
    Address(#[from] Barred),
}

/// The address of an incoming webhook. Whoever knows it can post.
#[derive(Clone, Debug)]
pub struct Incoming(Secret);

impl Incoming {
    /// Checks `address`.
    pub fn new(egress: &Egress, address: &Secret) -> Result<Self, SlackFault> {
        egress.check(address.expose())?;
        Ok(Self(address.clone()))
    }

    /// The address, for the one call that needs it.
    pub(crate) fn address(&self) -> &str {
        self.0.expose()
    }

    /// Posts `payload` once.
    pub async fn post(&self, egress: &Egress, payload: &Value) -> Fate {
        match egress
            .call(self.0.expose(), &json(payload, Vec::new()))
            .await
        {
            Ok(answer) => meaning(&answer, |text| text == "ok"),
            Err(cut) => fate(cut),
        }
    }
}

/// A call whose body is JSON.
pub(crate) fn json(payload: &Value, headers: Vec<(&'static str, String)>) -> Call {
    Call {
        headers,
        content_type: "application/json; charset=utf-8",
        body: payload.to_string().into_bytes(),
    }
}

/// What became of a post that got no answer.
pub(crate) fn fate(cut: Cut) -> Fate {
    match cut {
        Cut::Barred(barred) => Fate::cut(Phase::Connect, barred.to_string()),
        Cut::NotConnected(why) => Fate::cut(Phase::Connect, why),
        Cut::Broken(why) => Fate::cut(Phase::Body, why),
    }
}

/// What an answer means. A gateway's own errors (502, 504) do not say what became of the post behind it.
pub(crate) fn meaning(answer: &Answer, is_yes: impl Fn(&str) -> bool) -> Fate {
    let (code, phase) = (answer.status, Phase::Answer);
    let retry_after = answer.retry_after;
    let is_success = (200..300).contains(&code);
    let text = match &answer.body {
        Ok(bytes) => text(bytes),
        Err(why) if is_success => {
            return Fate::Unknown {
                phase,
                why: why.clone(),
            };
        }
        Err(_) => "".into(),
    };
    match code {
        _ if is_success && is_yes(&text) => Fate::Sent {
            reply: format!("{code} ok").into(),
            refused_copies: Vec::new(),
        },
        _ if is_success => Fate::Unknown {
            phase,
            why: format!("{code} without `ok`").into(),
        },
        502 | 504 => Fate::Unknown {
            phase,
            why: format!("{code} {text}").into(),
        },
        408 | 425 | 429 | 500.. => Fate::Deferred {
            phase,
            code,
            text,
            retry_after,
        },
        _ => Fate::Refused {
            // The hook was taken away, or its channel was.
            phase: match code {
                404 | 410 => Phase::Recipient,
                _ => phase,
            },
            code,
            text,
            recipient: None,
        },
    }
}

/// Text as Slack shows it and does not read it.
pub fn escaped(text: &str) -> String {
    crate::render::one_line(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The answer's words, on one line, not too many.
fn text(bytes: &[u8]) -> Box<str> {
    let text = crate::render::one_line(&String::from_utf8_lossy(bytes));
    text.chars().take(TEXT_CHARS_MAX).collect::<String>().into()
}
