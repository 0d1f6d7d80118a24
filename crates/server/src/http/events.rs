//! `POST /v1/events`: facts in. 202 comes only when all that was accepted is durable.

use super::Door;
use super::answer::{Problem, Refusal};
use super::auth::admit;
use crate::arrive::append;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use ingest::{Form, NewFact, Refused, Rules};
use serde::Serialize;
use store::{AppendError, ClockMode};
use tokio::time::timeout;
use utoipa::ToSchema;

/// What became of the facts of a body.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    /// How many are in the log now.
    accepted: usize,
    /// Those put aside, each with its reason.
    parked: Vec<ParkedFact>,
}

/// A fact that was put aside.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ParkedFact {
    /// Which fact of the body, from 0.
    index: usize,
    /// Why: `bad_subject`, `bad_envelope`, `reserved_type`, `too_large`, `bad_data`, `bad_time`.
    code: &'static str,
    /// In words.
    message: Box<str>,
    /// The attribute or field it is about.
    field: Option<Box<str>>,
}

/// Brings facts in.
///
/// One CloudEvent (`application/cloudevents+json`), many (`application/cloudevents-batch+json`,
/// `application/x-ndjson`), or one in binary mode (`application/json` with `ce-` headers). A fact sent again with the
/// same `source` and `id` within 7 days counts once. Extension attributes other than `sottakuhistory` are dropped.
#[utoipa::path(
    post,
    path = "/v1/events",
    security(("bearer" = [])),
    request_body(content(
        (serde_json::Value = "application/cloudevents+json"),
        (Vec<serde_json::Value> = "application/cloudevents-batch+json"),
        (serde_json::Value = "application/json"),
        (String = "application/x-ndjson")
    )),
    responses(
        (status = 202, description = "What was accepted is durable; what was not is listed", body = Accepted),
        (status = 400, description = "Not readable at all; nothing was taken", body = Problem),
        (status = 401, description = "No valid token; nothing was taken", body = Problem),
        (status = 408, description = "The body came too slowly; nothing was taken", body = Problem),
        (status = 413, description = "Too large; nothing was taken", body = Problem),
        (status = 415, description = "Not one of the content types; nothing was taken", body = Problem),
        (status = 429, description = "Too much at once; nothing was taken, try again later", body = Problem),
        (status = 503, description = "It may have been taken: send the same again", body = Problem)
    )
)]
pub(crate) async fn post_events(
    State(door): State<Door>,
    request: Request,
) -> Result<(StatusCode, Json<Accepted>), Refusal> {
    let measures = door.shared.measures.clone();
    let taken = take(&door, request).await;
    match &taken {
        Ok(accepted) => {
            measures
                .accepted
                .inc_by(u64::try_from(accepted.accepted).unwrap_or(u64::MAX));
            for parked in &accepted.parked {
                measures
                    .parked
                    .get_or_create(&vec![("code", parked.code)])
                    .inc();
            }
        }
        Err(refusal) => {
            measures
                .refused
                .get_or_create(&vec![("status", word(refusal.status))])
                .inc();
        }
    }
    taken.map(|accepted| (StatusCode::ACCEPTED, Json(accepted)))
}

async fn take(door: &Door, request: Request) -> Result<Accepted, Refusal> {
    let shared = &door.shared;
    let limits = &shared.config.limits;
    admit(&shared.config, request.headers())?;
    let form = form(request.headers())?;
    let busy = || {
        let message = "too many requests at once; nothing was taken";
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, "busy", message).retry_after("1")
    };
    let _permit = door.requests.try_acquire().map_err(|_| busy())?;
    let (parts, body) = request.into_parts();
    let headers = parts.headers.clone();
    let body = Bytes::from_request(Request::from_parts(parts, body), &());
    let body = timeout(limits.request_time_max, body)
        .await
        .map_err(|_| {
            Refusal::new(
                StatusCode::REQUEST_TIMEOUT,
                "slow",
                "the body came too slowly; nothing was taken",
            )
        })?
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                too_large(format!("a body may have {} bytes", limits.body_bytes_max))
            }
            _ => Refusal::new(
                StatusCode::BAD_REQUEST,
                "cut",
                "the body ended too early; nothing was taken",
            ),
        })?;
    let items = decode(door, form, &headers, &body)?;
    let started = std::time::Instant::now();
    match timeout(limits.request_time_max, append(shared, &items)).await {
        Err(_) => return Err(unsure("it takes too long to make the facts durable")),
        Ok(Err(AppendError::QueueFull)) => return Err(busy()),
        Ok(Err(error @ AppendError::NoShard(_))) => return Err(unsure(&error.to_string())),
        Ok(Err(AppendError::Failed(failure))) => {
            tracing::error!(%failure, "facts could not be made durable; the caller was told to send them again");
            return Err(unsure("the store does not take facts now"));
        }
        Ok(Ok(())) => {}
    }
    shared
        .measures
        .append_seconds
        .observe(started.elapsed().as_secs_f64());
    Ok(accepted(items))
}

fn decode(
    door: &Door,
    form: Form,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Vec<Result<NewFact, Refused>>, Refusal> {
    let shared = &door.shared;
    let rules = Rules {
        is_log_clock: shared.store.clock() == ClockMode::Log,
        marks_history: false,
    };
    let headers: Vec<(&str, &[u8])> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let items = ingest::decode(form, &headers, body, rules).map_err(|unreadable| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "unreadable",
            unreadable.to_string(),
        )
    })?;
    let facts_max = shared.config.limits.body_facts_max;
    if items.len() > facts_max {
        return Err(too_large(format!("a body may have {facts_max} facts")));
    }
    Ok(items)
}

fn form(headers: &HeaderMap) -> Result<Form, Refusal> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let has_attributes = headers.contains_key("ce-specversion") || headers.contains_key("ce-id");
    let is_plain = !headers.contains_key(header::CONTENT_ENCODING);
    content_type.filter(|_| is_plain).and_then(|text| Form::of(text, has_attributes)).ok_or_else(|| {
        let message = "send application/cloudevents+json, application/cloudevents-batch+json, application/x-ndjson, \
            or application/json with ce- headers; in UTF-8, not compressed";
        Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", message)
    })
}

fn too_large(message: String) -> Refusal {
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too_large",
        message + "; nothing was taken",
    )
}

fn unsure(what: &str) -> Refusal {
    let message = format!("{what}; the facts may have been taken: send the same again");
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "unsure", message).retry_after("2")
}

fn accepted(items: Vec<Result<NewFact, Refused>>) -> Accepted {
    let count = items.len();
    let parked: Vec<ParkedFact> = items
        .into_iter()
        .filter_map(Result::err)
        .map(|refused| ParkedFact {
            index: refused.index,
            code: refused.parked.code.as_str(),
            message: refused.parked.message,
            field: refused.parked.field,
        })
        .collect();
    Accepted {
        accepted: count - parked.len(),
        parked,
    }
}

fn word(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "400",
        401 => "401",
        408 => "408",
        413 => "413",
        415 => "415",
        429 => "429",
        _ => "503",
    }
}
