//! Our bytes are those of a builder that others use too, whatever a mail says.

use super::*;
use lettre::message::header::{self as foreign, ContentTransferEncoding, ContentType, HeaderName};
use lettre::message::{Mailbox as Foreign, Mailboxes, MultiPart, MultiPartKind, SinglePart};
use proptest::prelude::*;
use std::time::SystemTime;

fn mailbox(name: &str, address: &str) -> Mailbox {
    Mailbox {
        name: Some(name.into()),
        address: address.into(),
    }
}

fn party(mailbox: &Mailbox) -> Foreign {
    Foreign::new(name(mailbox), mailbox.address.parse().expect("an address"))
}

fn part(kind: ContentType, text: &str) -> SinglePart {
    let encoding = match Encoding::of(text) {
        Encoding::QuotedPrintable => ContentTransferEncoding::QuotedPrintable,
        Encoding::Base64 => ContentTransferEncoding::Base64,
    };
    let part = SinglePart::builder().header(kind).header(encoding);
    part.body(text.to_owned())
}

/// The same letter by the library.
fn by_the_library(letter: &Letter<'_>) -> Vec<u8> {
    let from = Address::parse(&letter.from.address).expect("an address");
    let constant = |name, value: &str| {
        let name = HeaderName::new_from_ascii_str(name);
        foreign::HeaderValue::new(name, value.to_owned())
    };
    let all = |list: &[Mailbox]| list.iter().map(party).collect::<Mailboxes>();
    let mut builder = lettre::Message::builder()
        .message_id(Some(message_id(letter.message, &from)))
        .date(SystemTime::from(letter.at))
        .mailbox(foreign::From::from(all(std::slice::from_ref(letter.from))))
        .mailbox(foreign::To::from(all(std::slice::from_ref(letter.to))));
    if !letter.cc.is_empty() {
        builder = builder.mailbox(foreign::Cc::from(all(letter.cc)));
    }
    let replies = letter.replies.map(|replies| Mailbox {
        name: None,
        address: replies.as_str().into(),
    });
    let answers: Vec<Mailbox> = [letter.from.clone()].into_iter().chain(replies).collect();
    let parts = MultiPart::builder()
        .kind(MultiPartKind::Alternative)
        .boundary("=_m.abc")
        .singlepart(part(ContentType::TEXT_PLAIN, &letter.words.text))
        .singlepart(part(ContentType::TEXT_HTML, &letter.words.html));
    builder
        .mailbox(foreign::ReplyTo::from(all(&answers)))
        .subject(header_line(&letter.words.subject))
        .raw_header(constant("Auto-Submitted", "auto-generated"))
        .raw_header(constant("Content-Language", "ja"))
        .multipart(parts)
        .expect("a mail")
        .formatted()
}

/// Words, blanks, ends of lines and what is no word, also in long rows.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z]{1,12}",
        "[ \t.=]{1,3}",
        "(\r\n|\n|\r)",
        "[ァ-ヶ漢字。é🎉]{1,6}",
        "[\\x00-\\x7f]{1,4}",
        "[!-~]{60,80}",
        Just("=E3 ".to_owned()),
        Just("=?utf-8?b?QQ==?=".to_owned()),
    ];
    proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn the_bytes_are_those_of_the_library(
        (plain, html, subject) in (text(), text(), text()),
        names in proptest::collection::vec(text(), 3),
        copies in 0_usize..3,
        seconds in 0_i64..200_000_000_000,
    ) {
        let message = MessageId::new("m_abc");
        let words = RenderedMail { subject, text: plain, html, locale: "ja".to_owned() };
        let from = mailbox(&names[0], "success@vendor.example");
        let to = mailbox(&names[1], "Taro.Yamada+x@daichi.example");
        let cc = vec![mailbox(&names[2], "billing@a-rather-long-name-of-a-host.daichi.example"); copies];
        let replies = Address::parse("reply+abcdef@m.vendor.example").expect("an address");
        let letter = Letter {
            message: &message,
            from: &from,
            to: &to,
            cc: &cc,
            reply_to: None,
            words: &words,
            at: Timestamp::from_second(seconds).expect("an instant"),
            unsubscribe: None,
            list_id: None,
            campaign: None,
            return_path: None,
            replies: Some(&replies),
            complaints: None,
            tags: &[],
        };
        let ours = String::from_utf8(build(&letter).expect("a mail").bytes).expect("ASCII");
        let theirs = String::from_utf8(by_the_library(&letter)).expect("ASCII");
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn whom_we_write_to_the_library_would_write_to(local in "[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,20}", domain in "[a-z0-9.-]{1,20}") {
        if let Ok(address) = Address::parse(&format!("{local}@{domain}")) {
            prop_assert!(lettre::Address::new(address.local(), address.domain()).is_ok(), "{address}");
        }
    }
}
