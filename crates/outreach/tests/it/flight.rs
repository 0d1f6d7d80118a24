//! Commands in one flight: the server has heard all of them before it answers the first.

use crate::phases::IN_FLIGHT;
use crate::scripted::{Server, Step, willing};
use crate::session::{MESSAGE, envelope, hand_over, settings};
use outreach::smtp::{Connections, Dialer, Settings};
use outreach::{Fate, Next, Phase};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::Semaphore;

/// A session whose server hears `commands` and then gives all answers at once.
fn answered(commands: usize, answers: &'static str) -> Vec<Step> {
    let mut script = vec![Step::Say("220 hello\r\n"), Step::Hear, IN_FLIGHT];
    script.extend((0..commands).map(|_| Step::Hear));
    script.push(Step::Say(answers));
    script
}

#[tokio::test]
async fn a_mail_with_copies_leaves_in_one_flight() {
    let mut script = answered(
        5,
        "250 a\r\n250 b\r\n550 no such user\r\n250 c\r\n354 go on\r\n",
    );
    script.extend([Step::HearMessage, Step::Say("250 queued\r\n"), Step::Hang]);
    let server = Server::start(vec![script]).await;
    let copies = ["a@daichi.example", "b@daichi.example"];
    let (outcome, asked) = hand_over(settings(server.port), &copies, MESSAGE, true).await;
    let Fate::Sent { refused_copies, .. } = outcome.fate else {
        panic!("{:?}", outcome.fate)
    };
    assert_eq!(refused_copies.len(), 1);
    assert_eq!(&*refused_copies[0].address, "a@daichi.example");
    assert_eq!((asked, outcome.session.is_some()), (1, true));
    let heard: Vec<String> = server.heard()[0]
        .iter()
        .map(|line| line.chars().take(4).collect())
        .collect();
    assert_eq!(
        heard,
        ["EHLO", "MAIL", "RCPT", "RCPT", "RCPT", "DATA", "Subj"]
    );
}

#[tokio::test]
async fn a_server_that_asks_for_a_message_after_a_no_never_gets_it() {
    for (answers, due) in [
        ("550 no\r\n503 first\r\n503 first\r\n", Phase::Mail),
        ("550 no\r\n250 yes\r\n354 go on\r\n", Phase::Mail),
        ("250 a\r\n550 no\r\n503 nobody\r\n", Phase::Recipient),
        ("250 a\r\n550 no\r\n354 go on\r\n", Phase::Recipient),
        ("250 a\r\n250 b\r\n554 no\r\n", Phase::Data),
    ] {
        let mut script = answered(3, answers);
        script.push(Step::HearMessage);
        let server = Server::start(vec![script]).await;
        let (outcome, _) = hand_over(settings(server.port), &[], MESSAGE, true).await;
        assert!(
            matches!(&outcome.fate, Fate::Refused { phase, .. } if *phase == due),
            "{answers}: {:?}",
            outcome.fate
        );
        assert!(outcome.session.is_none());
        assert_eq!(server.messages(), 0, "{answers}");
    }
    // The recipient is refused and a copy taken: the mail is not the copy's.
    let server = Server::start(vec![answered(
        4,
        "250 a\r\n550 no\r\n250 b\r\n354 go on\r\n",
    )])
    .await;
    let (outcome, _) = hand_over(settings(server.port), &["a@daichi.example"], MESSAGE, true).await;
    assert_eq!(outcome.fate.next(), Next::GiveUp, "{:?}", outcome.fate);
    assert_eq!(server.messages(), 0);
}

#[tokio::test]
async fn an_answer_too_many_is_never_booked_as_a_yes() {
    for answers in [
        "250 a\r\n250 more\r\n250 b\r\n354 go on\r\n",
        "250 a\r\n250 b\r\n354 go on\r\n250 queued\r\n",
    ] {
        let mut script = answered(3, answers);
        script.push(Step::Hang);
        let server = Server::start(vec![script]).await;
        let (outcome, _) = hand_over(settings(server.port), &[], MESSAGE, true).await;
        assert!(
            matches!(
                outcome.fate,
                Fate::NotSent {
                    phase: Phase::Data,
                    ..
                }
            ),
            "{answers}: {:?}",
            outcome.fate
        );
        assert_eq!(server.messages(), 0);
    }
}

#[tokio::test]
async fn without_a_permit_nothing_is_said_and_the_session_waits_on() {
    let mut script = willing(1);
    script[2] = IN_FLIGHT;
    let server = Server::start(vec![script]).await;
    let (outcome, asked) = hand_over(settings(server.port), &[], MESSAGE, false).await;
    assert_eq!(outcome.fate, Fate::NotPermitted);
    assert_eq!(asked, 1);
    assert_eq!(server.heard()[0], ["EHLO localhost"]);
    let session = outcome.session.expect("it is as it was");
    let handed_over = session
        .hand_over(&envelope(&[]), MESSAGE, || async { true })
        .await;
    assert_eq!(handed_over.fate.next(), Next::Done);
}

