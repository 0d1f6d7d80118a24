//! Mails of every kind, their limits, and chance.

use super::*;
use proptest::prelude::*;

const DOMAIN: &str = "b.vendor.example";

fn says(text: &str) -> Says {
    read(text.as_bytes()).expect("it is read").says
}

#[test]
fn machines_answers_are_told_from_peoples() {
    let person =
        "From: Mika <mika@acme.example>\nSubject: Re: A word\nIn-Reply-To: <abc@vendor.example>\n";
    for (field, expected) in [
        ("", Says::Reply),
        ("Auto-Submitted: no\n", Says::Reply),
        ("Precedence: first-class\n", Says::Reply),
        ("X-Auto-Response-Suppress: DR, RN, NRN\n", Says::Reply),
        (
            "Auto-Submitted: auto-replied (vacation)\n",
            Says::Automatic("auto-submitted"),
        ),
        (
            "AUTO-SUBMITTED:\n auto-generated\n",
            Says::Automatic("auto-submitted"),
        ),
        ("Precedence: bulk\n", Says::Automatic("precedence")),
        ("X-Autoreply: yes\n", Says::Automatic("machine's field")),
        (
            "X-Auto-Response-Suppress: All\n",
            Says::Automatic("auto-response-suppress"),
        ),
        (
            "List-Id: <team.acme.example>\n",
            Says::Automatic("machine's field"),
        ),
        ("Return-Path: <>\n", Says::Automatic("null sender")),
        (
            "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n",
            Says::Automatic("report"),
        ),
    ] {
        assert_eq!(
            says(&format!("{person}{field}\nThank you.\n")),
            expected,
            "{field}"
        );
    }
    for (from, subject, expected) in [
        (
            "no-reply@acme.example",
            "Ticket 7",
            Says::Automatic("no-reply sender"),
        ),
        (
            "Postmaster <postmaster@acme.example>",
            "Hi",
            Says::Automatic("null sender"),
        ),
        (
            "mika@acme.example",
            "Out of Office: Re: A word",
            Says::Automatic("subject"),
        ),
        (
            "mika@acme.example",
            "自動応答: A word",
            Says::Automatic("subject"),
        ),
        (
            "postmaster.fan@acme.example",
            "Re: out of office",
            Says::Reply,
        ),
    ] {
        let text = format!("From: {from}\nSubject: {subject}\n\nHello\n");
        assert_eq!(says(&text), expected, "{from} {subject}");
    }
}

#[test]
fn words_of_a_server_are_a_bounce_and_a_persons_are_not() {
    let text = "From: MAILER-DAEMON@acme.example\nSubject: failure\n\n<mika@acme.example>: 550 5.1.1 no such user\n";
    assert!(matches!(says(text), Says::Reports(_)));
    let person = text.replace("MAILER-DAEMON", "mika");
    assert_eq!(says(&person), Says::Reply);
    let quiet = "From: MAILER-DAEMON@acme.example\nSubject: hello\n\nAll is well.\n";
    assert!(matches!(says(quiet), Says::Automatic(_)));
}

#[test]
fn a_complaint_names_its_message_and_who_speaks() {
    let report = |kind: &str| {
        format!(
            "From: <feedback@Provider.example>\nTo: complaints@{DOMAIN}\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: text/plain\n\nAn abuse report.\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: {kind}\nUser-Agent: SomeGenerator/1.0\nVersion: 1\nOriginal-Mail-From: <bounce+abc@{DOMAIN}>\nOriginal-Rcpt-To: <mika@acme.example>\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <xyz@vendor.example>\nSubject: A word\n\nHello\n--b--\n"
        )
    };
    let came = read(report("abuse").as_bytes()).expect("it is read");
    assert_eq!(
        came.says,
        Says::Complaint {
            from: "provider.example".into()
        }
    );
    assert_eq!(came.returned_from, ["bounce+abc@b.vendor.example".into()]);
    assert_eq!(came.about, ["xyz@vendor.example".into()]);
    assert!(matches!(says(&report("not-spam")), Says::Automatic(_)));
    assert!(matches!(says(&report("Fraud")), Says::Complaint { .. }));
}

