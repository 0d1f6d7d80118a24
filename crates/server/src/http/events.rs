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

#[cfg(test)]
mod tests {
    use crate::http::router;
    use crate::shared::Shared;
    use crate::trial::{Place, three_facts};
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use store::ClockMode;
    use tower::ServiceExt;

    const ONE: &str = "application/cloudevents+json";
    const MANY: &str = "application/cloudevents-batch+json";
    const LINES: &str = "application/x-ndjson";

    async fn told(shared: &Shared, headers: &[(&str, &str)], body: impl Into<Body>) -> String {
        let mut request = Request::post("/v1/events");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).expect("a request");
        let response = router(shared.clone())
            .oneshot(request)
            .await
            .expect("an answer");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.expect("a body");
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let retry = parts.headers.get("retry-after").map_or("", |_| " retry");
        match body.get("accepted") {
            Some(accepted) => {
                let parked = body["parked"].as_array().expect("a list");
                let parked: Vec<_> = parked
                    .iter()
                    .map(|it| format!(" {}:{}", it["index"], it["code"]))
                    .collect();
                format!("{} {accepted}{}", parts.status.as_u16(), parked.concat())
            }
            None => format!(
                "{} {}{retry}",
                parts.status.as_u16(),
                body["code"].as_str().unwrap_or_default()
            ),
        }
    }

    async fn log_ends(shared: &Shared) -> u64 {
        let mut ends = 0;
        for shard in 0..shared.store.shards() {
            ends += shared.store.log_end(shard).await.expect("the log");
        }
        ends
    }

    #[tokio::test]
    async fn all_four_forms_become_durable() {
        let shared = Place::new(ClockMode::Live);
        let shared = (shared.shared(&[]).await, shared);
        let (shared, _place) = (&shared.0, &shared.1);
        let [account, contact, contract] = three_facts("acme", "2026-01-13T09:00:00+09:00");
        let bad = contract.replace(r#""subject":"acme""#, r#""subject":"""#);
        let batch = format!("[{contact},{bad}]");
        let lines = format!("{contract}\n{account}\n");
        let csm = account.replace("account.updated", "csm.updated");
        assert_eq!(
            told(shared, &[("content-type", ONE)], account).await,
            "202 1"
        );
        assert_eq!(
            told(shared, &[("content-type", MANY)], batch).await,
            r#"202 1 1:"bad_subject""#
        );
        assert_eq!(
            told(shared, &[("content-type", LINES)], lines).await,
            "202 2"
        );
        let binary = [
            ("content-type", "application/json"),
            ("ce-specversion", "1.0"),
            ("ce-id", "b-1"),
            ("ce-source", "app"),
            ("ce-type", "user.logged_in"),
            ("ce-subject", "%E3%82%A2"),
        ];
        assert_eq!(told(shared, &binary, r#"{"user":"u1"}"#).await, "202 1");
        assert_eq!(log_ends(shared).await, 5);
        assert_eq!(told(shared, &[("content-type", ONE)], csm).await, "202 1");
        assert_eq!(
            log_ends(shared).await,
            7,
            "a fact about a CSM goes to every shard"
        );
        assert_eq!(shared.store.parked_count().await.expect("a count"), 1);
    }

    #[tokio::test]
    async fn what_is_refused_leaves_nothing_behind() {
        let place = Place::new(ClockMode::Live);
        let shared = place
            .shared(&[
                ("SOTTAKU_TOKEN", "t-1"),
                ("SOTTAKU_LIMITS_BODY_BYTES_MAX", "2000"),
            ])
            .await;
        let [fact, ..] = three_facts("acme", "2026-01-13T09:00:00+09:00");
        let token = ("authorization", "Bearer t-1");
        let one = ("content-type", ONE);
        let large = fact.replace("アクメ", &"x".repeat(2_000));
        for (headers, body, expected) in [
            (vec![one], fact.clone(), "401 unauthorized"),
            (
                vec![one, ("authorization", "Bearer t-2")],
                fact.clone(),
                "401 unauthorized",
            ),
            (
                vec![one, ("authorization", "Basic t-1")],
                fact.clone(),
                "401 unauthorized",
            ),
            (vec![token], fact.clone(), "415 content_type"),
            (
                vec![token, ("content-type", "text/plain")],
                fact.clone(),
                "415 content_type",
            ),
            (
                vec![token, ("content-type", "application/json")],
                fact.clone(),
                "415 content_type",
            ),
            (
                vec![token, one, ("content-encoding", "gzip")],
                fact.clone(),
                "415 content_type",
            ),
            (vec![token, one], large, "413 too_large"),
            (vec![token, one], fact[..20].to_owned(), "400 unreadable"),
            (
                vec![token, ("content-type", MANY)],
                fact.clone(),
                "400 unreadable",
            ),
        ] {
            assert_eq!(told(&shared, &headers, body).await, expected, "{headers:?}");
        }
        assert_eq!(log_ends(&shared).await, 0);
        assert_eq!(told(&shared, &[token, one], fact).await, "202 1");
    }

    #[tokio::test]
    async fn too_many_requests_at_once_are_told_to_come_again() {
        let place = Place::new(ClockMode::Live);
        let shared = place.shared(&[("SOTTAKU_LIMITS_REQUESTS_MAX", "1")]).await;
        let router = router(shared.clone());
        let [fact, ..] = three_facts("acme", "2026-01-13T09:00:00+09:00");
        // The first body never ends, so its request stays under way.
        let (held, body) = tokio::io::duplex(16);
        let endless = Body::from_stream(tokio_util::io::ReaderStream::new(body));
        let request = |body| {
            Request::post("/v1/events")
                .header("content-type", ONE)
                .body(body)
                .expect("a request")
        };
        let mut first = Box::pin(router.clone().oneshot(request(endless)));
        let second = router.oneshot(request(Body::from(fact)));
        let second = tokio::select! {
            biased;
            _ = &mut first => panic!("the first can't end"),
            second = second => second.expect("an answer"),
        };
        assert_eq!(second.status().as_u16(), 429);
        assert!(second.headers().contains_key("retry-after"));
        drop(held);
    }

    #[tokio::test]
    async fn control_facts_come_in_under_the_log_clock_only() {
        let tick = r#"{"specversion":"1.0","id":"t","source":"me","type":"sottaku.tick","time":"2026-02-01T00:00:00Z"}"#;
        for (clock, expected) in [
            (ClockMode::Live, r#"202 0 0:"reserved_type""#),
            (ClockMode::Log, "202 1"),
        ] {
            let place = Place::new(clock);
            let shared = place.shared(&[]).await;
            assert_eq!(
                told(&shared, &[("content-type", ONE)], tick).await,
                expected
            );
        }
    }

    #[tokio::test]
    async fn a_closed_store_is_told_as_unsure() {
        let place = Place::new(ClockMode::Live);
        let shared = place.shared(&[]).await;
        shared.store.close().await;
        let [fact, ..] = three_facts("acme", "2026-01-13T09:00:00+09:00");
        assert_eq!(
            told(&shared, &[("content-type", ONE)], fact).await,
            "503 unsure retry"
        );
    }
}
