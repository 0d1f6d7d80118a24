//! Posts to a Slack incoming webhook.
//!
//! Slack has no key by which it would know a post again, so what was cut after the request went out stays unknown, as
//! with mail. Each post opens a connection of its own: a waiting one that died could not be told from a cut.
//! Redirects are off, no proxy is asked, and the address, which is a secret, appears in no error.

use crate::tls::{self, Trust, TrustFault};
use crate::{Fate, Phase, Secret};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, StatusCode, redirect, retry};
use serde_json::Value;
use std::time::Duration;
use url::{Host, Url};

/// The most bytes of an answer that are read.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// The most characters of an answer that are kept.
const TEXT_CHARS_MAX: usize = 200;

/// How long a post may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Opening the connection, encryption included.
    pub connect: Duration,
    /// The whole post.
    pub whole: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            whole: Duration::from_secs(30),
        }
    }
}

/// Why posts cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlackFault {
    /// The address is none that may be posted to. It is not shown.
    #[error("the webhook's address is not an https address")]
    Address,
    /// The certificates could not be read.
    #[error(transparent)]
    Trust(#[from] TrustFault),
    /// The client could not be built.
    #[error("the HTTP client could not be built: {0}")]
    Client(Box<str>),
}

/// The address of an incoming webhook. Whoever knows it can post.
#[derive(Clone, Debug)]
pub struct Webhook(Secret);

impl Webhook {
    /// Checks `address`: https, or http on this machine.
    pub fn new(address: &Secret) -> Result<Self, SlackFault> {
        let url = Url::parse(address.expose()).map_err(|_| SlackFault::Address)?;
        let is_here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => return Err(SlackFault::Address),
        };
        if url.scheme() == "https" || (url.scheme() == "http" && is_here) {
            Ok(Self(Secret::new(url.as_str())))
        } else {
            Err(SlackFault::Address)
        }
    }
}

/// What posts.
#[derive(Clone, Debug)]
pub struct Slack {
    client: Client,
}

impl Slack {
    /// Reads the certificates and prepares the client.
    pub fn new(trust: &Trust, deadlines: Deadlines) -> Result<Self, SlackFault> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls::client(trust)?)
            .http1_only()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .pool_max_idle_per_host(0)
            .connect_timeout(deadlines.connect)
            .timeout(deadlines.whole)
            .build()
            .map_err(|error| SlackFault::Client(error.to_string().into()))?;
        Ok(Self { client })
    }

    /// Posts `payload` once.
    pub async fn post(&self, webhook: &Webhook, payload: &Value) -> Fate {
        match self
            .client
            .post(webhook.0.expose())
            .json(payload)
            .send()
            .await
        {
            Ok(response) => answer(response).await,
            Err(error) => {
                let phase = if error.is_builder() || error.is_connect() {
                    Phase::Connect
                } else {
                    Phase::Body
                };
                Fate::cut(phase, why(error))
            }
        }
    }
}

/// What an answer means. A gateway's own errors (502, 504) do not say what became of the post behind it.
async fn answer(response: Response) -> Fate {
    let status = response.status();
    let retry_after = retry_after(&response);
    let (code, phase) = (status.as_u16(), Phase::Answer);
    let text = match (read(response).await, status.is_success()) {
        (Ok(text), _) => text,
        (Err(why), true) => return Fate::Unknown { phase, why },
        (Err(_), false) => Box::from(""),
    };
    if status.is_success() {
        return if &*text == "ok" {
            Fate::Sent {
                reply: format!("{code} ok").into(),
                refused_copies: Vec::new(),
            }
        } else {
            Fate::Unknown {
                phase,
                why: format!("{code} without `ok`").into(),
            }
        };
    }
    match status {
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Fate::Unknown {
            phase,
            why: format!("{code} {text}").into(),
        },
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Fate::Deferred {
                phase,
                code,
                text,
                retry_after,
            }
        }
        _ if status.is_server_error() => Fate::Deferred {
            phase,
            code,
            text,
            retry_after,
        },
        _ => Fate::Refused {
            phase,
            code,
            text,
            recipient: None,
        },
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

/// The answer's words, on one line, not too many.
async fn read(mut response: Response) -> Result<Box<str>, Box<str>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(why)? {
        if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err("an answer without end".into());
        }
        bytes.extend_from_slice(&chunk);
    }
    let text = crate::render::one_line(&String::from_utf8_lossy(&bytes));
    Ok(text.chars().take(TEXT_CHARS_MAX).collect::<String>().into())
}

/// The reasons of an error one after the other, without the address.
fn why(error: reqwest::Error) -> Box<str> {
    use std::error::Error;
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        words = format!("{words}: {reason}");
        source = reason.source();
    }
    words.into()
}
