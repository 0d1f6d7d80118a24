//! Addresses, sessions, mailboxes: what is taken and what is not.

use super::lmtp::Session;
use super::*;
use crate::trial::Place;
use ingest::mail::Purpose;
use store::ClockMode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const DOMAIN: &str = "b.vendor.example";

async fn shared(place: &Place) -> Shared {
    place.shared(&[("SOTTAKU_BOUNCES_DOMAIN", DOMAIN)]).await
}

async fn address(shared: &Shared, purpose: Purpose) -> String {
    let made = Returns::of(shared)
        .address(&MessageId::of(&["x"]), purpose)
        .await;
    made.expect("the store answers")
        .expect("a domain is set")
        .to_string()
}

#[tokio::test]
async fn an_address_opens_for_its_purpose_whatever_its_case_and_for_no_other() {
    let place = Place::new(ClockMode::Live);
    let shared = shared(&place).await;
    let returns = Returns::of(&shared);
    let bounce = address(&shared, Purpose::Bounce).await;
    let reply = address(&shared, Purpose::Reply).await;
    let ours = Whose::Message(MessageId::of(&["x"]));
    for (address, purpose, expected) in [
        (bounce.clone(), Purpose::Bounce, &ours),
        (bounce.to_uppercase(), Purpose::Bounce, &ours),
        (reply.clone(), Purpose::Reply, &ours),
        (bounce.clone(), Purpose::Reply, &Whose::Nobody),
        // Whoever sees where answers go can't make a bounce of it.
        (
            reply.replace("reply+", "bounce+"),
            Purpose::Bounce,
            &Whose::Nobody,
        ),
        (
            bounce.replace("bounce+", "reply+"),
            Purpose::Reply,
            &Whose::Nobody,
        ),
        (
            bounce.replace(DOMAIN, "evil.example"),
            Purpose::Bounce,
            &Whose::Nobody,
        ),
    ] {
        let whose = returns.whose(&[address.as_str().into()], purpose).await;
        assert_eq!(whose.expect("the store answers"), *expected, "{address}");
    }
    assert!(bounce.find('@').expect("an address") <= 64 && bounce.len() <= 254);
    let mut guesses = 0;
    for at in 7..bounce.find('@').expect("an address") {
        for letter in "abcdefghijklmnopqrstuvwxyz234567".chars() {
            let mut guess = bounce.clone();
            guess.replace_range(at..=at, &letter.to_string());
            if guess != bounce {
                guesses += 1;
                let whose = returns
                    .whose(&[guess.as_str().into()], Purpose::Bounce)
                    .await;
                assert_eq!(whose.expect("the store answers"), Whose::Nobody, "{guess}");
            }
        }
    }
    assert_eq!(guesses, 56 * 31);
}

#[tokio::test]
async fn a_mail_without_a_proof_is_counted_and_says_nothing() {
    let place = Place::new(ClockMode::Live);
    let shared = shared(&place).await;
    let bounce = address(&shared, Purpose::Bounce).await;
    let report = |to: &str| {
        format!(
            "From: MAILER-DAEMON@mx.example\nTo: {to}\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1\n--b--\n"
        )
    };
    for (mail, expected) in [
        (
            report(
                &bounce
                    .replace("bounce+a", "bounce+b")
                    .replace("bounce+c", "bounce+d"),
            ),
            Received::Unproven,
        ),
        (report("bounce@b.vendor.example"), Received::Unproven),
        // A message that no store knows.
        (report(&bounce), Received::Unproven),
        (
            "From: a@b.example\nAuto-Submitted: auto-replied\n\nAway\n".to_owned(),
            Received::Ignored,
        ),
        (
            "From: a@b.example\nIn-Reply-To: <x@vendor.example>\n\nHi\n".to_owned(),
            Received::Unproven,
        ),
        (String::new(), Received::Unread(Unread::NoMail)),
    ] {
        let received = receive(&shared, &[], mail.as_bytes()).await;
        assert_eq!(received.expect("the store answers"), expected, "{mail}");
    }
    let measures = shared.measures.text();
    assert!(
        measures.contains("sottaku_mail_came_back_total{what=\"ignored\"} 1"),
        "{measures}"
    );
    assert_eq!(
        shared.store.log_end(0).await.expect("a log")
            + shared.store.log_end(1).await.expect("a log"),
        0
    );
}

