//! `GET /metrics`: measures for a scraper.

use super::Door;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

/// Gives the measures in the OpenMetrics text format.
#[utoipa::path(get, path = "/metrics", responses((status = 200, description = "Measures", body = String)))]
pub(crate) async fn get_metrics(State(door): State<Door>) -> impl IntoResponse {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    (
        [(header::CONTENT_TYPE, content_type)],
        door.shared.measures.text(),
    )
}
