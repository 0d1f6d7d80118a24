//! Posts against a small server that answers, refuses, cuts and hangs.

use crate::egress;
use crate::scripted::{Server, Step};
use outreach::egress::{Barred, Deadlines};
use outreach::slack::{Incoming, SlackFault};
use outreach::{Fate, Next, Phase, Secret};
use serde_json::json;
use std::time::Duration;

async fn send(port: u16, whole: Duration, payload: &serde_json::Value) -> Fate {
    let deadlines = Deadlines {
        whole,
        ..Deadlines::default()
    };
    let egress = egress::client(&[&format!("127.0.0.1:{port}")], deadlines);
    let address = format!("http://127.0.0.1:{port}/services/T0/B0/canary");
    let incoming = Incoming::new(&egress, &Secret::new(address)).expect("an address");
    incoming.post(&egress, payload).await
}

async fn post(script: Vec<Step>, whole: Duration) -> (Fate, Vec<Vec<String>>) {
    let server = Server::start(vec![script]).await;
    let fate = send(server.port, whole, &json!({ "text": "x" })).await;
    assert!(!format!("{fate:?} {fate}").contains("canary"), "{fate:?}");
    (fate, server.heard())
}

const PATIENT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn each_answer_has_its_fate() {
    for (words, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", Next::Done),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            Next::AsTopicSays,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no",
            Next::AsTopicSays,
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            Next::GiveUp,
        ),
        (
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 15\r\n\r\ninvalid_payload",
            Next::GiveUp,
        ),
        (
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            Next::GiveUp,
        ),
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nno_service",
            Next::GiveUp,
        ),
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nno",
            Next::GiveUp,
        ),
        (
            "HTTP/1.1 429 Too Many\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n",
            Next::Again(Some(Duration::from_secs(30))),
        ),
        (
            "HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n\r\n",
            Next::Again(None),
        ),
        (
            "HTTP/1.1 500 Oops\r\nContent-Length: 12\r\n\r\nrollup_error",
            Next::Again(None),
        ),
        (
            "HTTP/1.1 503 Busy\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n",
            Next::Again(Some(Duration::from_secs(9))),
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
            Next::AsTopicSays,
        ),
        (
            "HTTP/1.1 504 Timeout\r\nContent-Length: 0\r\n\r\n",
            Next::AsTopicSays,
        ),
        ("banana\r\n\r\n", Next::AsTopicSays),
        ("HTTP/1.1 200", Next::AsTopicSays),
        ("", Next::AsTopicSays),
    ] {
        let (fate, heard) = post(vec![Step::HearRequest, Step::Say(words)], PATIENT).await;
        assert_eq!(fate.next(), expected, "{words}: {fate:?}");
        assert_eq!(heard.len(), 1, "one post, one request");
        assert!(
            heard[0][0].contains("application/json") && heard[0][0].ends_with("{\"text\":\"x\"}")
        );
    }
}

#[tokio::test]
async fn a_server_that_hangs_leaves_it_unknown() {
    let (fate, _) = post(
        vec![Step::HearRequest, Step::Hang],
        Duration::from_millis(100),
    )
    .await;
    assert!(matches!(fate, Fate::Unknown { .. }), "{fate:?}");
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let words: &'static str = Box::leak(
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{}",
            "x".repeat(70_000)
        )
        .into_boxed_str(),
    );
    let (fate, _) = post(
        vec![Step::HearRequest, Step::Say(words), Step::Hang],
        PATIENT,
    )
    .await;
    assert!(
        matches!(
            fate,
            Fate::Unknown {
                phase: Phase::Answer,
                ..
            }
        ),
        "{fate:?}"
    );
}

#[tokio::test]
async fn nobody_listening_is_not_sent() {
    let port = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let fate = send(port, PATIENT, &json!({})).await;
    assert!(
        matches!(
            fate,
            Fate::NotSent {
                phase: Phase::Connect,
                ..
            }
        ),
        "{fate:?}"
    );
    assert!(!format!("{fate:?}").contains("canary"));
}

#[test]
fn only_an_https_address_or_an_allowed_one_is_posted_to() {
    let egress = egress::client(&["127.0.0.1:8080", "localhost:80"], Deadlines::default());
    for (address, expected) in [
        ("https://hooks.slack.com/services/T/B/x", Ok(())),
        ("http://127.0.0.1:8080/x", Ok(())),
        ("http://localhost/x", Ok(())),
        ("http://127.0.0.1:8081/canary", Err(Barred::Scheme)),
        (
            "http://hooks.slack.com/services/T/B/canary",
            Err(Barred::Scheme),
        ),
        ("ftp://127.0.0.1/canary", Err(Barred::Address)),
        ("mailto:canary@b.example", Err(Barred::Address)),
        ("canary", Err(Barred::Address)),
        ("", Err(Barred::Address)),
    ] {
        let outcome = Incoming::new(&egress, &Secret::new(address));
        if let Err(fault) = &outcome {
            assert!(!fault.to_string().contains("canary"));
        }
        let outcome = outcome
            .map(|_| ())
            .map_err(|SlackFault::Address(barred)| barred);
        assert_eq!(outcome, expected, "{address}");
    }
    let address = Secret::new("https://hooks.slack.com/canary");
    let incoming = Incoming::new(&egress, &address).expect("an address");
    assert!(!format!("{incoming:?} {egress:?}").contains("canary"));
}
