//! Calls of webhooks against a receiver that answers, refuses and cuts: whatever it did, it knows each call by its id.

use crate::egress::client;
use crate::scripted::{Server, Step};
use outreach::egress::Deadlines;
use outreach::webhook::{self, Key, Letter};
use outreach::{Fate, Next, Secret};
use std::collections::BTreeSet;
use std::time::Duration;

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";

fn key() -> Key {
    Key::new(&Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).expect("a key")
}

async fn call(server: &Server, id: &str, at: i64) -> Fate {
    let egress = client(
        &[&format!("127.0.0.1:{}", server.port)],
        Deadlines::default(),
    );
    let url = format!("http://127.0.0.1:{}/hook/canary", server.port);
    let keys = [key()];
    let letter = Letter {
        url: &url,
        id,
        at,
        body: "{\"x\":1}",
        keys: &keys,
    };
    webhook::call(&egress, letter).await
}

#[tokio::test]
async fn each_answer_to_a_call_has_its_fate() {
    for (words, expected) in [
        (OK, Next::Done),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", Next::Done),
        (
            "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
            Next::Again(None),
        ),
        (
            "HTTP/1.1 400 No\r\nContent-Length: 6\r\n\r\ncanary",
            Next::Again(None),
        ),
        (
            "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n",
            Next::GiveUp,
        ),
        (
            "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
            Next::Again(Some(Duration::from_secs(7))),
        ),
        (
            "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
            Next::Again(None),
        ),
        ("banana\r\n\r\n", Next::AsTopicSays),
        ("", Next::AsTopicSays),
    ] {
        let server = Server::start(vec![vec![Step::HearRequest, Step::Say(words)]]).await;
        let fate = call(&server, "m_1", 1).await;
        assert_eq!(fate.next(), expected, "{words}: {fate:?}");
        assert!(!format!("{fate} {fate:?}").contains("canary"), "{fate:?}");
        let heard = server.heard();
        assert_eq!(heard.len(), 1, "one call, one request");
        let request = heard[0][0].to_lowercase();
        for part in [
            "webhook-id: m_1",
            "webhook-timestamp: 1",
            "webhook-signature: v1,",
        ] {
            assert!(request.contains(part), "{request}");
        }
    }
}

/// What the receiver does with one connection.
const DEEDS: [&[Step]; 5] = [
    &[],
    &[Step::HearRequest],
    &[Step::HearRequest, Step::Say("HTTP/1.1 2")],
    &[
        Step::HearRequest,
        Step::Say("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
    ],
    &[Step::HearRequest, Step::Say(OK)],
];

/// How many messages are sent through cuts; `SOTTAKU_CUTS=10000` is the whole of it.
fn messages() -> usize {
    option_env!("SOTTAKU_CUTS")
        .and_then(|text| text.parse().ok())
        .unwrap_or(300)
}

#[tokio::test]
async fn through_cuts_every_call_arrives_at_least_once_under_its_own_id() {
    let messages = messages();
    let mut seed: u32 = 7;
    let mut draw = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(seed >> 16).expect("it fits") % DEEDS.len()
    };
    let mut cuts = 0;
    for n in 0..messages {
        let mut deeds: Vec<Vec<Step>> = Vec::new();
        loop {
            let deed = draw();
            deeds.push(DEEDS[deed].to_vec());
            if deed == DEEDS.len() - 1 {
                break;
            }
            cuts += 1;
        }
        let attempts = deeds.len();
        let server = Server::start(deeds).await;
        let id = format!("m_{n}");
        for attempt in 1..=attempts {
            let fate = call(&server, &id, 1).await;
            let is_last = attempt == attempts;
            assert_eq!(matches!(fate, Fate::Sent { .. }), is_last, "{fate:?}");
            assert_ne!(fate.next(), Next::GiveUp);
        }
        let heard: BTreeSet<String> = server
            .heard()
            .into_iter()
            .flatten()
            .filter(|request| request.contains("\r\n\r\n"))
            .flat_map(|request| {
                let lines = request.to_lowercase();
                let id = lines
                    .lines()
                    .find_map(|line| line.strip_prefix("webhook-id: "));
                id.map(str::to_owned)
            })
            .collect();
        assert_eq!(heard, BTreeSet::from([id]), "one id, whatever was cut");
    }
    assert!(cuts >= messages, "{cuts} cuts");
}
