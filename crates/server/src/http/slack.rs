//! `POST /slack/actions`: a button that somebody pressed in Slack answers a task, as a command would.

use super::Door;
use super::answer::{Problem, Refusal};
use crate::shared::Shared;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use jiff::civil::time;
use jiff::tz::TimeZone;
use model::{Fact, TaskChange, TaskKind, TaskState};
use outreach::slack::actions::{self, Button, Press};
use outreach::slack::verify;
use serde_json::{Map, json};
use store::{Incoming, NewFact, Role};

/// The largest body; Slack's are a few kilobytes.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// Takes a pressed button.
///
/// Slack signs each request with the app's signing secret. An answer to a task that is answered already changes nothing.
#[utoipa::path(
    post,
    path = "/slack/actions",
    request_body(content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "It is durable, or there was nothing to answer"),
        (status = 401, description = "Not signed by Slack, or too long ago", body = Problem),
        (status = 404, description = "No `slack.signing_secret` is set", body = Problem),
        (status = 413, description = "Too large", body = Problem),
        (status = 503, description = "It may have been taken: press again", body = Problem)
    )
)]
pub(crate) async fn post_actions(
    State(door): State<Door>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let shared = &door.shared;
    let now = shared.clock.now();
    admit(shared, &headers, (&body, now))?;
    let Some(press) = actions::read(&body) else {
        return Ok(StatusCode::OK);
    };
    let failed = |_| {
        let message = "the answer could not be kept; press again";
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "failed", message).retry_after("5")
    };
    let row = shared.store.task(&press.task).await.map_err(failed)?;
    let Some(row) = row.filter(|row| row.task.kind == kind(press.button)) else {
        return Ok(StatusCode::OK);
    };
    let words = if row.task.state == TaskState::Open {
        let fact = fact(&row.task, &press, now);
        let facts = vec![NewFact {
            shard: row.shard,
            arrived_at: now,
            json: fact.into(),
        }];
        let parked = Vec::new();
        let told = shared.store.append(Incoming { facts, parked }).await;
        told.map_err(|_| failed(store::Failure::Closed))?;
        shared.bells.ring(row.shard, Role::Decide);
        said(&press, now)
    } else {
        let state = row.task.state.as_str();
        format!("Already {state}.")
    };
    // Slack wants its answer within three seconds; the post may be changed later.
    tokio::spawn(show(shared.clone(), press, words));
    Ok(StatusCode::OK)
}

/// Lets a request pass that Slack signed lately.
fn admit(
    shared: &Shared,
    headers: &HeaderMap,
    (body, now): (&Bytes, Timestamp),
) -> Result<(), Refusal> {
    let Some(secret) = &shared.config.reach.slack_signing else {
        let message = "`slack.signing_secret` is not set";
        return Err(Refusal::new(StatusCode::NOT_FOUND, "not_found", message));
    };
    if body.len() > BODY_BYTES_MAX {
        let message = format!("a body may have {BODY_BYTES_MAX} bytes");
        return Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            message,
        ));
    }
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let timestamp = header("x-slack-request-timestamp").unwrap_or_default();
    let signature = header("x-slack-signature").unwrap_or_default();
    let secret = outreach::Secret::new(secret.expose());
    verify(&secret, (timestamp, signature), body, now.as_second())
        .map_err(|why| Refusal::new(StatusCode::UNAUTHORIZED, "unauthorized", why.to_string()))
}

fn kind(button: Button) -> TaskKind {
    match button {
        Button::Approve | Button::Reject => TaskKind::Approve,
        Button::Done | Button::Snooze => TaskKind::Do,
    }
}

/// The fact that tells the answer: pressed twice it is the same fact. It carries no time, so it happens when it is read.
fn fact(task: &TaskChange, press: &Press, now: Timestamp) -> String {
    let kind = match press.button {
        Button::Approve => "task.approved",
        Button::Reject => "task.rejected",
        Button::Done => "task.done",
        Button::Snooze => "task.snoozed",
    };
    let mut data = Map::new();
    data.insert("task".into(), json!(task.task));
    data.insert("by".into(), json!(format!("slack:{}", press.user)));
    let mut named = vec![kind.to_owned(), task.task.to_string()];
    if press.button == Button::Snooze {
        let until = tomorrow(now);
        named.push(until.to_string());
        data.insert("until".into(), json!(until));
    }
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    let id = blake3::Hash::from_bytes(model::id::digest(&named)).to_hex();
    let fact = Fact {
        specversion: "1.0".into(),
        id: id[..32].into(),
        source: "sottaku/slack".into(),
        kind: kind.into(),
        subject: Some(task.account.as_str().into()),
        time: None,
        is_history: false,
        arrived_at: None,
        data,
    };
    serde_json::to_string(&fact).unwrap_or_default()
}

/// The next morning, by UTC's day: near enough for what a person puts off.
fn tomorrow(now: Timestamp) -> Timestamp {
    let today = now.to_zoned(TimeZone::UTC).date();
    let next = today.tomorrow().unwrap_or(today);
    let at = next.to_datetime(time(0, 0, 0, 0));
    let at = at.to_zoned(TimeZone::UTC).map(|at| at.timestamp());
    at.unwrap_or(now)
}

/// Who answered what, in the post.
fn said(press: &Press, now: Timestamp) -> String {
    let what = match press.button {
        Button::Approve => "Approved",
        Button::Reject => "Rejected",
        Button::Done => "Done",
        Button::Snooze => "Put off to tomorrow",
    };
    let seconds = now.as_second();
    let user = &press.user;
    format!("{what}: <@{user}>, <!date^{seconds}^{{date_short_pretty}} {{time}}|{now}>")
}

/// Shows who answered in the place of the buttons. That it fails harms nothing: the answer is in the log.
async fn show(shared: Shared, press: Press, words: String) {
    let Some((channel, ts)) = &press.place else {
        return;
    };
    let means = &shared.means;
    let fate = means
        .update((channel, ts), &actions::answered(&press, &words))
        .await;
    if !matches!(fate, outreach::Fate::Sent { .. }) {
        let task = &press.task;
        tracing::warn!(%task, %fate, "the post could not be changed to show who answered");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::noon;

    #[test]
    fn the_next_morning_lies_ahead() {
        for at in ["2026-01-13T00:00:00Z", "2026-01-13T23:59:59Z"] {
            let at: Timestamp = at.parse().expect("an instant");
            assert_eq!(tomorrow(at).to_string(), "2026-01-14T00:00:00Z");
        }
        assert!(tomorrow(noon()) > noon());
    }
}
