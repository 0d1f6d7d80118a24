//! Sessions kept for the next mail.

use crate::scripted::{OPENING, Server, Step, another_mail, willing};
use crate::session::{MESSAGE, envelope, settings};
use outreach::smtp::{Connections, Settings};
use outreach::{Fate, Next, Phase};
use std::time::Duration;

async fn send(connections: &Connections) -> Fate {
    connections
        .hand_over(&envelope(&[]), MESSAGE, || async { true })
        .await
}

#[tokio::test]
async fn a_session_takes_the_next_mail_without_ado() {
    let server = Server::start(vec![willing(3)]).await;
    let connections = Connections::new(settings(server.port)).expect("settings");
    for _ in 0..3 {
        assert_eq!(send(&connections).await.next(), Next::Done);
    }
    let commands: Vec<String> = server.heard()[0]
        .iter()
        .map(|line| line.chars().take(4).collect())
        .collect();
    let mail = ["MAIL", "RCPT", "DATA", "Subj"];
    let expected: Vec<&str> = ["EHLO"].into_iter().chain(mail.repeat(3)).collect();
    assert_eq!(commands, expected);
}

#[tokio::test]
async fn a_session_that_died_while_waiting_is_replaced_at_once() {
    let mut closed = OPENING.to_vec();
    closed.push(Step::Say("250 queued\r\n"));
    let mut told = closed.clone();
    told.push(Step::Say("421 idle for too long\r\n"));
    let mut cut_at_mail = closed.clone();
    cut_at_mail.push(Step::Hear);
    for first in [closed, told, cut_at_mail] {
        let server = Server::start(vec![first, willing(1)]).await;
        let connections = Connections::new(settings(server.port)).expect("settings");
        assert_eq!(send(&connections).await.next(), Next::Done);
        assert_eq!(send(&connections).await.next(), Next::Done);
        assert_eq!((server.heard().len(), server.messages()), (2, 2));
    }
}

#[tokio::test]
async fn a_waiting_session_that_is_cut_after_mail_is_not_tried_again() {
    let mut first = willing(1);
    first.pop();
    first.extend([Step::Hear, Step::Say("250 ok\r\n"), Step::Hear]);
    let server = Server::start(vec![first, willing(1)]).await;
    let connections = Connections::new(settings(server.port)).expect("settings");
    assert_eq!(send(&connections).await.next(), Next::Done);
    let fate = send(&connections).await;
    assert!(
        matches!(
            fate,
            Fate::NotSent {
                phase: Phase::Recipient,
                ..
            }
        ),
        "{fate:?}"
    );
}

#[tokio::test]
async fn after_anything_but_a_yes_a_session_is_not_used_again() {
    for (before, words) in [
        (4, "451 later\r\n"),
        (6, "550 no\r\n"),
        (8, "550 no\r\n"),
        (10, "451 later\r\n"),
        (10, "550 no\r\n"),
        (10, "354 odd\r\n"),
    ] {
        let mut first = OPENING[..before].to_vec();
        first.extend([Step::Say(words), Step::Hang]);
        let server = Server::start(vec![first, willing(1)]).await;
        let connections = Connections::new(settings(server.port)).expect("settings");
        assert_ne!(send(&connections).await.next(), Next::Done);
        assert_eq!(send(&connections).await.next(), Next::Done, "{words}");
        assert_eq!(server.heard().len(), 2);
    }
}

#[tokio::test]
async fn a_session_whose_mail_was_dropped_midway_is_not_used_again() {
    let mut first = OPENING.to_vec();
    first.push(Step::Hang);
    let server = Server::start(vec![first, willing(1)]).await;
    let connections = Connections::new(settings(server.port)).expect("settings");
    let dropped = tokio::time::timeout(Duration::from_millis(50), send(&connections)).await;
    assert!(dropped.is_err());
    assert_eq!(send(&connections).await.next(), Next::Done);
    assert_eq!(server.heard().len(), 2);
}

#[tokio::test]
async fn a_session_takes_only_so_many_mails_and_waits_only_so_long() {
    let server = Server::start(vec![willing(2), willing(2)]).await;
    let limited = Settings {
        mails_per_connection_max: 2,
        ..settings(server.port)
    };
    let connections = Connections::new(limited).expect("settings");
    for _ in 0..3 {
        assert_eq!(send(&connections).await.next(), Next::Done);
    }
    assert_eq!(server.heard().len(), 2);
    let server = Server::start(vec![willing(2), willing(2)]).await;
    let restless = Settings {
        idle_max: Duration::ZERO,
        ..settings(server.port)
    };
    let connections = Connections::new(restless).expect("settings");
    for _ in 0..2 {
        assert_eq!(send(&connections).await.next(), Next::Done);
    }
    assert_eq!(server.heard().len(), 2);
}

#[tokio::test]
async fn only_so_many_connections_are_open_at_a_time() {
    let server = Server::start(vec![willing(8), willing(8), willing(8)]).await;
    let two = Settings {
        connections_max: 2,
        ..settings(server.port)
    };
    let connections = Connections::new(two).expect("settings");
    let fates = tokio::join!(
        send(&connections),
        send(&connections),
        send(&connections),
        send(&connections)
    );
    for fate in [fates.0, fates.1, fates.2, fates.3] {
        assert_eq!(fate.next(), Next::Done);
    }
    assert_eq!((server.heard().len(), server.messages()), (2, 4));
}

#[tokio::test]
async fn a_mail_can_be_handed_over_in_a_task_of_its_own() {
    let server = Server::start(vec![willing(1)]).await;
    let connections = Connections::new(settings(server.port)).expect("settings");
    let task = tokio::spawn(async move { send(&connections).await });
    assert_eq!(task.await.expect("an end").next(), Next::Done);
}

#[tokio::test]
async fn sweeping_leaves_only_what_waited_too_long() {
    for (idle_max, is_left) in [(Duration::ZERO, true), (Duration::from_secs(60), false)] {
        let mut script = OPENING[..3].to_vec();
        script.extend(another_mail());
        script.extend([Step::Hear, Step::Say("221 bye\r\n")]);
        let server = Server::start(vec![script]).await;
        let restless = Settings {
            idle_max,
            ..settings(server.port)
        };
        let connections = Connections::new(restless).expect("settings");
        assert_eq!(send(&connections).await.next(), Next::Done);
        connections.sweep().await;
        let last = server.heard().remove(0).pop();
        assert_eq!(last.as_deref() == Some("QUIT"), is_left);
    }
}

#[tokio::test]
async fn closing_says_good_bye_and_takes_no_more() {
    let mut script = OPENING[..3].to_vec();
    script.extend(another_mail());
    script.extend([Step::Hear, Step::Say("221 bye\r\n")]);
    let server = Server::start(vec![script]).await;
    let connections = Connections::new(settings(server.port)).expect("settings");
    assert_eq!(send(&connections).await.next(), Next::Done);
    connections.close().await;
    assert_eq!(server.heard()[0].last().map(String::as_str), Some("QUIT"));
    assert!(matches!(
        send(&connections).await,
        Fate::NotSent {
            phase: Phase::Connect,
            ..
        }
    ));
}
