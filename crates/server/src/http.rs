//! HTTP: facts in, health, measures and the journal out.

mod answer;
mod auth;
mod events;
mod health;
mod journal;
mod metrics;

use crate::shared::Shared;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, Request};
use axum::routing::get;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::TraceLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What handlers see.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) shared: Shared,
    pub(crate) requests: Arc<Semaphore>,
}

#[derive(OpenApi)]
#[openapi(info(
    title = "Sottaku",
    description = "Facts in, and what was decided on them. Facts are CloudEvents 1.0.",
    license(name = "Apache-2.0")
))]
struct Api;

fn api() -> OpenApiRouter<Door> {
    OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(events::post_events))
        .routes(routes!(journal::get_journal))
        .routes(routes!(health::get_health))
        .routes(routes!(metrics::get_metrics))
}

/// The description of the HTTP interface, as `GET /v1/openapi.json` gives it.
pub fn openapi() -> String {
    let mut api = api().into_openapi();
    auth::describe(&mut api);
    api.to_pretty_json().unwrap_or_default()
}

/// The routes.
pub(crate) fn router(shared: Shared) -> Router {
    let limits = shared.config.limits.clone();
    let door = Door {
        shared,
        requests: Arc::new(Semaphore::new(limits.requests_max)),
    };
    let description = openapi();
    let (router, _) = api().split_for_parts();
    let id = HeaderName::from_static("x-request-id");
    let trace = TraceLayer::new_for_http().make_span_with(|request: &Request<_>| {
        // The path only: a query may name an account, and headers hold the token.
        let id = request
            .headers()
            .get("x-request-id")
            .and_then(|id| id.to_str().ok())
            .unwrap_or_default();
        tracing::debug_span!("request", method = %request.method(), path = request.uri().path(), id)
    });
    router
        .route(
            "/v1/openapi.json",
            get(move || answer::json_text(description.clone())),
        )
        .fallback(answer::not_found)
        .layer(DefaultBodyLimit::max(limits.body_bytes_max))
        .layer(CatchPanicLayer::custom(answer::panicked))
        .layer(trace)
        .layer(PropagateRequestIdLayer::new(id.clone()))
        .layer(SetRequestIdLayer::new(id, MakeRequestUuid))
        .with_state(door)
}
