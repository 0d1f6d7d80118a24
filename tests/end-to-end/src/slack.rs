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
    /// The status that it was answered with; none: it was cut without an answer.
    pub answered: Option<u16>,
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

/// What the endpoint does instead of answering as usual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlackAct {
    /// Answers this.
    Reply(SlackReply),
    /// Takes the request and cuts the connection without a word.
    Cut,
    /// Answers as usual after so long.
    Slow(Duration),
}

/// What it does with each `every`-th request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackHabit {
    every: usize,
    act: SlackAct,
}

impl SlackHabit {
    /// Does `act` with each `every`-th request.
    pub fn new(every: usize, act: SlackAct) -> SlackHabit {
        SlackHabit { every, act }
    }
}

#[derive(Debug, Default)]
struct Book {
    posted: Vec<Posted>,
    replies: VecDeque<SlackReply>,
    habits: Vec<SlackHabit>,
}

impl Book {
    /// What is done with the request that comes now: the next reply, else what the first habit says whose turn it is.
    fn act(&mut self) -> Option<SlackAct> {
        if let Some(reply) = self.replies.pop_front() {
            return Some(SlackAct::Reply(reply));
        }
        let number = self.posted.len() + 1;
        let mut habits = self.habits.iter();
        let habit = habits.find(|habit| number.is_multiple_of(habit.every))?;
        Some(habit.act.clone())
    }
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
        Slack::start_at((Ipv4Addr::LOCALHOST, 0).into(), replies).await
    }

    /// The same at an address where nobody listened before.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn start_at(
        address: SocketAddr,
        replies: impl IntoIterator<Item = SlackReply>,
    ) -> Result<Slack, Failure> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(Failure::io("listening for webhooks"))?;
        let address = listener
            .local_addr()
            .map_err(Failure::io("asking for the webhooks' port"))?;
        let book = Arc::new(Mutex::new(Book {
            replies: replies.into_iter().collect(),
            ..Book::default()
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

    /// From now on it does so whenever it has no reply that it was told.
    pub fn has_habits(&self, habits: impl IntoIterator<Item = SlackHabit>) {
        lock(&self.book).habits = habits.into_iter().collect();
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
    let (act, number) = {
        let mut book = lock(&book);
        let act = book.act();
        book.posted.push(posted(&uri, &headers, &body));
        (act, book.posted.len() - 1)
    };
    let usual = || {
        let body = serde_json::from_slice(&body).unwrap_or_default();
        let answer = api(uri.path(), number, &body);
        SlackReply::new(200, &answer.unwrap_or_else(|| "ok".to_owned()))
    };
    let reply = match act {
        Some(SlackAct::Reply(reply)) => reply,
        // Unwinding ends the connection's task without calling the panic hook.
        Some(SlackAct::Cut) => std::panic::resume_unwind(Box::new("cut as it was told")),
        Some(SlackAct::Slow(time)) => {
            tokio::time::sleep(time).await;
            usual()
        }
        None => usual(),
    };
    // Noted before it is said: what the book has as not answered was not.
    if let Some(posted) = lock(&book).posted.get_mut(number) {
        posted.answered = Some(reply.status);
    }
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

fn posted(uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Posted {
    let headers = headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    Posted {
        path: uri.path().to_owned(),
        body: serde_json::from_slice(body).unwrap_or_default(),
        text: String::from_utf8_lossy(body).into_owned(),
        headers: headers.collect(),
        answered: None,
    }
}

fn lock(book: &Mutex<Book>) -> std::sync::MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}
