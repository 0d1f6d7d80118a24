//! `GET /c/…` and `GET /o/…`: a link was followed, a mail was looked at. Scanners do both, so neither changes more
//! than what is told; whoever answers a question of ours does it elsewhere.

use super::Door;
use super::pace::Asks;
use crate::returns;
use crate::shared::Shared;
use crate::track::{self, HumanConfidence};
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
    if !door.pace.admits(Asks::Click, &token, shared.clock.now()) {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    if url == track::NOWHERE {
        tell(shared, message, Said::Scanned, "").await;
        return StatusCode::NO_CONTENT.into_response();
    }
    let (Ok(location), false) = (HeaderValue::from_str(&url), url.is_empty()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if method == Method::GET && is_human(shared, &message).await {
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
    if !door.pace.admits(Asks::Click, &token, shared.clock.now()) {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    if method == Method::GET && is_human(shared, &message).await {
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

/// Whether it may have been a person. Where that can't be known nothing is told: a click is lost, and no machine counts.
async fn is_human(shared: &Shared, message: &MessageId) -> bool {
    match track::human_confidence(shared, message).await {
        Ok(HumanConfidence::High) => true,
        Ok(HumanConfidence::Low) => {
            let labels = vec![("what", "machine")];
            shared.measures.came_back.get_or_create(&labels).inc();
            false
        }
        Err(failure) => {
            tracing::warn!(%failure, "it could not be known whether a person followed a link");
            false
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
    use crate::trial::{Place, noon};
    use crate::{Clock, Config};
    use axum::Router;
    use axum::body::Body;
    use axum::http::{Method, Request};
    use jiff::SignedDuration;
    use model::{AccountId, Channel, Mailbox, MessageId, Outgoing, RunId};
    use std::time::Duration;
    use store::{
        AddressKey, Bid, ClaimRequest, ClockMode, Commit, OutboxWrite, Outcome, Role, Settlement,
    };
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
        asked_at(&router(shared.clone()), method, path).await
    }

    async fn asked_at(router: &Router, method: Method, path: &str) -> (u16, String) {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::empty()).expect("a request");
        let answer = router.clone().oneshot(request).await.expect("an answer");
        let location = answer
            .headers()
            .get("location")
            .map(|it| it.to_str().expect("text").to_owned());
        (answer.status().as_u16(), location.unwrap_or_default())
    }

    #[tokio::test]
    async fn a_link_leads_where_it_led_when_it_was_sealed_and_nowhere_else() {
        let place = Place::new(ClockMode::Live);
        let (shared, _) = tracking(&place).await;
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
        let open = token("example/o/");
        // The first link is the one that nobody sees.
        let click = woven.split("example/c/").nth(2).expect("it is there");
        let click = click.split('"').next().expect("its end");
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

    async fn tracking(place: &Place) -> (Shared, Clock) {
        let settings =
            "public_url: https://cs.vendor.example\ntracking: {opens: true, clicks: true}\n";
        configured(place, settings).await
    }

    async fn configured(place: &Place, settings: &str) -> (Shared, Clock) {
        let path = place.folder().join("sottaku.yaml");
        std::fs::write(&path, settings).expect("it is written");
        let secret = |name: &str| (name == "POSTMARK").then(|| "hunter2".to_owned());
        let config = Config::load_with(Some(&path), &secret).expect("the settings are right");
        let clock = Clock::by_hand(noon());
        let shared = Shared::new(config, place.open().await, clock.clone());
        (shared.expect("no means is needed"), clock)
    }

    /// The message is in the store as one that left just now.
    async fn sent(shared: &Shared, outgoing: &Outgoing) {
        let store = &shared.store;
        let now = shared.clock.now();
        let shard = store.shard_of(outgoing.account.as_str());
        let bid = Bid {
            owner: "a".into(),
            now,
            ttl: Duration::from_secs(6),
        };
        let epoch = async |role| {
            let lease = store.acquire(shard, role, &bid).await;
            lease.expect("the store writes").expect("it is free").epoch
        };
        let mark = store.shard(shard).await.expect("it is read").mark;
        let mut commit = Commit::new(shard, epoch(Role::Decide).await, mark, now);
        commit.outbox.push(OutboxWrite {
            outgoing: outgoing.clone(),
            addresses: vec![AddressKey([7; 32])],
            lane: None,
            related_until: None,
        });
        store.commit(commit).await.expect("it is committed");
        let request = ClaimRequest {
            shard,
            epoch: epoch(Role::Send).await,
            now,
            count_max: 1,
            cap: None,
            jurisdiction: model::Jurisdiction::Us,
        };
        let claim = store
            .claim(request)
            .await
            .expect("it is claimed")
            .remove(0)
            .claim;
        let is_begun = store.attempt(&claim, 1, now).await;
        assert!(is_begun.expect("the store writes"));
        let settlement = Settlement {
            claim,
            outcome: Outcome::Sent,
            detail: "250 ok".into(),
            captured: None,
            now,
        };
        let is_settled = store.settle(settlement).await;
        assert!(is_settled.expect("the store writes"));
    }

    /// What the logs were told that readers did.
    async fn noticed(shared: &Shared) -> Vec<String> {
        let mut kinds = Vec::new();
        for shard in 0..shared.store.shards() {
            let log = shared.store.read_log(shard, 0, 9_999, usize::MAX).await;
            for fact in log.expect("the log is read") {
                let fact: serde_json::Value = serde_json::from_str(&fact.json).expect("JSON");
                kinds.push(fact["type"].as_str().unwrap_or_default().to_owned());
            }
        }
        kinds.retain(|kind| kind != "message.settled");
        kinds
    }

    /// Links and images of a page that lead to us.
    fn tokens(woven: &str) -> Vec<String> {
        let parts = woven.split("https://cs.vendor.example").skip(1);
        let paths = parts.filter_map(|part| part.split('"').next());
        paths
            .filter(|path| path.starts_with("/c/") || path.starts_with("/o/"))
            .map(str::to_owned)
            .collect()
    }

    const PAGE: &str =
        "<body><a href=\"https://a.example/\">a</a><a href=\"https://b.example/\">b</a></body>";

    #[tokio::test]
    async fn a_thousand_scanners_are_nobody_and_a_person_is_somebody() {
        let place = Place::new(ClockMode::Live);
        let (shared, clock) = tracking(&place).await;
        let mail = outgoing(&shared);
        sent(&shared, &mail).await;
        let woven = weave(&shared, &mail, PAGE.to_owned()).await;
        let paths = tokens(&woven.expect("a page"));
        assert_eq!(
            paths.len(),
            4,
            "two links, the image and the link that nobody sees"
        );
        // On the way and at the door, in the first minute: whatever they follow.
        for scanner in 0..500 {
            clock.turn(SignedDuration::from_millis(100));
            let path = &paths[1 + scanner % 3];
            let status = asked(&shared, Method::GET, path).await.0;
            assert!(matches!(status, 200 | 302), "{status}");
        }
        assert_eq!(noticed(&shared).await, Vec::<String>::new());
        // In the reader's house, at any time: they follow all links, in order.
        clock.turn(SignedDuration::from_secs(600));
        for _ in 0..500 {
            clock.turn(SignedDuration::from_secs(5));
            for path in &paths {
                let status = asked(&shared, Method::GET, path).await.0;
                assert!(matches!(status, 200 | 204 | 302), "{status}");
            }
        }
        assert_eq!(noticed(&shared).await, Vec::<String>::new());
        // Somebody whose mail no machine went through follows one of the links that they see, twice.
        let place = Place::new(ClockMode::Live);
        let (shared, clock) = tracking(&place).await;
        sent(&shared, &mail).await;
        let woven = weave(&shared, &mail, PAGE.to_owned()).await;
        let paths = tokens(&woven.expect("a page"));
        clock.turn(SignedDuration::from_secs(60));
        for path in [&paths[1], &paths[1], &paths[3]] {
            asked(&shared, Method::GET, path).await;
        }
        assert_eq!(
            noticed(&shared).await,
            ["message.clicked", "message.opened"]
        );
    }

    /// What Postmark tells of a message; whether it was new.
    async fn postmark_tells(shared: &Shared, kind: &str, mail: &Outgoing) -> bool {
        let message = mail.message.as_str();
        let body = serde_json::json!({
            "RecordType": kind, "ReceivedAt": shared.clock.now().to_string(), "Metadata": {"message": message},
        });
        let request = Request::post("/v1/mail-events/postmark")
            .header("authorization", "Basic dTpodW50ZXIy")
            .body(Body::from(body.to_string()))
            .expect("a request");
        let answer = router(shared.clone()).oneshot(request).await;
        let body = answer.expect("an answer").into_body();
        let body = axum::body::to_bytes(body, 4_096).await.expect("a body");
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        body["told"] == 1
    }

    #[tokio::test]
    async fn what_a_provider_notices_in_the_first_minute_is_a_machines_and_later_a_readers() {
        let place = Place::new(ClockMode::Live);
        let settings = "mail_events: {postmark: {secret: '${env:POSTMARK}'}}\n";
        let (shared, clock) = configured(&place, settings).await;
        let mail = outgoing(&shared);
        assert!(
            !postmark_tells(&shared, "Click", &mail).await,
            "it has not left"
        );
        sent(&shared, &mail).await;
        clock.turn(SignedDuration::from_secs(59));
        for kind in ["Open", "Click"] {
            assert!(!postmark_tells(&shared, kind, &mail).await, "{kind}");
        }
        assert_eq!(noticed(&shared).await, Vec::<String>::new());
        clock.turn(SignedDuration::from_secs(1));
        for kind in ["Click", "Open"] {
            assert!(postmark_tells(&shared, kind, &mail).await, "{kind}");
        }
        assert_eq!(
            noticed(&shared).await,
            ["message.clicked", "message.opened"]
        );
    }

    #[tokio::test]
    async fn one_link_is_not_asked_about_for_ever() {
        let place = Place::new(ClockMode::Live);
        let (shared, clock) = tracking(&place).await;
        let woven = weave(&shared, &outgoing(&shared), PAGE.to_owned()).await;
        let paths = tokens(&woven.expect("a page"));
        let door = router(shared);
        let mut refused = 0;
        for _ in 0..100 {
            refused += u32::from(asked_at(&door, Method::GET, &paths[1]).await.0 == 429);
        }
        assert_eq!(refused, 40);
        assert_eq!(asked_at(&door, Method::GET, &paths[2]).await.0, 302);
        clock.turn(SignedDuration::from_secs(60));
        assert_eq!(asked_at(&door, Method::GET, &paths[1]).await.0, 302);
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
