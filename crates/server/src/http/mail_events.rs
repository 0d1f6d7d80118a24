//! `POST /v1/mail-events/{provider}`: what mail providers tell of our messages, each with its own proof.

mod verify;

use super::Door;
use super::answer::{Problem, Refusal};
use crate::returns::{self, Received, Returns, Whose};
use crate::shared::Shared;
use crate::track::{HumanConfidence, human_confidence};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use ingest::mail::{Class, Purpose};
use ingest::notice::{self, Heard, Name, Notice, Provider};
use model::MessageId;
use serde::Serialize;
use store::{Answer, Failure, Said};
use utoipa::ToSchema;

/// What became of the notices of a body.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Taken {
    /// How many said something new, which is in the log now.
    told: usize,
    /// How many said nothing new, or were about no message of ours.
    ignored: usize,
}

/// Brings what a mail provider tells: delivered, bounced, complained, opened, clicked.
///
/// `ses`, `sendgrid` and `postmark` send their own words and proofs; `generic` takes ours with the signature of
/// Standard Webhooks. Told again it counts once.
#[utoipa::path(
    post,
    path = "/v1/mail-events/{provider}",
    params(("provider" = String, Path, description = "`ses`, `sendgrid`, `postmark` or `generic`")),
    request_body(content((serde_json::Value = "application/json"))),
    responses(
        (status = 200, description = "What was new is durable", body = Taken),
        (status = 400, description = "Not what this provider sends; nothing was taken", body = Problem),
        (status = 401, description = "Not proven to be the provider's; nothing was taken", body = Problem),
        (status = 404, description = "The settings name no such provider", body = Problem),
        (status = 413, description = "Too large; nothing was taken", body = Problem),
        (status = 429, description = "Too much at once; nothing was taken, try again later", body = Problem),
        (status = 503, description = "Some of it may have been taken: send the same again", body = Problem)
    )
)]
pub(crate) async fn post_mail_events(
    State(door): State<Door>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Taken>, Refusal> {
    let shared = &door.shared;
    let _permit = door.requests.try_acquire().map_err(|_| {
        let message = "too many requests at once; nothing was taken";
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, "busy", message).retry_after("1")
    })?;
    let provider = Provider::ALL
        .into_iter()
        .find(|known| known.as_str() == provider);
    let known = &shared.config.mail_events;
    let said = verify::Said {
        headers: &headers,
        body: &body,
        now: shared.clock.now(),
    };
    let proven = provider.map(|provider| (provider, verify::verify(known, provider, &said)));
    let provider = match proven {
        Some((provider, verify::Verdict::Proven)) => provider,
        Some((_, verify::Verdict::Forged(why))) => {
            count(shared, "forged");
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, "unauthorized", why));
        }
        Some((_, verify::Verdict::Unknown)) | None => {
            let message = "the settings name no such provider under `mail_events`";
            return Err(Refusal::new(StatusCode::NOT_FOUND, "not_found", message));
        }
    };
    let notices = notice::read(provider, &body)
        .map_err(|fault| Refusal::new(StatusCode::BAD_REQUEST, "unreadable", fault.to_string()))?;
    let mut taken = Taken::default();
    for notice in &notices {
        let received = take(shared, notice).await.map_err(|failure| {
            tracing::error!(%failure, "a notice could not be made durable; the provider was told to send it again");
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "unsure", "send the same again").retry_after("5")
        })?;
        match received {
            Received::Told => taken.told += 1,
            Received::Again | Received::Ignored | Received::Unproven | Received::Unread(_) => {
                taken.ignored += 1;
            }
        }
        count(shared, received.as_str());
    }
    Ok(Json(taken))
}

fn count(shared: &Shared, what: &'static str) {
    shared
        .measures
        .came_back
        .get_or_create(&vec![("what", what)])
        .inc();
}

/// The first name under which a message of ours is known decides.
async fn take(shared: &Shared, notice: &Notice) -> Result<Received, Failure> {
    for name in &notice.names {
        if let Some(message) = message(shared, name).await? {
            if is_of_readers(notice.heard) && is_of_machine(shared, &message).await? {
                return Ok(Received::Ignored);
            }
            let received = returns::tell(shared, answer(shared, notice, message)).await?;
            if received != Received::Unproven {
                return Ok(received);
            }
        }
    }
    Ok(Received::Unproven)
}

fn is_of_readers(heard: Heard) -> bool {
    match heard {
        Heard::Opened | Heard::Clicked => true,
        Heard::Delivered | Heard::Bounced(..) | Heard::Complained => false,
    }
}

/// Whether it was a machine that looked or followed, by the same rule as where we notice it ourselves.
async fn is_of_machine(shared: &Shared, message: &MessageId) -> Result<bool, Failure> {
    let is_machine = human_confidence(shared, message).await? == HumanConfidence::Low;
    if is_machine {
        count(shared, "machine");
    }
    Ok(is_machine)
}

async fn message(shared: &Shared, name: &Name) -> Result<Option<MessageId>, Failure> {
    Ok(match name {
        Name::Message(id) => Some(MessageId::new(id.clone())),
        Name::MessageId(id) => returns::of_message_id(id),
        Name::Sender(address) => {
            let returns = Returns::of(shared);
            let whose = returns.whose(std::slice::from_ref(address), Purpose::Bounce);
            match whose.await? {
                Whose::Message(message) => Some(message),
                Whose::Nobody => None,
            }
        }
    })
}

fn answer(shared: &Shared, notice: &Notice, message: MessageId) -> Answer {
    let (said, code) = match notice.heard {
        Heard::Delivered => (Said::Delivered, None),
        Heard::Bounced(Class::Hard, code) => (Said::BouncedHard, code),
        Heard::Bounced(Class::Soft, code) => (Said::BouncedSoft, code),
        Heard::Bounced(Class::Policy, code) => (Said::BouncedByPolicy, code),
        Heard::Complained => (Said::Complained, None),
        Heard::Opened => (Said::Opened, None),
        Heard::Clicked => (Said::Clicked, None),
    };
    // A message bounces once, whoever tells it; it may be opened and clicked often.
    let name = match said {
        Said::Opened | Said::Clicked => notice.event.clone(),
        Said::Delivered
        | Said::BouncedHard
        | Said::BouncedSoft
        | Said::BouncedByPolicy
        | Said::Complained
        | Said::Replied
        | Said::Scanned => "".into(),
    };
    Answer {
        message,
        said,
        name,
        about: notice
            .recipient
            .iter()
            .map(|address| shared.address(address))
            .collect(),
        code: code.map(|code| code.to_string().into()),
        detail: "".into(),
        now: shared.clock.now(),
    }
}

#[cfg(test)]
mod tests;
