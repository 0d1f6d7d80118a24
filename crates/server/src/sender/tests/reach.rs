//! What leaves by HTTP keeps to its pace, and leaves alone who fails.

use super::*;
use std::time::Instant;

/// A server whose only means is HTTP at `address`, with these settings besides.
async fn reaching(place: &Place, address: SocketAddr, more: &str) -> Shared {
    let settings = place.folder().join("sottaku.yaml");
    let text = format!(
        "egress: {{allow: ['{address}']}}\nslack: {{channels: {{'#voc': '${{env:VOC}}'}}}}\nmode: smtp\nsmtp: {{host: 127.0.0.1, tls: none}}\n{more}"
    );
    std::fs::write(&settings, text).expect("it is written");
    let url = format!("http://{address}/hook");
    let variable = |name: &str| (name == "VOC").then(|| url.clone());
    let config = crate::Config::load_with(Some(&settings), &variable).expect("they are right");
    let clock = crate::Clock::by_hand(noon());
    Shared::new(config, place.open().await, clock).expect("the means are right")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_gets_one_post_a_second() {
    let (sender, _took) = mpsc::channel(16);
    let address = webhook(sender).await;
    let place = Place::new(ClockMode::Log);
    let shared = reaching(&place, address, "").await;
    let message = |name: &&str| route(name, vec![Target::Channel("#voc".into())]);
    let began = Instant::now();
    let states = settled(&shared, ["one", "two"].iter().map(message).collect()).await;
    assert!(
        states.values().all(|state| *state == DeliveryState::Sent),
        "{states:?}"
    );
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "both came within {:?}",
        began.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_fails_is_left_alone_by_the_sender() {
    let (sender, mut took) = mpsc::channel(64);
    let address = answering(sender, |_| ("500 No", "")).await;
    let place = Place::new(ClockMode::Log);
    let shared = reaching(&place, address, "limits: {retry_wait_max: 0s}\n").await;
    let mut files = example();
    let policies = "workflows/definitions/policies.yaml";
    let text = files[policies].replace(
        "{url: \"https://crm.example/hooks/sottaku\", secret: CRM_HOOK_SECRET}",
        &format!("{{url: \"http://{address}/hook\"}}"),
    );
    files.insert(policies.into(), text.into());
    let call = outgoing("call", None, Channel::Webhook { name: "crm".into() });
    let mut listener = shared.settled.subscribe();
    let sending = deciding(&shared, &files, vec![call]).await;
    let mut fates = Vec::new();
    while fates.len() < 6 {
        let settled = timeout(PATIENCE, listener.recv()).await;
        fates.push(settled.expect("in time").expect("it goes on").detail);
    }
    sending.end().await;
    let tried = fates.iter().filter(|fate| fate.contains("500")).count();
    assert_eq!(tried, 5, "{fates:?}");
    assert!(fates[5].contains("left alone"), "{fates:?}");
    let mut calls = 0;
    while took.try_recv().is_ok() {
        calls += 1;
    }
    assert_eq!(calls, 5);
}
