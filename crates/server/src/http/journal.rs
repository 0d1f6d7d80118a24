//! `GET /v1/journal`: the public records, one JSON object a line.

use super::Door;
use super::answer::{Problem, Refusal};
use super::auth::admit;
use crate::records::{self, RecordFilter};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use model::AccountId;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which records.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Only of this account.
    account: Option<String>,
    /// Only of this workflow.
    workflow: Option<String>,
    /// Only from this instant on, RFC 3339.
    since: Option<String>,
    /// At most so many, 1,000 if not said and 100,000 at most.
    limit: Option<usize>,
}

/// Tells what was decided, in the order of the public records.
#[utoipa::path(
    get,
    path = "/v1/journal",
    security(("bearer" = [])),
    params(Wanted),
    responses(
        (status = 200, description = "Records, one JSON object a line", body = String, content_type = "application/x-ndjson"),
        (status = 400, description = "A parameter can't be used", body = Problem),
        (status = 401, description = "No valid token", body = Problem),
        (status = 503, description = "The store fails", body = Problem)
    )
)]
pub(crate) async fn get_journal(
    State(door): State<Door>,
    headers: HeaderMap,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    admit(&door.shared.config, &headers)?;
    let bad = |message: String| Refusal::new(StatusCode::BAD_REQUEST, "bad_parameter", message);
    let Query(wanted) = wanted.map_err(|rejection| bad(rejection.body_text()))?;
    let since = wanted
        .since
        .map(|text| {
            text.parse::<Timestamp>()
                .map_err(|_| bad("since must be RFC 3339 with an offset".into()))
        })
        .transpose()?;
    let filter = RecordFilter {
        account: wanted.account.map(AccountId::new),
        workflow: wanted.workflow.map(Into::into),
        since,
        count_max: wanted.limit.unwrap_or(1_000).min(records::COUNT_MAX),
    };
    let lines = records::read(&door.shared.store, &filter)
        .await
        .map_err(|failure| {
            Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "failed",
                failure.to_string(),
            )
            .retry_after("2")
        })?;
    let mut body = String::new();
    for line in lines {
        body.push_str(&line);
        body.push('\n');
    }
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}