/// What a session answers to these lines, without the words behind the codes.
async fn codes(shared: &Shared, lines: &[u8]) -> String {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (mut read, mut write) = tokio::io::split(ours);
    let talk = async {
        // The session may end before all is said.
        drop(write.write_all(lines).await);
        drop(write.shutdown().await);
    };
    let mut said = Vec::new();
    let (ended, (), heard) = tokio::join!(
        Session::new(shared, None).run(theirs),
        talk,
        read.read_to_end(&mut said)
    );
    ended.expect("the session ends well");
    heard.expect("all is heard");
    let said = String::from_utf8(said).expect("text");
    assert!(said.lines().all(|line| line.len() > 3), "{said}");
    let last = said.lines().filter(|line| line.as_bytes()[3] == b' ');
    last.map(|line| &line[..3]).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn only_our_own_addresses_are_taken() {
    let place = Place::new(ClockMode::Live);
    let shared = shared(&place).await;
    let bounce = address(&shared, Purpose::Bounce).await;
    let forged = bounce.replace('@', "a@");
    for (lines, expected) in [
        (
            format!(
                "LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<{bounce}>\r\nRCPT TO:<complaints@{DOMAIN}>\r\nDATA\r\nSubject: x\r\n\r\n..\r\n.\r\nQUIT\r\n"
            ),
            "220 250 250 250 250 354 250 250 221",
        ),
        (
            format!(
                "EHLO me\r\nMAIL FROM:<a@b.example> SIZE=100\r\nRCPT TO:<{bounce}>\r\nDATA\r\nSubject: x\r\n\r\nx\n.\n\r\n.\r\nQUIT\r\n"
            ),
            "220 250 250 250 354 250 221",
        ),
        (
            format!(
                "HELO me\r\nMAIL FROM:<>\r\nRCPT TO:<{forged}>\r\nRCPT TO:<mika@acme.example>\r\nRCPT TO:<>\r\nDATA\r\nQUIT\r\n"
            ),
            "220 250 250 550 550 550 503 221",
        ),
        (
            "MAIL FROM:<> SIZE=1048577\r\nRCPT TO:<a@b>\r\nMAIL a\r\nSTARTTLS\r\nNOOP\r\n"
                .to_owned(),
            "220 552 503 501 502 250",
        ),
        (
            format!("EHLO {}\r\nQUIT\r\n", "x".repeat(3_000)),
            "220 500 221",
        ),
        (
            "BAD\r\n".repeat(30),
            &format!("220{} 421", " 502".repeat(20)),
        ),
    ] {
        assert_eq!(codes(&shared, lines.as_bytes()).await, expected, "{lines}");
    }
}

#[tokio::test]
async fn a_mail_is_taken_up_to_its_limit() {
    let place = Place::new(ClockMode::Live);
    let shared = shared(&place).await;
    let bounce = address(&shared, Purpose::Bounce).await;
    let head = "From: a@b.example\r\n\r\n";
    for (bytes, expected) in [(1 << 20, "250"), ((1 << 20) + 1, "552")] {
        let line = format!("{}\r\n", "x".repeat(900));
        let lines = line.repeat((bytes - head.len()) / line.len() - 1);
        let rest = bytes - head.len() - lines.len() - 2;
        let mail = format!("{head}{lines}{}\r\n", "z".repeat(rest));
        assert_eq!(mail.len(), bytes);
        let lines =
            format!("LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<{bounce}>\r\nDATA\r\n{mail}.\r\nQUIT\r\n");
        let codes = codes(&shared, lines.as_bytes()).await;
        assert_eq!(
            codes,
            format!("220 250 250 250 354 {expected} 221"),
            "{bytes}"
        );
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_break_a_session(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..500)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let place = Place::new(ClockMode::Live);
            let shared = shared(&place).await;
            let (mut ours, theirs) = tokio::io::duplex(1 << 16);
            ours.write_all(&bytes).await.expect("there is room");
            ours.shutdown().await.expect("it is said");
            Session::new(&shared, None).run(theirs).await.expect("the session ends well");
        });
    }
}

#[tokio::test]
async fn a_maildir_is_read_once() {
    let place = Place::new(ClockMode::Live);
    let shared = shared(&place).await;
    let folder = place.folder().join("box");
    for name in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(folder.join(name)).expect("a folder");
    }
    std::fs::write(
        folder.join("new/1.a"),
        "From: a@b.example\nPrecedence: bulk\n\nx\n",
    )
    .expect("a mail");
    for _ in 0..2 {
        maildir::look(&folder, &shared).await.expect("it is read");
    }
    assert!(folder.join("cur/1.a:2,S").exists());
    let measures = shared.measures.text();
    assert!(
        measures.contains("sottaku_mail_came_back_total{what=\"ignored\"} 1"),
        "{measures}"
    );
}
