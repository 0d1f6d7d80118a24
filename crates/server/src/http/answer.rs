//! Answers that are not what was asked for: a code and a sentence, as JSON.

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use std::any::Any;
use utoipa::ToSchema;

/// Why a request was refused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// A stable word.
    pub(crate) code: &'static str,
    /// What is wrong, and what to do.
    pub(crate) message: String,
}

/// A refusal with its status.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    problem: Problem,
    retry_after: Option<&'static str>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            problem: Problem {
                code,
                message: message.into(),
            },
            retry_after: None,
        }
    }

    /// The caller may send the same again after so many seconds.
    pub(crate) fn retry_after(self, seconds: &'static str) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        let mut response = (self.status, Json(self.problem)).into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

pub(crate) async fn not_found() -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "there is no such path; GET /v1/openapi.json lists them",
    )
}

pub(crate) async fn json_text(text: String) -> Response<Body> {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// The panic's own text may hold data, so it is not told.
pub(crate) fn panicked(_: Box<dyn Any + Send>) -> Response<Body> {
    tracing::error!("a request handler panicked");
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "failed",
        "the request failed; what it brought may have been taken: send the same again",
    )
    .retry_after("5")
    .into_response()
}
