//! One session against servers that cut, hang, garble and refuse in every phase.

use crate::phases::Mode;
use crate::scripted::{OPENING, Server, Step, willing};
use outreach::mail::{Address, Envelope};
use outreach::smtp::{Credentials, Deadlines, Dialer, Encryption, HandedOver, Settings};
use outreach::{Fate, Next, Phase, Secret};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub(crate) const MESSAGE: &[u8] = b"Subject: x\r\n\r\nbody\r\n.\r\n";

pub(crate) fn envelope(copies: &[&str]) -> Envelope {
    let address = |text: &str| Address::parse(text).expect("an address");
    Envelope {
        from: address("success@vendor.example"),
        to: address("taro@daichi.example"),
        cc: copies.iter().map(|copy| address(copy)).collect(),
    }
}

pub(crate) fn settings(port: u16) -> Settings {
    let patient = Duration::from_secs(20);
    let deadlines = Deadlines {
        connect: patient,
        command: patient,
        data: patient,
        body: patient,
        answer: patient,
        quit: patient,
    };
    Settings {
        encryption: Encryption::None,
        deadlines,
        ..Settings::new("127.0.0.1", port)
    }
}

/// The same with so little patience that a server that hangs is noticed at once.
fn impatient(port: u16) -> Settings {
    let short = Duration::from_millis(60);
    let mut settings = settings(port);
    settings.deadlines = Deadlines {
        command: short,
        data: short,
        body: short,
        answer: short,
        ..settings.deadlines
    };
    settings
}

pub(crate) async fn hand_over(
    settings: Settings,
    copies: &[&str],
    message: &[u8],
    permitted: bool,
) -> (HandedOver, usize) {
    let asked = AtomicUsize::new(0);
    let permit = || async {
        asked.fetch_add(1, Ordering::SeqCst);
        permitted
    };
    let dialer = Dialer::new(settings).expect("settings");
    let outcome = match dialer.dial().await {
        Ok(session) => session.hand_over(&envelope(copies), message, permit).await,
        Err(fate) => HandedOver::ended(fate),
    };
    (outcome, asked.load(Ordering::SeqCst))
}

/// The phases with the number of steps that come before the server's answer in each.
pub(crate) const ANSWERS: [(Phase, usize); 6] = [
    (Phase::Greeting, 0),
    (Phase::Hello, 2),
    (Phase::Mail, 4),
    (Phase::Recipient, 6),
    (Phase::Data, 8),
    (Phase::Answer, 10),
];

#[tokio::test]
async fn a_server_that_hangs_is_left_at_the_deadline() {
    for (mode, (phase, before)) in [Mode::PLAIN, Mode::FLIGHT]
        .into_iter()
        .flat_map(|mode| ANSWERS.map(|it| (mode, it)))
    {
        let mut script = mode.opening(before);
        script.push(Step::Hang);
        let server = Server::start(vec![script]).await;
        let (outcome, _) = hand_over(impatient(server.port), &[], MESSAGE, true).await;
        let expected = if phase == Phase::Answer {
            Next::AsTopicSays
        } else {
            Next::Again(None)
        };
        assert_eq!(outcome.fate.next(), expected, "{phase}: {:?}", outcome.fate);
        assert!(outcome.session.is_none());
    }
}

#[tokio::test]
async fn a_cut_while_the_message_is_written_is_unknown() {
    let large = b"Subject: x\r\n\r\n"
        .iter()
        .copied()
        .chain((0..32_000_000).map(|_| b'x'))
        .collect::<Vec<u8>>();
    for (last, due) in [
        (None, None),
        (Some(Step::Freeze), Some(Phase::Body)),
        (Some(Step::Hang), None),
    ] {
        let mut script = OPENING[..9].to_vec();
        script.extend(last);
        let server = Server::start(vec![script]).await;
        let (outcome, _) = hand_over(impatient(server.port), &[], &large, true).await;
        let Fate::Unknown { phase, .. } = outcome.fate else {
            panic!("{last:?}: {:?}", outcome.fate)
        };
        assert!(due.is_none_or(|due| due == phase), "{last:?}: {phase}");
    }
}

