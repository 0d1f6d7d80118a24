//! A sender against a mail server that answers by the recipient's name, and a webhook that is one.

mod reach;

use super::*;
use crate::activate;
use crate::trial::{Place, example, noon};
use model::message::{Channel, Content, Outgoing, Purpose, Target};
use model::{AccountId, DeliveryState, Mailbox, MessageId, RunId};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use store::{Bid, ClockMode, Commit, HeadWrite, OutboxWrite, Switch};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const PATIENCE: Duration = Duration::from_secs(60);

fn email(name: &str, purpose: Purpose) -> Outgoing {
    let mailbox = |address: String| Mailbox {
        name: None,
        address: address.into(),
    };
    outgoing(
        name,
        Some(purpose),
        Channel::Email {
            to: mailbox(format!("{name}@acme.example")),
            contact: "p-1".into(),
            cc: Vec::new(),
            from: mailbox("success@vendor.example".into()),
            reply_to: None,
        },
    )
}

fn route(name: &str, targets: Vec<Target>) -> Outgoing {
    outgoing(
        name,
        None,
        Channel::Route {
            route: name.into(),
            targets,
        },
    )
}

fn outgoing(name: &str, purpose: Option<Purpose>, channel: Channel) -> Outgoing {
    Outgoing {
        message: MessageId::of(&[name]),
        account: AccountId::new("acme"),
        workflow: "renewal".into(),
        subject: "k-1".into(),
        run: RunId::of(&["r"]),
        step: name.into(),
        channel,
        content: Content::Text(format!("Hello {name}").into()),
        view: serde_json::json!({"_": {"at": "2026-01-13T09:00:00+09:00", "timezone": "Asia/Tokyo", "currency": "JPY"}}),
        topic: None,
        purpose,
        resends_unknown: false,
        not_before: noon(),
        expires_at: None,
        priority: 1,
        is_shadow: false,
    }
}

async fn sent(
    variables: &[(&str, &str)],
    messages: Vec<Outgoing>,
) -> BTreeMap<String, DeliveryState> {
    sent_at(variables, crate::config::Pace::default(), messages).await
}

/// Commits messages as a worker does, sends them at a pace, and says what became of each.
async fn sent_at(
    variables: &[(&str, &str)],
    pace: crate::config::Pace,
    messages: Vec<Outgoing>,
) -> BTreeMap<String, DeliveryState> {
    let place = Place::new(ClockMode::Log);
    let config = crate::Config {
        pace,
        ..place.config(variables)
    };
    let clock = crate::clock::Clock::by_hand(noon());
    let shared = Shared::new(config, place.open().await, clock).expect("the means are right");
    settled(&shared, messages).await
}

/// The same with everything given.
async fn settled(shared: &Shared, messages: Vec<Outgoing>) -> BTreeMap<String, DeliveryState> {
    let count = messages.len();
    let mut listener = shared.settled.subscribe();
    let sending = deciding(shared, &example(), messages).await;
    for _ in 0..count {
        timeout(PATIENCE, listener.recv())
            .await
            .expect("it is settled in time")
            .expect("it goes on");
    }
    sending.end().await;
    let filter = store::DeliveryFilter {
        count_max: 100,
        ..Default::default()
    };
    let deliveries = shared.store.deliveries(filter).await;
    deliveries
        .expect("the store reads")
        .into_iter()
        .map(|it| (it.outgoing.step.to_string(), it.state))
        .collect()
}

