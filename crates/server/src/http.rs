//! HTTP: facts in, health, measures and the journal out.

mod answer;
pub(crate) mod approval;
mod auth;
mod events;
mod health;
mod journal;
mod leave;
mod mail_events;
mod metrics;
mod pace;
mod slack;
mod tasks;
mod track;

use crate::run::Roles;
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
    pub(crate) pace: pace::Pace,
}

#[derive(OpenApi)]
#[openapi(info(
    title = "Sottaku",
    description = "Facts in, and what was decided on them. Facts are CloudEvents 1.0.",
    license(name = "Apache-2.0")
))]
struct Api;

/// What a process with these roles answers of what is described.
fn api(roles: Roles) -> OpenApiRouter<Door> {
    let mut router = OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(health::get_health))
        .routes(routes!(metrics::get_metrics));
    if roles.ingest {
        router = router
            .routes(routes!(events::post_events))
            .routes(routes!(mail_events::post_mail_events));
    }
    if roles.api {
        router = router
            .routes(routes!(journal::get_journal))
            .routes(routes!(tasks::get_tasks))
            .routes(routes!(tasks::post_task))
            .routes(routes!(slack::post_actions))
            .routes(routes!(slack::command::post_commands));
    }
    router
}

/// The pages behind people's links.
fn links() -> Router<Door> {
    Router::new()
        .route("/c/{token}", get(track::get_click))
        .route("/o/{token}", get(track::get_open))
        .route(
            "/a/{token}",
            get(approval::get_approval).post(approval::post_approval),
        )
        .route(
            "/u/{token}",
            get(leave::get_leave)
                .post(leave::post_leave)
                .layer(DefaultBodyLimit::max(leave::BODY_BYTES_MAX)),
        )
}

/// The description of the HTTP interface, as `GET /v1/openapi.json` gives it.
pub fn openapi() -> String {
    let mut api = api(Roles::ALL).into_openapi();
    auth::describe(&mut api);
    api.to_pretty_json().unwrap_or_default()
}

/// A path as it may stand in a log: who holds a token may answer by it.
fn shown(path: &str) -> &str {
    ["/a/", "/c/", "/o/", "/u/"]
        .into_iter()
        .find(|known| path.starts_with(known))
        .unwrap_or(path)
}

/// The routes of a process that does everything.
#[cfg(test)]
pub(crate) fn router(shared: Shared) -> Router {
    router_of(shared, Roles::ALL)
}

