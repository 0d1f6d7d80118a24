//! A recording HTTP endpoint that answers as it was told to: for incoming webhooks, for calls of our webhooks, and for
//! as much of Slack's own interface as the product speaks.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{Failure, wait};

const POSTED_SECONDS_MAX: Duration = Duration::from_secs(30);

/// One request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The path, such as `/services/T0/B0/secret`.
    pub path: String,
    /// What the body was, as JSON; null if it was none.
    pub body: serde_json::Value,
    /// The body, letter by letter.
    pub text: String,
    /// The headers, names in small letters.
    pub headers: BTreeMap<String, String>,
}

/// What the endpoint answers to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackReply {
    /// The status; 200 is success.
    pub status: u16,
    /// The text, such as `ok` or `invalid_payload`.
    pub body: String,
    /// With 429, the seconds of `Retry-After`.
    pub retry_after: Option<u32>,
}

impl SlackReply {
    /// A reply without `Retry-After`.
    pub fn new(status: u16, body: &str) -> SlackReply {
        SlackReply {
            status,
            body: body.to_owned(),
            retry_after: None,
        }
    }

    /// A 429 that asks to come again after `seconds`.
    pub fn too_many(seconds: u32) -> SlackReply {
        SlackReply {
            status: 429,
            body: "rate_limited".to_owned(),
            retry_after: Some(seconds),
        }
    }
}

#[derive(Debug, Default)]
struct Book {
    posted: Vec<Posted>,
    replies: VecDeque<SlackReply>,
}

/// A running endpoint.
#[derive(Debug)]
pub struct Slack {
    address: SocketAddr,
    book: Arc<Mutex<Book>>,
    serving: JoinHandle<()>,
}

impl Slack {
    /// Starts it on a free port; it answers `replies` in turn, and `200 ok` when they are used up.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(replies: impl IntoIterator<Item = SlackReply>) -> Result<Slack, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(Failure::io("listening for webhooks"))?;
        let address = listener
            .local_addr()
            .map_err(Failure::io("asking for the webhooks' port"))?;
        let book = Arc::new(Mutex::new(Book {
            posted: Vec::new(),
            replies: replies.into_iter().collect(),
        }));
        let router = Router::new()
            .route("/{*path}", post(receive))
            .with_state(book.clone());
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("the webhook endpoint broke: {error}");
            }
        });
        Ok(Slack {
            address,
            book,
            serving,
        })
    }

    /// The URL that a Slack app would give for a channel.
    pub fn url(&self) -> String {
        format!("http://{}/services/T0/B0/secret", self.address)
    }

    /// Where the product finds Slack's interface.
    pub fn api(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// The entry of `egress.allow` that lets the product call it.
    pub fn allowed(&self) -> String {
        self.address.to_string()
    }

    /// What came so far, in order.
    pub fn posted(&self) -> Vec<Posted> {
        lock(&self.book).posted.clone()
    }

    /// Waits until `count` requests came, and returns all there are then.
    ///
    /// # Errors
    /// When they do not come within half a minute.
    pub async fn posted_once_there_are(&self, count: usize) -> Result<Vec<Posted>, Failure> {
        let what = format!("{count} webhook requests came");
        wait::until(&what, POSTED_SECONDS_MAX, async || {
            let posted = self.posted();
            (posted.len() >= count).then_some(posted)
        })
        .await
    }
}

impl Drop for Slack {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// What Slack's interface says to a method, if it is one of ours.
fn api(path: &str, count: usize, body: &serde_json::Value) -> Option<String> {
    let answer = match path {
        "/api/chat.postMessage" | "/api/chat.update" => {
            let ts = body["ts"].as_str().map(str::to_owned);
            let ts = ts.unwrap_or_else(|| format!("1700000000.{count:06}"));
            serde_json::json!({"ok": true, "channel": body["channel"], "ts": ts})
        }
        "/api/users.lookupByEmail" => serde_json::json!({"ok": true, "user": {"id": "U0EMAIL99"}}),
        _ => return None,
    };
    Some(answer.to_string())
}

async fn receive(
    State(book): State<Arc<Mutex<Book>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let mut book = lock(&book);
    let count = book.posted.len();
    let headers = headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    book.posted.push(Posted {
        path: uri.path().to_owned(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        text: String::from_utf8_lossy(&body).into_owned(),
        headers: headers.collect(),
    });
    let reply = book.replies.pop_front();
    let usual = || {
        let body = serde_json::from_slice(&body).unwrap_or_default();
        let answer = api(uri.path(), count, &body);
        SlackReply::new(200, &answer.unwrap_or_else(|| "ok".to_owned()))
    };
    let reply = reply.unwrap_or_else(usual);
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers: Vec<(HeaderName, String)> = reply
        .retry_after
        .map(|seconds| (header::RETRY_AFTER, seconds.to_string()))
        .into_iter()
        .collect();
    let mut answer = (status, reply.body).into_response();
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

fn lock(book: &Mutex<Book>) -> std::sync::MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}
