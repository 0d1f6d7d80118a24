//! `/u/TOKEN`: leaving a topic by one click (RFC 8058) or on a page, which changes nothing until somebody answers it.
//!
//! Programs of mail providers fetch every link, so GET only shows. POST is answered with 200 once the suppression is
//! committed, without cookie, login or redirect. A token that is not ours is answered as if there were no such page.

mod form;
mod page;

use super::Door;
use super::pace::Asks;
use crate::leave::Ticket;
use crate::shared::Shared;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use form::Form;
use model::Purpose;
use page::{Choice, Language, Shown};
use std::collections::BTreeSet;
use store::{Failure, Lift, Reason, Role, Scope, Suppression};

/// A body that is longer is none of ours, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 16 * 1024;

/// Shows what can be left; changes nothing.
pub(crate) async fn get_leave(
    State(door): State<Door>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    let shared = &door.shared;
    let ticket = match Ticket::open(shared, &token).await {
        Ok(Some(ticket)) => ticket,
        Ok(None) => return unknown(&headers),
        Err(failure) => return failed(&headers, &failure),
    };
    if !door.pace.admits(Asks::Look, &token, shared.clock.now()) {
        return busy(&headers);
    }
    match shown(shared, &ticket, Shown::default()).await {
        Ok(shown) => html(StatusCode::OK, page::choose(&shown)),
        Err(failure) => failed(&headers, &failure),
    }
}

/// Leaves, or comes back.
pub(crate) async fn post_leave(
    State(door): State<Door>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let shared = &door.shared;
    let now = shared.clock.now();
    let ticket = match Ticket::open(shared, &token).await {
        Ok(Some(ticket)) => ticket,
        Ok(None) => return unknown(&headers),
        Err(failure) => return failed(&headers, &failure),
    };
    if !door.pace.admits(Asks::Change, &token, now) {
        return busy(&headers);
    }
    let done = match form::read(&body) {
        Some(Form::OneClick) => {
            let topic = Scope::Topic(ticket.topic.clone());
            leave(shared, &ticket, vec![topic], "one click").await
        }
        Some(Form::Leave(scopes)) => leave(shared, &ticket, scopes, "the page").await,
        Some(Form::Back(scopes)) => come_back(shared, &ticket, scopes).await,
        None => {
            let page = page::unclear(Language::of_headers(&headers));
            return html(StatusCode::BAD_REQUEST, page);
        }
    };
    let shown = match done {
        Ok(done) => shown(shared, &ticket, done).await,
        Err(failure) => Err(failure),
    };
    match shown {
        Ok(shown) => html(StatusCode::OK, page::done(&shown)),
        Err(failure) => failed(&headers, &failure),
    }
}

/// Suppresses; returns when that is committed.
async fn leave(
    shared: &Shared,
    ticket: &Ticket,
    scopes: Vec<Scope>,
    how: &str,
) -> Result<Shown, Failure> {
    for scope in &scopes {
        let suppression = Suppression {
            key: ticket.key,
            scope: scope.clone(),
            reason: Reason::Unsubscribed,
            proof: format!("by {how}, from message {}", ticket.message).into(),
            at: shared.clock.now(),
            until: None,
        };
        let person = ticket.person.clone();
        shared.store.suppress(suppression, person).await?;
    }
    ring(shared, ticket);
    Ok(Shown {
        left: scopes,
        ..Shown::default()
    })
}

/// Lifts what was said on this page or by one click, and nothing that has another reason.
async fn come_back(shared: &Shared, ticket: &Ticket, scopes: Vec<Scope>) -> Result<Shown, Failure> {
    for scope in &scopes {
        let lift = Lift {
            key: ticket.key,
            scope: scope.clone(),
            reason: Some(Reason::Unsubscribed),
            proof: format!("undone on the page, from message {}", ticket.message).into(),
            at: shared.clock.now(),
        };
        let person = ticket.person.clone();
        shared.store.unsuppress(lift, person).await?;
    }
    ring(shared, ticket);
    Ok(Shown {
        is_back: true,
        ..Shown::default()
    })
}

fn ring(shared: &Shared, ticket: &Ticket) {
    if let Some(person) = &ticket.person {
        let shard = shared.store.shard_of(person.account.as_str());
        shared.bells.ring(shard, Role::Decide);
    }
}

/// What the page shows: the topics of the present text that can be left, and that of the mail itself.
async fn shown(shared: &Shared, ticket: &Ticket, done: Shown) -> Result<Shown, Failure> {
    let (stands, _) = shared.store.standing(ticket.key).await?;
    let left: BTreeSet<Scope> = stands
        .into_iter()
        .filter(|(_, reason)| *reason == Reason::Unsubscribed)
        .map(|(scope, _)| scope)
        .collect();
    let active = crate::active::present(shared, false).await.ok();
    let mut choices: Vec<Choice> = Vec::new();
    let program = active.as_ref().map(|active| &active.program);
    for (name, topic) in program.iter().flat_map(|program| &program.topics) {
        let can_be_left = match topic.purpose {
            Purpose::Contractual => false,
            Purpose::Service | Purpose::Promotional => true,
        };
        if can_be_left || *name == ticket.topic {
            let title = program.map_or(&**name, |all| all.topic_title(name, &ticket.locale));
            choices.push(Choice::new(name, title, &left));
        }
    }
    if !choices.iter().any(|choice| choice.name == ticket.topic) {
        choices.insert(0, Choice::new(&ticket.topic, &ticket.topic, &left));
    }
    let sender = program.and_then(|program| program.sender.as_ref());
    Ok(Shown {
        language: Language::of(&ticket.locale),
        topic: ticket.topic.clone(),
        sender: sender.map(|sender| sender.name.clone()),
        choices,
        is_all_left: left.contains(&Scope::Leavable),
        ..done
    })
}

/// The same answer to whatever is not ours.
fn unknown(headers: &HeaderMap) -> Response {
    html(
        StatusCode::NOT_FOUND,
        page::unknown(Language::of_headers(headers)),
    )
}

fn busy(headers: &HeaderMap) -> Response {
    let page = page::busy(Language::of_headers(headers));
    let mut response = html(StatusCode::TOO_MANY_REQUESTS, page);
    let wait = header::HeaderValue::from_static("60");
    response.headers_mut().insert(header::RETRY_AFTER, wait);
    response
}

fn failed(headers: &HeaderMap, failure: &Failure) -> Response {
    tracing::error!(%failure, "somebody could not unsubscribe; they were asked to try again");
    let page = page::failed(Language::of_headers(headers));
    let mut response = html(StatusCode::SERVICE_UNAVAILABLE, page);
    let wait = header::HeaderValue::from_static("5");
    response.headers_mut().insert(header::RETRY_AFTER, wait);
    response
}

/// The address holds the token, so nothing may keep the page, name it to others or put it into a frame.
fn html(status: StatusCode, page: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (
            header::HeaderName::from_static("x-robots-tag"),
            "noindex, nofollow",
        ),
    ];
    (status, headers, page).into_response()
}

#[cfg(test)]
mod tests;