#[test]
fn limits_hold_at_their_edges() {
    let nested = |depth: usize| {
        let mut text = "Content-Type: text/plain\n\nend\n".to_owned();
        for level in 1..depth {
            text = format!(
                "Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n{text}--b{level}--\n"
            );
        }
        format!("From: a@b.example\n{text}")
    };
    assert_eq!(read(nested(MAIL_DEPTH_MAX).as_bytes()).map(|_| ()), Ok(()));
    assert_eq!(
        read(nested(MAIL_DEPTH_MAX + 1).as_bytes()).map(|_| ()),
        Err(Unread::TooDeep)
    );
    let wide = |parts: usize| {
        let parts = "--b\nContent-Type: text/plain\n\nx\n".repeat(parts - 1);
        format!("From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n")
    };
    assert_eq!(read(wide(MAIL_PARTS_MAX).as_bytes()).map(|_| ()), Ok(()));
    assert_eq!(
        read(wide(MAIL_PARTS_MAX + 1).as_bytes()).map(|_| ()),
        Err(Unread::TooManyParts)
    );
    let long = |bytes: usize| {
        let head = "From: a@b.example\n\n";
        format!("{head}{}", "x".repeat(bytes - head.len()))
    };
    assert_eq!(read(long(MAIL_BYTES_MAX).as_bytes()).map(|_| ()), Ok(()));
    assert_eq!(
        read(long(MAIL_BYTES_MAX + 1).as_bytes()).map(|_| ()),
        Err(Unread::TooLarge)
    );
    assert_eq!(read(b"").map(|_| ()), Err(Unread::NoMail));
    assert_eq!(read(b"\n\nHello").map(|_| ()), Err(Unread::NoMail));
}

#[test]
fn a_token_is_read_whatever_its_case_and_only_at_our_domain() {
    let read = |address: &str| token(address, DOMAIN).map(|it| (it.purpose, it.token.to_string()));
    assert_eq!(
        read("BOUNCE+AbC2@B.vendor.example"),
        Some((Purpose::Bounce, "abc2".to_owned()))
    );
    assert_eq!(
        read("reply+x7@b.vendor.example"),
        Some((Purpose::Reply, "x7".to_owned()))
    );
    for other in [
        "bounce+abc@vendor.example",
        "bounce+abc@b.vendor.example.evil.example",
        "bounce@b.vendor.example",
        "bounce+@b.vendor.example",
        "bounce+a=b@b.vendor.example",
        "bounce+a b@b.vendor.example",
        "other+abc@b.vendor.example",
        &format!("bounce+{}@b.vendor.example", "a".repeat(58)),
        "",
    ] {
        assert_eq!(read(other), None, "{other}");
    }
}

#[test]
fn a_reply_code_without_words_of_its_own_is_judged() {
    for (code, words, expected) in [
        (550, "550 5.1.1 no such mailbox", Class::Hard),
        (550, "no such user here", Class::Hard),
        (550, "go away", Class::Soft),
        (554, "5.7.1 spam", Class::Policy),
        (450, "4.2.0 later", Class::Soft),
        (450, "user unknown for now", Class::Soft),
    ] {
        assert_eq!(
            of_reply(code, words).map(|(_, class)| class),
            Some(expected),
            "{code} {words}"
        );
    }
    assert_eq!(of_reply(250, "ok"), None);
}

#[test]
fn a_code_is_found_only_where_it_is_one() {
    let find = |text: &str| Status::find(text).map(|status| status.to_string());
    assert_eq!(find("said: 550-5.1.1 no"), Some("5.1.1".to_owned()));
    assert_eq!(find("(#5.1.10)"), Some("5.1.10".to_owned()));
    for none in [
        "host [10.5.1.1]",
        "192.5.1.1",
        "version 5.1",
        "15.1.1",
        "5.1.1.1",
        "v5.1.1",
        "5..1",
        "5.1.9999",
    ] {
        assert_eq!(find(none), None, "{none}");
    }
}

/// Pieces of which mails are made, so that chance comes deep.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    const KNOWN: &[&str] = &[
        "\n",
        "\r\n",
        "\n\n",
        "--b",
        "--b--",
        "Content-Type: multipart/report; boundary=b\n",
        "boundary=\"b\n",
        "Content-Type: multipart/mixed; boundary=\n",
        "Content-Type: message/delivery-status\n\n",
        "Content-Type: message/feedback-report\n\n",
        "Feedback-Type: abuse\n",
        "Content-Transfer-Encoding: base64\n",
        "Content-Transfer-Encoding: quoted-printable\n",
        "=3D",
        "=\n",
        "Action: failed\n",
        "Status: 5.1.1\n",
        "Final-Recipient: rfc822; <a@b.example>\n",
        "Return-Path: <>\n",
        "From: MAILER-DAEMON\n",
        "550 5.1.1",
        "<a@b>",
        ":",
        ";",
        "(",
        ")",
        "\"",
        "あ",
        "\0",
        "5.",
        "4.2.",
        "--",
        "<",
        ">",
        "@",
        "+",
        " ",
        "\t",
    ];
    prop_oneof![
        4 => proptest::sample::select(KNOWN).prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..12),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _came = read(&bytes);
    }

    #[test]
    fn no_pieces_break_the_reader(pieces in proptest::collection::vec(piece(), 0..200)) {
        let bytes = pieces.concat();
        if let Ok(came) = read(&bytes) {
            if let Says::Reports(reports) = &came.says {
                prop_assert!(reports.len() <= MAIL_REPORTS_MAX);
                for report in reports {
                    prop_assert!(report.words.chars().count() <= 300);
                    prop_assert!(!report.words.contains(char::is_control));
                }
            }
            prop_assert!(came.to.len() <= 50);
        }
    }
}
