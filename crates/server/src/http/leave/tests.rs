//! The page to leave by: what changes something, and what does not.

use super::super::router;
use super::*;
use crate::trial::{Place, example, noon};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use model::AccountId;
use store::{AddressKey, ClockMode, Person};
use tower::ServiceExt;

const KEY: AddressKey = AddressKey([7; 32]);

async fn stage() -> (Place, Shared, String) {
    let place = Place::new(ClockMode::Live);
    let shared = place.shared(&[]).await;
    crate::activate(&shared.store, &example(), noon())
        .await
        .expect("the example is taken");
    let ticket = Ticket {
        key: KEY,
        topic: "onboarding".into(),
        message: "m_1".into(),
        locale: "ja".into(),
        person: Some(Person {
            account: AccountId::new("acme"),
            contact: "p-1".into(),
        }),
    };
    let token = ticket.sign(&shared).await.expect("it is signed");
    (place, shared, token)
}

async fn ask(app: &axum::Router, request: Request<Body>) -> (u16, HeaderMap, String) {
    let response = app.clone().oneshot(request).await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = to_bytes(response.into_body(), 1 << 20)
        .await
        .expect("a body");
    (
        status,
        headers,
        String::from_utf8(body.to_vec()).expect("text"),
    )
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).expect("a request")
}

fn post(path: &str, body: &str) -> Request<Body> {
    Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(body.to_owned()))
        .expect("a request")
}

async fn stands(shared: &Shared) -> Vec<(Scope, Reason)> {
    shared.store.standing(KEY).await.expect("it is read").0
}

#[tokio::test]
async fn a_thousand_looks_change_nothing_and_one_click_does() {
    let (_place, shared, token) = stage().await;
    let app = router(shared.clone());
    let path = format!("/u/{token}");
    for n in 0..1_000 {
        let (status, headers, page) = ask(&app, get(&path)).await;
        assert_eq!(status, 200);
        assert!(headers.get("set-cookie").is_none() && headers.get("location").is_none());
        if n == 0 {
            assert!(page.contains("<html lang=\"ja\">"), "{page}");
            assert!(
                page.contains("value=\"topic:onboarding\" checked"),
                "{page}"
            );
        }
    }
    assert!(stands(&shared).await.is_empty());
    let (status, headers, _) = ask(&app, post(&path, "List-Unsubscribe=One-Click")).await;
    assert_eq!(status, 200);
    assert_eq!(headers["referrer-policy"], "no-referrer");
    let topic = Scope::Topic("onboarding".into());
    assert_eq!(stands(&shared).await, [(topic, Reason::Unsubscribed)]);
    let shard = shared.store.shard_of("acme");
    let log = shared
        .store
        .read_log(shard, 0, 9, 1 << 20)
        .await
        .expect("the log");
    assert_eq!(log.len(), 1);
    assert!(
        log[0].json.contains("contact.suppressed"),
        "{}",
        log[0].json
    );
}

#[tokio::test]
async fn the_page_leaves_what_is_chosen_or_all_and_takes_it_back() {
    let (_place, shared, token) = stage().await;
    let app = router(shared.clone());
    let path = format!("/u/{token}");
    let (status, _, page) = ask(&app, post(&path, "do=all")).await;
    assert_eq!(status, 200);
    assert!(page.contains("value=\"leavable\""), "{page}");
    assert_eq!(
        stands(&shared).await,
        [(Scope::Leavable, Reason::Unsubscribed)]
    );
    let (_, _, page) = ask(&app, get(&path)).await;
    assert!(page.contains("すでに停止"), "{page}");
    assert_eq!(
        ask(&app, post(&path, "do=back&scope=leavable")).await.0,
        200
    );
    assert!(stands(&shared).await.is_empty());
    // What has another reason stays, whoever holds the token.
    let bounced = Suppression {
        key: KEY,
        scope: Scope::Leavable,
        reason: Reason::Bounced,
        proof: "550".into(),
        at: noon(),
        until: None,
    };
    shared
        .store
        .suppress(bounced, None)
        .await
        .expect("it is written");
    ask(&app, post(&path, "do=back&scope=leavable")).await;
    assert_eq!(stands(&shared).await, [(Scope::Leavable, Reason::Bounced)]);
    assert_eq!(ask(&app, post(&path, "x=y")).await.0, 400);
    assert_eq!(
        ask(&app, post(&path, &"x".repeat(BODY_BYTES_MAX + 1)))
            .await
            .0,
        413
    );
}

#[tokio::test]
async fn a_token_that_is_not_ours_is_always_answered_the_same() {
    let (_place, shared, token) = stage().await;
    let app = router(shared.clone());
    let other_use = shared
        .seals
        .present()
        .await
        .expect("a seal")
        .sign(outreach::seal::Use::Click, &[1; 80])
        .expect("it is signed");
    let mut answers = BTreeSet::new();
    let cut = &token[..token.len() - 1];
    let mut forged = vec![cut.to_owned(), other_use, "x".into(), "..%2f".into()];
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'Q' } else { b'A' };
        forged.push(String::from_utf8(bytes).expect("text"));
    }
    for token in forged {
        let path = format!("/u/{token}");
        let (status, _, page) = ask(&app, post(&path, "List-Unsubscribe=One-Click")).await;
        answers.insert((status, page));
        let (status, _, page) = ask(&app, get(&path)).await;
        answers.insert((status, page));
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(answers.iter().all(|(status, _)| *status == 404));
    assert!(stands(&shared).await.is_empty());
}

#[tokio::test]
async fn a_token_may_not_flip_without_end() {
    let (_place, shared, token) = stage().await;
    let app = router(shared.clone());
    let path = format!("/u/{token}");
    let mut last = 0;
    for _ in 0..40 {
        last = ask(&app, post(&path, "List-Unsubscribe=One-Click")).await.0;
    }
    assert_eq!(last, 429);
}