/// A sender at work.
struct Sending {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Sending {
    async fn end(self) {
        self.stop.cancel();
        self.task.await.expect("it ends when told to");
    }
}

/// Commits messages as a worker does, by a text, and begins to send them.
async fn deciding(shared: &Shared, files: &workflow::Files, messages: Vec<Outgoing>) -> Sending {
    let store = &shared.store;
    activate(store, files, noon())
        .await
        .expect("the text is taken");
    let shard = store.shard_of("acme");
    let bid = Bid {
        owner: "a".into(),
        now: noon(),
        ttl: Duration::from_secs(6),
    };
    let decide = store
        .acquire(shard, Role::Decide, &bid)
        .await
        .expect("the store writes")
        .expect("free");
    let send = store
        .acquire(shard, Role::Send, &bid)
        .await
        .expect("the store writes")
        .expect("free");
    let mark = store.shard(shard).await.expect("the store reads").mark;
    let mut commit = Commit::new(shard, decide.epoch, mark, noon());
    let revision = mark.revision.expect("one is applied");
    commit.heads.push(HeadWrite {
        account: AccountId::new("acme"),
        revision,
        bytes: vec![0],
    });
    let outbox = messages.into_iter().map(|outgoing| OutboxWrite {
        outgoing,
        addresses: Vec::new(),
        lane: None,
        related_until: None,
    });
    commit.outbox.extend(outbox);
    store.commit(commit).await.expect("it is committed");
    let stop = CancellationToken::new();
    let task = tokio::spawn(Sender::new(shared.clone(), shard, send.epoch).run(stop.clone()));
    Sending { stop, task }
}

/// A mail server: `no@` is refused, `later@` deferred, `cut@` cut after the last byte, `slow…@` waits for ever then; it tells
/// what it took.
async fn mail_server(took: mpsc::Sender<String>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let took = took.clone();
            tokio::spawn(async move { drop(converse(stream, took).await) });
        }
    });
    address
}