#[tokio::test]
async fn nobody_listening_is_not_sent() {
    let port = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let (outcome, asked) = hand_over(settings(port), &[], MESSAGE, true).await;
    assert!(
        matches!(
            outcome.fate,
            Fate::NotSent {
                phase: Phase::Connect,
                ..
            }
        ),
        "{:?}",
        outcome.fate
    );
    assert_eq!(asked, 0);
}

#[tokio::test]
async fn a_yes_after_the_last_byte_is_sent_and_the_session_comes_back() {
    let server = Server::start(vec![willing(1)]).await;
    let (outcome, asked) = hand_over(settings(server.port), &[], MESSAGE, true).await;
    assert_eq!(
        outcome.fate,
        Fate::Sent {
            reply: "250 queued".into(),
            refused_copies: Vec::new()
        }
    );
    assert_eq!(
        (asked, outcome.session.map(|session| session.mails())),
        (1, Some(1))
    );
    let heard = server.heard().remove(0);
    let size = format!("MAIL FROM:<success@vendor.example> SIZE={}", MESSAGE.len());
    assert_eq!(
        heard,
        [
            "EHLO localhost",
            size.as_str(),
            "RCPT TO:<taro@daichi.example>",
            "DATA",
            "Subject: x\r\n\r\nbody\r\n..\r\n."
        ]
    );
}

#[tokio::test]
async fn without_a_permit_nothing_is_sent() {
    for (reply, comes_back) in [
        ("250 reset\r\n", true),
        ("500 what\r\n", false),
        ("250 reset\r\n250 and\r\n", true),
    ] {
        let mut script = OPENING[..7].to_vec();
        script.extend([Step::Hear, Step::Say(reply), Step::Hang]);
        let server = Server::start(vec![script]).await;
        let (outcome, asked) = hand_over(settings(server.port), &[], MESSAGE, false).await;
        assert_eq!(outcome.fate, Fate::NotPermitted);
        assert_eq!(
            (asked, outcome.session.is_some()),
            (1, comes_back),
            "{reply}"
        );
        assert_eq!(server.heard()[0].last().map(String::as_str), Some("RSET"));
        assert_eq!(server.messages(), 0);
    }
}

#[tokio::test]
async fn a_refused_copy_does_not_stop_the_mail() {
    let mut script = OPENING[..7].to_vec();
    script.extend([
        Step::Hear,
        Step::Say("550 no such user\r\n"),
        Step::Hear,
        Step::Say("451 later\r\n"),
        Step::Hear,
        Step::Say("250 ok\r\n"),
    ]);
    script.extend([
        Step::Hear,
        Step::Say("354 go on\r\n"),
        Step::HearMessage,
        Step::Say("250 queued\r\n"),
        Step::Hang,
    ]);
    let server = Server::start(vec![script]).await;
    let copies = ["a@daichi.example", "b@daichi.example", "c@daichi.example"];
    let (outcome, _) = hand_over(settings(server.port), &copies, MESSAGE, true).await;
    let Fate::Sent { refused_copies, .. } = outcome.fate else {
        panic!("{:?}", outcome.fate)
    };
    let refused: Vec<_> = refused_copies
        .iter()
        .map(|copy| (&*copy.address, copy.code))
        .collect();
    assert_eq!(
        refused,
        [("a@daichi.example", 550), ("b@daichi.example", 451)]
    );
}

#[tokio::test]
async fn two_replies_to_one_command_are_never_booked_to_the_next() {
    let mut script = OPENING[..4].to_vec();
    script.extend([Step::Say("250 ok\r\n250 and more\r\n"), Step::Hang]);
    let server = Server::start(vec![script]).await;
    let (outcome, asked) = hand_over(settings(server.port), &[], MESSAGE, true).await;
    assert!(
        matches!(
            outcome.fate,
            Fate::NotSent {
                phase: Phase::Recipient,
                ..
            }
        ),
        "{:?}",
        outcome.fate
    );
    assert_eq!(asked, 0);
    let mut script = OPENING.to_vec();
    script.extend([Step::Say("250 queued\r\n550 not really\r\n"), Step::Hang]);
    let server = Server::start(vec![script]).await;
    let (outcome, _) = hand_over(settings(server.port), &[], MESSAGE, true).await;
    assert_eq!(outcome.fate.next(), Next::Done);
    assert!(outcome.session.is_none());
}