/// The routes of a process with these roles.
pub(crate) fn router_of(shared: Shared, roles: Roles) -> Router {
    let limits = shared.config.limits.clone();
    let door = Door {
        shared,
        requests: Arc::new(Semaphore::new(limits.requests_max)),
        pace: pace::Pace::default(),
    };
    let description = openapi();
    let (mut router, _) = api(roles).split_for_parts();
    if roles.api {
        router = router.merge(links());
    }
    let id = HeaderName::from_static("x-request-id");
    let trace = TraceLayer::new_for_http().make_span_with(|request: &Request<_>| {
        // The path only: a query may name an account, and headers hold the token.
        let id = request
            .headers()
            .get("x-request-id")
            .and_then(|id| id.to_str().ok())
            .unwrap_or_default();
        tracing::debug_span!("request", method = %request.method(), path = shown(request.uri().path()), id)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Place;
    use axum::body::{Body, to_bytes};
    use store::ClockMode;
    use tower::ServiceExt;

    async fn get(shared: &Shared, path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response = router(shared.clone())
            .oneshot(request)
            .await
            .expect("an answer");
        assert!(response.headers().contains_key("x-request-id"));
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1 << 20)
            .await
            .expect("a body");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    #[tokio::test]
    async fn health_says_why_a_shard_makes_no_progress() {
        let place = Place::new(ClockMode::Live);
        let shared = place.shared(&[]).await;
        let (status, body) = get(&shared, "/healthz").await;
        assert_eq!(status, 503);
        assert!(body.contains("nobody may decide shard 0"), "{body}");
        for shard in 0..shared.store.shards() {
            for role in store::Role::ALL {
                let bid = store::Bid {
                    owner: "a".into(),
                    now: shared.clock.now(),
                    ttl: std::time::Duration::from_secs(6),
                };
                shared
                    .store
                    .acquire(shard, role, &bid)
                    .await
                    .expect("the store writes");
            }
        }
        let (status, body) = get(&shared, "/healthz").await;
        assert_eq!(status, 200, "{body}");
        assert!(body.contains("no workspace is applied"), "{body}");
        shared
            .status
            .fails(1, store::Role::Send, shared.clock.now(), "the disk is full");
        let (status, body) = get(&shared, "/healthz").await;
        assert_eq!(status, 503);
        assert!(
            body.contains("shard 1 can't send since") && body.contains("the disk is full"),
            "{body}"
        );
        shared.status.works(1, store::Role::Send);
        assert_eq!(get(&shared, "/healthz").await.0, 200);
        shared.store.close().await;
        assert_eq!(get(&shared, "/healthz").await.0, 503);
    }

    #[tokio::test]
    async fn measures_and_the_description_are_there_for_anybody() {
        let place = Place::new(ClockMode::Live);
        let shared = place.shared(&[("SOTTAKU_TOKEN", "t")]).await;
        shared.measures.accepted.inc();
        let (status, body) = get(&shared, "/metrics").await;
        assert_eq!(status, 200);
        assert!(body.contains("sottaku_facts_accepted_total 1"), "{body}");
        let (status, body) = get(&shared, "/v1/openapi.json").await;
        assert_eq!(status, 200);
        let api: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        let answers = api["paths"]["/v1/events"]["post"]["responses"]
            .as_object()
            .expect("answers");
        let codes: Vec<&String> = answers.keys().collect();
        assert_eq!(
            codes,
            ["202", "400", "401", "408", "413", "415", "429", "503"]
        );
        assert_eq!(get(&shared, "/v1/journal").await.0, 401);
        assert_eq!(get(&shared, "/nowhere").await.0, 404);
    }

    #[tokio::test]
    async fn a_process_answers_only_for_its_roles() {
        let place = Place::new(ClockMode::Live);
        let shared = place.shared(&[]).await;
        let asked = async |roles: Roles, path: &str| {
            let request = Request::get(path).body(Body::empty()).expect("a request");
            let response = router_of(shared.clone(), roles).oneshot(request).await;
            response.expect("an answer").status().as_u16()
        };
        let none = Roles {
            ingest: false,
            api: false,
            ..Roles::ALL
        };
        let (ingest, api) = (
            Roles {
                ingest: true,
                ..none
            },
            Roles { api: true, ..none },
        );
        // A path that is there takes POST only; one that is not there is not found.
        for (roles, path, status) in [
            (ingest, "/v1/events", 405),
            (ingest, "/v1/journal", 404),
            (ingest, "/u/none", 404),
            (api, "/v1/events", 404),
            (api, "/v1/journal", 200),
            (none, "/v1/events", 404),
            (none, "/v1/journal", 404),
            (none, "/metrics", 200),
        ] {
            assert_eq!(asked(roles, path).await, status, "{roles:?} {path}");
        }
    }

    #[tokio::test]
    async fn the_journal_refuses_what_it_does_not_know() {
        let place = Place::new(ClockMode::Live);
        let shared = place.shared(&[]).await;
        for (path, expected) in [
            ("/v1/journal", 200),
            (
                "/v1/journal?account=acme&limit=5&since=2026-01-01T00:00:00Z",
                200,
            ),
            ("/v1/journal?since=yesterday", 400),
            ("/v1/journal?acount=acme", 400),
        ] {
            assert_eq!(get(&shared, path).await.0, expected, "{path}");
        }
    }
}