async fn converse(stream: TcpStream, took: mpsc::Sender<String>) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let mut whom = String::new();
    let mut is_data = false;
    writer.write_all(b"220 here\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let answer = match line.split(' ').next().unwrap_or_default() {
            "." if is_data && whom.starts_with("cut@") => return Ok(()),
            "." if is_data => {
                is_data = false;
                took.send(whom.clone())
                    .await
                    .map_err(std::io::Error::other)?;
                if whom.starts_with("slow") {
                    std::future::pending::<()>().await;
                }
                "250 taken"
            }
            _ if is_data => continue,
            "EHLO" | "MAIL" | "RSET" => "250 yes",
            "RCPT" => {
                whom = line
                    .trim_start_matches("RCPT TO:<")
                    .trim_end_matches('>')
                    .to_owned();
                match whom.split('@').next() {
                    Some("no") => "550 nobody of that name",
                    Some("later") => "451 come again",
                    Some(_) | None => "250 yes",
                }
            }
            "DATA" => {
                is_data = true;
                "354 go"
            }
            _ => "221 bye",
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

/// A webhook that answers `ok` and tells what it took.
async fn webhook(took: mpsc::Sender<String>) -> SocketAddr {
    http(took, |_| "ok").await
}

/// Answers each request with 200 and what belongs to it, and tells what it took.
async fn http(took: mpsc::Sender<String>, answer: fn(&str) -> &'static str) -> SocketAddr {
    answering(took, move |request| ("200 OK", answer(request))).await
}

/// Answers each request with a status and a body.
async fn answering(
    took: mpsc::Sender<String>,
    answer: impl Fn(&str) -> (&'static str, &'static str) + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = [0; 16_384];
            if let Ok(count) = stream.read(&mut bytes).await {
                let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                let (status, body) = answer(&text);
                took.send(text).await.expect("somebody listens");
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                drop(stream.write_all(answer.as_bytes()).await);
            }
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_of_a_mail_server_has_its_own_end() {
    let (sender, mut took) = mpsc::channel(16);
    let address = mail_server(sender).await;
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let variables = [
        ("SOTTAKU_MODE", "smtp"),
        ("SOTTAKU_SMTP_HOST", host.as_str()),
        ("SOTTAKU_SMTP_PORT", port.as_str()),
        ("SOTTAKU_SMTP_TLS", "none"),
    ];
    let messages = vec![
        email("ok", Purpose::Contractual),
        email("no", Purpose::Contractual),
        email("later", Purpose::Contractual),
        email("cut", Purpose::Contractual),
        email("tip", Purpose::Service),
        email("offer", Purpose::Promotional),
        route(
            "alert",
            vec![
                Target::Slack("U1".into()),
                Target::Email("csm@vendor.example".into()),
            ],
        ),
        route(
            "lost",
            vec![Target::Slack("U1".into()), Target::Channel("#none".into())],
        ),
    ];
    let states = sent(&variables, messages).await;
    let expected = [
        ("ok", DeliveryState::Sent),
        ("no", DeliveryState::Refused),
        ("later", DeliveryState::Deferred),
        ("cut", DeliveryState::Unknown),
        ("tip", DeliveryState::Suppressed),
        ("offer", DeliveryState::Suppressed),
        ("alert", DeliveryState::Sent),
        ("lost", DeliveryState::Deferred),
    ];
    assert_eq!(
        states,
        expected
            .into_iter()
            .map(|(step, state)| (step.to_owned(), state))
            .collect()
    );
    let mut taken = Vec::new();
    while let Ok(whom) = took.try_recv() {
        taken.push(whom);
    }
    taken.sort();
    assert_eq!(taken, ["csm@vendor.example", "ok@acme.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_begun_at_a_stop_goes_back_untried() {
    let (sender, mut took) = mpsc::channel(16);
    let address = mail_server(sender).await;
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let variables = [
        ("SOTTAKU_MODE", "smtp"),
        ("SOTTAKU_SMTP_HOST", host.as_str()),
        ("SOTTAKU_SMTP_PORT", port.as_str()),
        ("SOTTAKU_SMTP_TLS", "none"),
        ("SOTTAKU_SMTP_CONCURRENCY_MAX", "1"),
    ];
    let place = Place::new(ClockMode::Log);
    let mut config = place.config(&variables);
    config.limits.stop_time_max = Duration::from_millis(250);
    let clock = crate::clock::Clock::by_hand(noon());
    let shared = Shared::new(config, place.open().await, clock).expect("the means are right");
    let messages = ["slow1", "slow2", "slow3"].map(|name| email(name, Purpose::Contractual));
    let sending = deciding(&shared, &example(), messages.into()).await;
    let taken = timeout(PATIENCE, took.recv()).await;
    taken.expect("one is under way").expect("it goes on");
    sending.end().await;
    let deliveries = shared.store.deliveries(store::DeliveryFilter {
        count_max: 100,
        ..Default::default()
    });
    let mut ends: Vec<(&str, u32)> = Vec::new();
    let deliveries = deliveries.await.expect("the store reads");
    for one in &deliveries {
        ends.push((one.state.as_str(), one.attempts));
    }
    ends.sort_unstable();
    // Whose bytes have left is for the next sender to say.
    assert_eq!(ends, [("claimed", 1), ("deferred", 0), ("deferred", 0)]);
}

fn configured(text: &str) -> crate::Config {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sottaku.yaml");
    std::fs::write(&path, text).expect("it is written");
    crate::Config::load_with(Some(&path), &|_| None).expect("they are right")
}

#[tokio::test]
async fn a_sender_with_a_server_of_its_own_uses_it_and_all_others_the_one_for_all() {
    let text = "mode: smtp\nsmtp: {host: 127.0.0.1, tls: none}\nsenders:\n  - from: [news.vendor.example, Offers@vendor.example]\n    smtp: {host: 127.0.0.2, tls: none}\n";
    let means = Means::new(&configured(text)).expect("they are right");
    let name = |from: &str| {
        let from = outreach::mail::Address::parse(from).expect("an address");
        means
            .servers
            .of(&from)
            .map(|server| server.name().to_owned())
    };
    for (from, expected) in [
        ("a@news.vendor.example", "news.vendor.example"),
        ("offers@vendor.example", "news.vendor.example"),
        ("success@vendor.example", "default"),
        ("a@xnews.vendor.example", "default"),
    ] {
        assert_eq!(name(from).as_deref(), Some(expected), "{from}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_the_pace_is_put_off_and_not_tried() {
    let (sender, mut took) = mpsc::channel(16);
    let address = mail_server(sender).await;
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let variables = [
        ("SOTTAKU_MODE", "smtp"),
        ("SOTTAKU_SMTP_HOST", host.as_str()),
        ("SOTTAKU_SMTP_PORT", port.as_str()),
        ("SOTTAKU_SMTP_TLS", "none"),
    ];
    let rate = crate::config::Rate {
        per_minute: Some(1),
        at_once: None,
    };
    let pace = crate::config::Pace {
        domains: [("acme.example".into(), rate)].into(),
        ..Default::default()
    };
    let messages = vec![
        email("one", Purpose::Contractual),
        email("two", Purpose::Contractual),
        route("alert", vec![Target::Email("csm@vendor.example".into())]),
    ];
    let states = sent_at(&variables, pace, messages).await;
    let count = |state| states.values().filter(|found| **found == state).count();
    assert_eq!(
        (count(DeliveryState::Sent), count(DeliveryState::Deferred)),
        (2, 1),
        "{states:?}"
    );
    let mut taken = 0;
    while took.try_recv().is_ok() {
        taken += 1;
    }
    assert_eq!(taken, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn captured_mode_keeps_everything_whatever_its_topic() {
    let messages = vec![
        email("ok", Purpose::Contractual),
        email("tip", Purpose::Promotional),
        route("alert", vec![Target::Slack("U1".into())]),
    ];
    let states = sent(&[], messages).await;
    assert!(
        states.values().all(|state| *state == DeliveryState::Sent),
        "{states:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_with_a_webhook_gets_its_post() {
    let (sender, _took) = mpsc::channel(16);
    let address = webhook(sender).await;
    let place = Place::new(ClockMode::Log);
    let folder = place.folder();
    let settings = folder.join("sottaku.yaml");
    std::fs::write(&settings, "egress: {allow: [127.0.0.0/8:PORT]}\nslack: {channels: {'#voc': '${env:VOC}'}}\nmode: smtp\nsmtp: {host: 127.0.0.1, tls: none}\n".replace("PORT", &address.port().to_string())).expect("it is written");
    let url = format!("http://{address}/hook");
    let variable = |name: &str| (name == "VOC").then(|| url.clone());
    let config = crate::Config::load_with(Some(&settings), &variable).expect("they are right");
    let means = Means::new(&config).expect("the means are right");
    let targets = [Target::Slack("U1".into()), Target::Channel("#voc".into())];
    assert_eq!(means.choose(&targets), Some((1, &targets[1])));
    let (Some(egress), Some(hook)) = (&means.egress, means.channels.get("#voc")) else {
        panic!("the channel has no means");
    };
    let fate = hook.post(egress, &serde_json::json!({"text": "x"})).await;
    assert!(matches!(fate, outreach::Fate::Sent { .. }), "{fate}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_slack_does_not_know_is_passed_over_for_the_next_target() {
    let (sender, mut took) = mpsc::channel(16);
    let answer = |request: &str| match request.split(' ').nth(1) {
        Some("/api/users.lookupByEmail") => r#"{"ok":false,"error":"users_not_found"}"#,
        Some("/api/chat.postMessage") => r#"{"ok":false,"error":"channel_not_found"}"#,
        Some(_) | None => "ok",
    };
    let address = http(sender, answer).await;
    let place = Place::new(ClockMode::Log);
    let settings = place.folder().join("sottaku.yaml");
    let text = format!(
        "egress: {{allow: ['{address}']}}\nslack: {{bot_token: '${{env:BOT}}', api: 'http://{address}/api', channels: {{'#voc': '${{env:VOC}}'}}}}\nmode: smtp\nsmtp: {{host: 127.0.0.1, tls: none}}\n"
    );
    std::fs::write(&settings, text).expect("it is written");
    let url = format!("http://{address}/hook");
    let variable = |name: &str| match name {
        "VOC" => Some(url.clone()),
        "BOT" => Some("xoxb-test".to_owned()),
        _ => None,
    };
    let config = crate::Config::load_with(Some(&settings), &variable).expect("they are right");
    let clock = crate::Clock::by_hand(noon());
    let shared = Shared::new(config, place.open().await, clock).expect("the means are right");
    let gone = || Target::Slack("gone@vendor.example".into());
    let messages = vec![
        route(
            "known",
            vec![
                gone(),
                Target::Slack("U0GONE".into()),
                Target::Channel("#voc".into()),
            ],
        ),
        route("lost", vec![gone()]),
    ];
    let states = settled(&shared, messages).await;
    let expected = [
        ("known", DeliveryState::Sent),
        ("lost", DeliveryState::Refused),
    ];
    let expected = expected.map(|(step, state)| (step.to_owned(), state));
    assert_eq!(states, BTreeMap::from(expected));
    let mut heard = BTreeMap::<String, usize>::new();
    while let Ok(request) = took.try_recv() {
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        *heard.entry(path).or_default() += 1;
    }
    let expected = [
        ("/api/users.lookupByEmail", 2),
        ("/api/chat.postMessage", 1),
        ("/hook", 1),
    ];
    let expected = expected.map(|(path, times)| (path.to_owned(), times));
    assert_eq!(heard, BTreeMap::from(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_is_one_post_and_each_message_has_its_fate() {
    let (sender, mut took) = mpsc::channel(16);
    let address = webhook(sender).await;
    let place = Place::new(ClockMode::Live);
    let settings = place.folder().join("sottaku.yaml");
    let text = format!(
        "egress: {{allow: ['{address}']}}\nslack: {{channels: {{'#voc': '${{env:VOC}}'}}}}\nmode: smtp\nsmtp: {{host: 127.0.0.1, tls: none}}\n"
    );
    std::fs::write(&settings, text).expect("it is written");
    let url = format!("http://{address}/hook");
    let variable = |name: &str| (name == "VOC").then(|| url.clone());
    let config = crate::Config::load_with(Some(&settings), &variable).expect("they are right");
    let store = place.open().await;
    let shared = Shared::new(config, store, crate::Clock::by_hand(noon())).expect("the means");
    // They were decided hours before they may leave.
    let all = ["one", "two", "three"];
    let message = |name: &&str| route(name, vec![Target::Channel("#voc".into())]);
    let states = settled(&shared, all.iter().map(message).collect()).await;
    assert!(
        states.values().all(|state| *state == DeliveryState::Sent),
        "{states:?}"
    );
    let post = took.try_recv().expect("a post came");
    assert!(
        all.iter()
            .all(|name| post.contains(&format!("Hello {name}")))
    );
    assert_eq!(post.matches("\"header\"").count(), 1, "{post}");
    assert!(post.contains("ご契約の更新"), "under its topic: {post}");
    assert!(took.try_recv().is_err(), "and only one");
}

#[tokio::test]
async fn with_the_switch_off_nothing_is_permitted() {
    let place = Place::new(ClockMode::Log);
    let shared = place.shared(&[]).await;
    let off = Switch {
        name: Switch::SEND.into(),
        is_on: false,
        at: noon(),
        note: "test".into(),
    };
    shared
        .store
        .set_switch(off)
        .await
        .expect("the store writes");
    let bid = Bid {
        owner: "a".into(),
        now: noon(),
        ttl: Duration::from_secs(6),
    };
    let lease = shared
        .store
        .acquire(0, Role::Send, &bid)
        .await
        .expect("the store writes")
        .expect("free");
    let mut sender = Sender::new(shared, 0, lease.epoch);
    assert_eq!(sender.round(&mut false).await.expect("the store reads"), 0);
}