#[tokio::test]
async fn a_permit_that_grew_old_is_asked_for_again_before_the_first_byte() {
    for pipelining in [true, false] {
        let mut script = willing(1);
        script[2] = IN_FLIGHT;
        let server = Server::start(vec![script]).await;
        let settings = Settings {
            pipelining,
            permit_age_max: Duration::ZERO,
            ..settings(server.port)
        };
        let asked = AtomicUsize::new(0);
        let session = Dialer::new(settings)
            .expect("settings")
            .dial()
            .await
            .expect("a session");
        let permit = || async { asked.fetch_add(1, Ordering::SeqCst) == 0 };
        let handed_over = session.hand_over(&envelope(&[]), MESSAGE, permit).await;
        assert_eq!(handed_over.fate, Fate::NotPermitted);
        assert!(handed_over.session.is_none());
        assert_eq!((asked.load(Ordering::SeqCst), server.messages()), (2, 0));
    }
}

/// Hands two mails over on one connection, of which the first waits for its permit until the second was looked at once;
/// says how often the second had asked for its own by then, and at the end.
async fn asked_ahead(settings: Settings, is_known: bool) -> (usize, usize) {
    let connections = Connections::new(settings).expect("settings");
    let (envelope, yes) = (envelope(&[]), || async { true });
    if is_known {
        let fate = connections.hand_over(&envelope, MESSAGE, yes).await;
        assert_eq!(fate.next(), Next::Done);
    }
    let (hold, asked) = (Semaphore::new(0), AtomicUsize::new(0));
    let held = || async { hold.acquire().await.is_ok() };
    let counted = || async {
        asked.fetch_add(1, Ordering::SeqCst);
        true
    };
    let mut first = pin!(connections.hand_over(&envelope, MESSAGE, held));
    let mut second = pin!(connections.hand_over(&envelope, MESSAGE, counted));
    let looked = poll_fn(|context| {
        let is_early =
            first.as_mut().poll(context).is_ready() | second.as_mut().poll(context).is_ready();
        Poll::Ready(is_early)
    });
    assert!(!looked.await, "neither can be done yet");
    let ahead = asked.load(Ordering::SeqCst);
    let (one, two, ()) = tokio::join!(first, second, async {
        hold.add_permits(1);
    });
    assert_eq!((one.next(), two.next()), (Next::Done, Next::Done));
    (ahead, asked.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_permit_is_asked_for_ahead_where_a_connection_is_about_to_be_free() {
    let (long, none) = (Duration::from_secs(60), Duration::ZERO);
    for (pipelining, is_known, ahead_time_max, expected) in [
        (true, true, long, (1, 1)),
        (true, false, long, (0, 1)),
        (false, true, long, (0, 1)),
        (true, true, none, (0, 1)),
    ] {
        let mut script = willing(3);
        script[2] = IN_FLIGHT;
        let server = Server::start(vec![script]).await;
        let settings = Settings {
            pipelining,
            ahead_time_max,
            permit_age_max: 10 * long,
            connections_max: 1,
            ..settings(server.port)
        };
        let asked = asked_ahead(settings, is_known).await;
        assert_eq!(asked, expected, "{pipelining} {is_known}");
    }
}

#[tokio::test]
async fn a_permit_that_waited_for_a_connection_is_asked_for_again_before_anything_is_said() {
    let mut script = willing(3);
    script[2] = IN_FLIGHT;
    let server = Server::start(vec![script]).await;
    let settings = Settings {
        permit_age_max: Duration::from_nanos(4),
        ahead_time_max: Duration::from_secs(60),
        connections_max: 1,
        ..settings(server.port)
    };
    // Ahead, before the flight, and before the first byte.
    assert_eq!(asked_ahead(settings, true).await, (1, 3));
}

#[tokio::test]
async fn a_flight_that_meets_a_dead_session_goes_over_a_new_one() {
    let mut first = willing(1);
    first.pop();
    first[2] = IN_FLIGHT;
    let mut second = willing(1);
    second[2] = IN_FLIGHT;
    let server = Server::start(vec![first, second]).await;
    let connections = Connections::new(settings(server.port)).expect("settings");
    for _ in 0..2 {
        let fate = connections
            .hand_over(&envelope(&[]), MESSAGE, || async { true })
            .await;
        assert_eq!(fate.next(), Next::Done, "{fate:?}");
    }
    assert_eq!(server.messages(), 2);
}

/// What a server hears that takes one mail, and then another with the commands of a third behind it.
fn ridden(words: &'static str, end: Step) -> Vec<Step> {
    let mut script = willing(2);
    script[2] = IN_FLIGHT;
    script.truncate(script.len() - 2);
    script.extend([Step::Hear; 3]);
    script.extend([Step::Say(words), end]);
    script
}

/// Hands two mails over, of which the second waits with its permit while the first one's message leaves; a third that was
/// handed over before makes the server known.
async fn ride(scripts: Vec<Vec<Step>>) -> (Server, Fate, Fate) {
    let server = Server::start(scripts).await;
    let settings = Settings {
        ahead_time_max: Duration::from_secs(60),
        connections_max: 1,
        ..settings(server.port)
    };
    let connections = Connections::new(settings).expect("settings");
    let (envelope, yes) = (envelope(&[]), || async { true });
    let fate = connections.hand_over(&envelope, MESSAGE, yes).await;
    assert_eq!(fate.next(), Next::Done);
    let hold = Semaphore::new(0);
    let held = || async { hold.acquire().await.is_ok() };
    let mut first = pin!(connections.hand_over(&envelope, MESSAGE, held));
    let mut second = pin!(connections.hand_over(&envelope, MESSAGE, yes));
    let looked = poll_fn(|context| {
        let is_early =
            first.as_mut().poll(context).is_ready() | second.as_mut().poll(context).is_ready();
        Poll::Ready(is_early)
    });
    assert!(!looked.await, "neither can be done yet");
    hold.add_permits(1);
    let (one, two) = tokio::join!(first, second);
    (server, one, two)
}

#[tokio::test]
async fn the_next_mails_commands_ride_behind_a_message() {
    let mut script = ridden(
        "250 queued\r\n250 a\r\n250 b\r\n354 go on\r\n",
        Step::HearMessage,
    );
    script.extend([Step::Say("250 queued\r\n"), Step::Hang]);
    let (server, one, two) = ride(vec![script]).await;
    assert_eq!((one.next(), two.next()), (Next::Done, Next::Done));
    let heard = server.heard();
    assert_eq!((heard.len(), server.messages()), (1, 3));
    assert!(heard[0][8].starts_with("Subject") && heard[0][9].starts_with("MAIL FROM:"));
}

#[tokio::test]
async fn an_answer_to_a_message_is_never_booked_to_who_rides_behind_it() {
    let not_sent = |phase: Phase| move |fate: &Fate| matches!(fate, Fate::NotSent { phase: its, .. } if *its == phase);
    let refused = |phase: Phase| move |fate: &Fate| matches!(fate, Fate::Refused { phase: its, .. } if *its == phase);
    type Check = Box<dyn Fn(&Fate) -> bool>;
    let cases: [(&str, Step, Check, u32); 6] = [
        (
            "250 queued\r\n250 a\r\n",
            Step::Hear,
            Box::new(not_sent(Phase::Recipient)),
            2,
        ),
        (
            "250 queued\r\n250 a\r\n250 b\r\n",
            Step::Hear,
            Box::new(not_sent(Phase::Data)),
            2,
        ),
        (
            "250 queued\r\n550 no\r\n503 no\r\n354 odd\r\n",
            Step::HearMessage,
            Box::new(refused(Phase::Mail)),
            2,
        ),
        (
            "250 queued\r\n250 a\r\n550 no\r\n354 odd\r\n",
            Step::HearMessage,
            Box::new(refused(Phase::Recipient)),
            2,
        ),
        // One answer too many: what follows is shifted, and so no message is asked for.
        (
            "250 queued\r\n250 more\r\n250 a\r\n250 b\r\n354 go on\r\n",
            Step::HearMessage,
            Box::new(not_sent(Phase::Data)),
            2,
        ),
        (
            "250 queued\r\n250 a\r\n250 b\r\n354 go on\r\n250 more\r\n",
            Step::HearMessage,
            Box::new(not_sent(Phase::Data)),
            2,
        ),
    ];
    for (words, end, is_right, messages) in cases {
        let (server, one, two) = ride(vec![ridden(words, end)]).await;
        assert_eq!(one.next(), Next::Done, "{words}");
        assert!(is_right(&two), "{words}: {two:?}");
        assert_eq!(server.messages(), messages as usize, "{words}");
    }
}

#[tokio::test]
async fn who_rides_behind_a_message_without_a_yes_goes_over_another_connection() {
    for (words, first, messages) in [
        ("", Next::AsTopicSays, 3),
        ("451 later\r\n", Next::Again(None), 3),
        ("550 no\r\n250 a\r\n250 b\r\n354 go on\r\n", Next::GiveUp, 3),
        ("250 queued\r\n", Next::Done, 3),
        ("250 queued\r\n421 bye\r\n", Next::Done, 3),
    ] {
        let mut last = willing(1);
        last[2] = IN_FLIGHT;
        // It is cut there, but for a server that waits for the message that it asked for.
        let mut script = ridden(words, Step::HearMessage);
        if !words.contains("354") {
            script.pop();
        }
        let (server, one, two) = ride(vec![script, last]).await;
        assert_eq!((one.next(), two.next()), (first, Next::Done), "{words}");
        assert_eq!(
            (server.heard().len(), server.messages()),
            (2, messages),
            "{words}"
        );
    }
}
