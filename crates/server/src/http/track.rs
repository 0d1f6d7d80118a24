//! `GET /c/…` and `GET /o/…`: a link was followed, a mail was looked at. Scanners do both, so neither changes more
//! than what is told; whoever answers a question of ours does it elsewhere.

use super::Door;
use crate::returns;
use crate::shared::Shared;
use crate::track;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::MessageId;
use store::{Answer, Said};

/// One pixel that is not seen.
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00\x21\xf9\x04\x01\x00\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b";

/// Leads on to where the sealed link leads, and nowhere else.
pub(crate) async fn get_click(
    State(door): State<Door>,
    method: Method,
    Path(token): Path<String>,
) -> Response {
    let shared = &door.shared;
    let Some((message, url)) = known(shared, &token).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (Ok(location), false) = (HeaderValue::from_str(&url), url.is_empty()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if method == Method::GET {
        // Each link counts once.
        let name = blake3::hash(url.as_bytes()).to_hex();
        tell(shared, message, Said::Clicked, &name).await;
    }
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
    ];
    (StatusCode::FOUND, headers).into_response()
}

/// Gives the image.
pub(crate) async fn get_open(
    State(door): State<Door>,
    method: Method,
    Path(token): Path<String>,
) -> Response {
    let shared = &door.shared;
    let Some((message, _)) = known(shared, &token)
        .await
        .filter(|(_, url)| url.is_empty())
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if method == Method::GET {
        tell(shared, message, Said::Opened, "").await;
    }
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/gif")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, PIXEL).into_response()
}

async fn known(shared: &Shared, token: &str) -> Option<(MessageId, String)> {
    match track::read(shared, token).await {
        Ok(known) => known,
        Err(failure) => {
            tracing::warn!(%failure, "a link could not be looked up");
            None
        }
    }
}

/// A reader is led on even where the store does not answer: what is lost is a click.
async fn tell(shared: &Shared, message: MessageId, said: Said, name: &str) {
    let answer = Answer {
        message,
        said,
        name: name.into(),
        about: Vec::new(),
        code: None,
        detail: "".into(),
        now: shared.clock.now(),
    };
    if let Err(failure) = returns::tell(shared, answer).await {
        tracing::warn!(%failure, "a click could not be told");
    }
}

#[cfg(test)]
mod tests {
    use crate::http::router;
    use crate::shared::Shared;
    use crate::track::weave;
    use crate::trial::Place;
    use crate::{Clock, Config};
    use axum::body::Body;
    use axum::http::{Method, Request};
    use model::{AccountId, Channel, Mailbox, MessageId, Outgoing, RunId};
    use store::ClockMode;
    use tower::ServiceExt;

    fn outgoing(shared: &Shared) -> Outgoing {
        let mailbox = |address: &str| Mailbox {
            name: None,
            address: address.into(),
        };
        Outgoing {
            message: MessageId::of(&["x"]),
            account: AccountId::new("acme"),
            workflow: "w".into(),
            subject: "acme".into(),
            run: RunId::of(&["x"]),
            step: "s".into(),
            channel: Channel::Email {
                to: mailbox("mika@acme.example"),
                contact: "p-1".into(),
                cc: Vec::new(),
                from: mailbox("success@vendor.example"),
                reply_to: None,
            },
            content: model::message::Content::Text("x".into()),
            view: serde_json::Value::Null,
            topic: None,
            purpose: None,
            resends_unknown: false,
            not_before: shared.clock.now(),
            expires_at: None,
            priority: 1,
            is_shadow: false,
        }
    }

    async fn asked(shared: &Shared, method: Method, path: &str) -> (u16, String) {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::empty()).expect("a request");
        let answer = router(shared.clone())
            .oneshot(request)
            .await
            .expect("an answer");
        let location = answer
            .headers()
            .get("location")
            .map(|it| it.to_str().expect("text").to_owned());
        (answer.status().as_u16(), location.unwrap_or_default())
    }

    #[tokio::test]
    async fn a_link_leads_where_it_led_when_it_was_sealed_and_nowhere_else() {
        let place = Place::new(ClockMode::Live);
        let path = place.folder().join("sottaku.yaml");
        let settings =
            "public_url: https://cs.vendor.example\ntracking: {opens: true, clicks: true}\n";
        std::fs::write(&path, settings).expect("it is written");
        let config = Config::load_with(Some(&path), &|_| None).expect("the settings are right");
        let shared = Shared::new(
            config,
            place.open().await,
            Clock::by_hand(crate::trial::noon()),
        );
        let shared = shared.expect("no means is needed");
        let page = "<body><a href=\"https://a.example/?x=1&amp;y=2\">a</a><a href=\"https://cs.vendor.example/u/t\">no</a></body>";
        let woven = weave(&shared, &outgoing(&shared), page.to_owned())
            .await
            .expect("a page");
        assert!(
            woven.contains("https://cs.vendor.example/u/t\">no"),
            "{woven}"
        );
        let token = |mark: &str| {
            let (_, rest) = woven.split_once(mark).expect("it is there");
            rest.split('"').next().expect("its end").to_owned()
        };
        let (click, open) = (token("example/c/"), token("example/o/"));
        let led = (302, "https://a.example/?x=1&y=2".to_owned());
        for method in [Method::GET, Method::HEAD] {
            assert_eq!(asked(&shared, method, &format!("/c/{click}")).await, led);
        }
        assert_eq!(
            asked(&shared, Method::GET, &format!("/o/{open}")).await.0,
            200
        );
        assert_eq!(
            asked(&shared, Method::POST, &format!("/c/{click}")).await.0,
            405
        );
        for wrong in [
            format!("/o/{click}"),
            format!("/c/{open}"),
            format!("/c/{click}A"),
            "/c/https:%2F%2Fevil.example".to_owned(),
            "/c/x".to_owned(),
        ] {
            assert_eq!(
                asked(&shared, Method::GET, &wrong).await,
                (404, String::new()),
                "{wrong}"
            );
        }
    }

    #[tokio::test]
    async fn nothing_is_woven_in_without_being_asked_for() {
        let place = Place::new(ClockMode::Live);
        let shared = place.shared(&[]).await;
        let page = "<a href=\"https://a.example\">a</a>";
        let woven = weave(&shared, &outgoing(&shared), page.to_owned()).await;
        assert_eq!(woven.expect("a page"), page);
    }
}