#[tokio::test]
async fn a_reply_without_end_is_cut() {
    let line: &'static str = Box::leak("250-x\r\n".repeat(200).into_boxed_str());
    let long: &'static str = Box::leak("2".repeat(5_000).into_boxed_str());
    for words in [line, long] {
        let mut script = OPENING[..4].to_vec();
        script.extend([Step::Say(words), Step::Hang]);
        let server = Server::start(vec![script]).await;
        let (outcome, _) = hand_over(settings(server.port), &[], MESSAGE, true).await;
        assert!(
            matches!(
                outcome.fate,
                Fate::NotSent {
                    phase: Phase::Mail,
                    ..
                }
            ),
            "{:?}",
            outcome.fate
        );
    }
}

fn with_password(port: u16) -> Settings {
    let credentials = Credentials {
        user: "cs".into(),
        password: Secret::new("canary-password"),
    };
    Settings {
        credentials: Some(credentials),
        ..settings(port)
    }
}

#[tokio::test]
async fn a_password_is_given_as_the_server_asks() {
    for (offer, exchange, heard) in [
        (
            "250-x\r\n250 AUTH LOGIN PLAIN\r\n",
            vec!["235 in\r\n"],
            vec!["AUTH PLAIN AGNzAGNhbmFyeS1wYXNzd29yZA=="],
        ),
        (
            "250-x\r\n250 AUTH=LOGIN\r\n",
            vec!["334 u\r\n", "334 p\r\n", "235 in\r\n"],
            vec!["AUTH LOGIN", "Y3M=", "Y2FuYXJ5LXBhc3N3b3Jk"],
        ),
    ] {
        let mut script = vec![Step::Say("220 hello\r\n"), Step::Hear, Step::Say(offer)];
        script.extend(
            exchange
                .into_iter()
                .flat_map(|words| [Step::Hear, Step::Say(words)]),
        );
        script.extend(willing(1).split_off(3));
        let server = Server::start(vec![script]).await;
        let (outcome, _) = hand_over(with_password(server.port), &[], MESSAGE, true).await;
        assert_eq!(outcome.fate.next(), Next::Done, "{:?}", outcome.fate);
        assert_eq!(server.heard()[0][1..=heard.len()], heard);
    }
}

#[tokio::test]
async fn a_password_that_is_refused_ends_no_message_and_is_not_shown() {
    for (answer, is_deferred) in [
        ("535 no\r\n", false),
        ("454 not now\r\n", true),
        ("banana\r\n", false),
        ("", false),
    ] {
        let script = vec![
            Step::Say("220 hello\r\n"),
            Step::Hear,
            Step::Say("250-x\r\n250 AUTH PLAIN\r\n"),
            Step::Hear,
            Step::Say(answer),
        ];
        let server = Server::start(vec![script]).await;
        let settings = with_password(server.port);
        assert!(!format!("{settings:?}").contains("canary"));
        let (outcome, _) = hand_over(settings, &[], MESSAGE, true).await;
        let fate = outcome.fate;
        assert_eq!(fate.next(), Next::Again(None));
        assert_eq!(
            matches!(
                fate,
                Fate::Deferred {
                    phase: Phase::Auth,
                    ..
                }
            ),
            is_deferred,
            "{fate:?}"
        );
        assert!(!format!("{fate:?}").contains("canary"));
    }
    let server = Server::start(vec![OPENING.to_vec()]).await;
    let (outcome, _) = hand_over(with_password(server.port), &[], MESSAGE, true).await;
    assert!(matches!(
        outcome.fate,
        Fate::NotSent {
            phase: Phase::Auth,
            ..
        }
    ));
}
