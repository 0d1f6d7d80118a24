//! `POST /slack/actions`: a button that somebody pressed in Slack answers a task, as a command would.

pub(super) mod command;

use super::Door;
use super::answer::{Problem, Refusal};
use super::tasks;
use crate::answer::{AnswerError, Reply, csm_in_slack};
use crate::shared::Shared;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use jiff::civil::{Time, time};
use jiff::tz::TimeZone;
use outreach::slack::actions::{self, Button, Press};
use outreach::slack::{escaped, verify};
use serde_json::Value;

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
    let post = match told(shared, &press, now).await {
        Ok(words) => actions::answered(&press, &words),
        Err(AnswerError::NotOpen { state, .. }) => {
            actions::answered(&press, &format!("Already {}.", state.as_str()))
        }
        Err(AnswerError::Value(why)) => actions::unanswered(&press, &escaped(&why)),
        // Nothing that can be answered so: a button of another workspace, or of a store that was put back.
        Err(AnswerError::Unknown(_) | AnswerError::OtherKind { .. }) => return Ok(StatusCode::OK),
        Err(AnswerError::Workspace(_) | AnswerError::Failed(_) | AnswerError::Log(_)) => {
            let message = "the answer could not be kept; press again";
            let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "failed", message);
            return Err(refusal.retry_after("5"));
        }
    };
    // Slack wants its answer within three seconds; the post may be changed later.
    tokio::spawn(show(shared.clone(), press, post));
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

/// Tells the answer as everybody's is told; what the post says of it then.
async fn told(shared: &Shared, press: &Press, now: Timestamp) -> Result<String, AnswerError> {
    let reply = match press.button {
        Button::Approve => Reply::Approve,
        Button::Reject => Reply::Reject,
        Button::Done => Reply::Done {
            outcome: press.outcome.clone(),
            set: Vec::new(),
        },
        Button::Snooze => Reply::Snooze {
            until: tomorrow(now, &morning(shared)),
        },
        Button::Reassign => {
            let user = press.chosen.as_deref().unwrap_or_default();
            let to = csm_in_slack(&shared.store, &press.task, user).await?;
            let unknown = || AnswerError::Value(format!("{user} is no CSM here").into());
            Reply::Reassign {
                to: to.ok_or_else(unknown)?,
            }
        }
    };
    let by = format!("slack:{}", press.user);
    tasks::tell(shared, &press.task, &reply, Some(&by)).await?;
    Ok(said(press, now))
}

/// When work begins by the calendar that decides: those who press live by it.
fn morning(shared: &Shared) -> (Time, TimeZone) {
    let active = shared.latest();
    let calendar = active.as_ref().map(|active| &active.program.calendar);
    let zone = calendar.and_then(|calendar| TimeZone::get(&calendar.timezone).ok());
    let opens_at = calendar.map(|calendar| calendar.opens_at);
    (
        opens_at.unwrap_or(time(9, 0, 0, 0)),
        zone.unwrap_or(TimeZone::UTC),
    )
}

/// The morning of the next day.
fn tomorrow(now: Timestamp, (morning, zone): &(Time, TimeZone)) -> Timestamp {
    let today = now.to_zoned(zone.clone()).date();
    let next = today.tomorrow().unwrap_or(today).to_datetime(*morning);
    let at = next.to_zoned(zone.clone()).map(|at| at.timestamp());
    at.unwrap_or(now)
}

/// Who answered what, in the post.
fn said(press: &Press, now: Timestamp) -> String {
    let what = match (press.button, &press.outcome, &press.chosen) {
        (Button::Approve, _, _) => "Approved".to_owned(),
        (Button::Reject, _, _) => "Rejected".to_owned(),
        (Button::Done, None, _) => "Done".to_owned(),
        (Button::Done, Some(outcome), _) => format!("Done ({})", escaped(outcome)),
        (Button::Snooze, _, _) => "Put off to tomorrow".to_owned(),
        (Button::Reassign, _, to) => {
            format!("Handed over to <@{}>", to.as_deref().unwrap_or_default())
        }
    };
    let seconds = now.as_second();
    let user = &press.user;
    format!("{what}: <@{user}>, <!date^{seconds}^{{date_short_pretty}} {{time}}|{now}>")
}

/// Shows who answered in the place of the buttons. That it fails harms nothing: the answer is in the log.
async fn show(shared: Shared, press: Press, post: Value) {
    let Some((channel, ts)) = &press.place else {
        return;
    };
    let means = &shared.means;
    let fate = means.update((channel, ts), &post).await;
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
    fn the_next_morning_is_that_of_the_calendar() {
        let utc = (time(9, 0, 0, 0), TimeZone::UTC);
        let tokyo = TimeZone::get("Asia/Tokyo").expect("a zone");
        let tokyo = (time(8, 30, 0, 0), tokyo);
        for (at, morning, expected) in [
            ("2026-01-13T00:00:00Z", &utc, "2026-01-14T09:00:00Z"),
            ("2026-01-13T23:59:59Z", &utc, "2026-01-14T09:00:00Z"),
            // Eight in the morning of the 14th, before work begins.
            ("2026-01-13T23:00:00Z", &tokyo, "2026-01-14T23:30:00Z"),
        ] {
            let at: Timestamp = at.parse().expect("an instant");
            assert_eq!(tomorrow(at, morning).to_string(), expected);
        }
        assert!(tomorrow(noon(), &utc) > noon());
    }
}
