//! Who may come in: a bearer token, compared in constant time.

use super::answer::Refusal;
use crate::Config;
use axum::http::{HeaderMap, StatusCode, header};
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

/// Lets a request pass if its token is one of ours, or if none is configured.
pub(crate) fn admit(config: &Config, headers: &HeaderMap) -> Result<(), Refusal> {
    if config.tokens.is_empty() {
        return Ok(());
    }
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let given = blake3::hash(token.unwrap_or_default().as_bytes());
    // Hashes compare in constant time, and every token is looked at.
    let is_known = config.tokens.iter().fold(false, |is_known, known| {
        is_known | (blake3::hash(known.expose().as_bytes()) == given)
    });
    if token.is_some() && is_known {
        return Ok(());
    }
    let message = "send `Authorization: Bearer …` with a token from the settings";
    Err(Refusal::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        message,
    ))
}

/// Names the scheme in the description.
pub(crate) fn describe(api: &mut OpenApi) {
    let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)).into();
    api.components
        .get_or_insert_default()
        .security_schemes
        .insert("bearer".into(), scheme);
}
