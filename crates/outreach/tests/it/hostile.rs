//! Ten thousand hostile values: none of them becomes anything but text.

use crate::desk::{AT, mail_of, mail_text, mailbox, post_of, slack_text};
use model::MessageId;
use outreach::mail::{self, Address, Letter};
use serde_json::json;

/// What the values are put together from.
const PIECES: [&str; 48] = [
    "\r\n",
    "\n",
    "\r",
    "\0",
    "\t",
    "\u{b}",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "Bcc: evil@evil.example",
    "\r\nBcc: evil@evil.example",
    "\n.\n",
    "\r\n.\r\n",
    "RCPT TO:<evil@evil.example>",
    "DATA",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/p.png)",
    "<https://evil.example>",
    "<!channel>",
    "<@U1>",
    "&lt;",
    "&#60;b&#62;",
    "# ",
    "* ",
    "- ",
    "1. ",
    "> ",
    "```",
    "`",
    "**",
    "_",
    "~~",
    "|a|b|",
    "---",
    "===",
    "\"",
    "'",
    "<",
    ">",
    "@",
    ",",
    ";",
    "=?utf-8?B?QmNjOg==?=",
    "株式会社",
    "name",
    "a@b.example",
];

/// A small generator; its seed is printed with whatever fails.
struct Draw(u64);

impl Draw {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below).expect("small")).expect("small")
    }

    fn text(&mut self) -> String {
        let count = self.next(6) + 1;
        (0..count)
            .map(|_| PIECES[self.next(PIECES.len())])
            .collect()
    }
}

fn headers(bytes: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(bytes).expect("ASCII");
    let (head, _) = text.split_once("\r\n\r\n").expect("a head and a body");
    head.split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split_once(':').expect("a header").0.to_owned())
        .collect()
}

#[test]
fn hostile_names_and_subjects_change_neither_headers_nor_recipients() {
    let seed = 0x5ee_d000_0001;
    let mut draw = Draw(seed);
    let mut words = mail_of(mail_text("a", "ja", "s", "body"), json!({}));
    let message = MessageId::of(&["x"]);
    let expected = [
        "Message-ID",
        "Date",
        "From",
        "To",
        "Cc",
        "Reply-To",
        "List-Id",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "Feedback-ID",
        "Subject",
        "Auto-Submitted",
        "Content-Language",
        "MIME-Version",
        "Content-Type",
    ];
    for round in 0..10_000 {
        let from = mailbox(Some(&draw.text()), "success@vendor.example");
        let to = mailbox(Some(&draw.text()), "taro@daichi.example");
        let cc = [mailbox(Some(&draw.text()), "billing@daichi.example")];
        words.subject = draw.text();
        words.text = draw.text();
        words.html = draw.text();
        words.locale = draw.text();
        let topic = format!("tips{}", draw.text());
        let letter = Letter {
            message: &message,
            from: &from,
            to: &to,
            cc: &cc,
            reply_to: Some(&to),
            words: &words,
            at: AT.parse().expect("an instant"),
            unsubscribe: Some("https://m.vendor.example/u/abc"),
            list_id: Some(&topic),
            campaign: Some((&topic, &words.locale)),
            return_path: None,
            replies: None,
            complaints: None,
            tags: &[],
        };
        let mail = mail::build(&letter).expect("a mail");
        let at = format!("seed {seed}, round {round}: {from:?} {:?}", words.subject);
        assert_eq!(headers(&mail.bytes), expected, "{at}");
        assert!(mail.bytes.is_ascii(), "{at}");
        assert_eq!(
            mail.envelope.from.as_str(),
            "success@vendor.example",
            "{at}"
        );
        assert_eq!(mail.envelope.to.as_str(), "taro@daichi.example", "{at}");
        assert_eq!(mail.envelope.cc.len(), 1, "{at}");
        assert_eq!(
            mail.envelope.cc[0].as_str(),
            "billing@daichi.example",
            "{at}"
        );
        let text = String::from_utf8_lossy(&mail.bytes).replace("\r\n", "");
        assert!(!text.contains(['\r', '\n', '\0']), "{at}");
    }
}

#[test]
fn a_hostile_address_is_refused_or_is_one_address() {
    let seed = 0x5ee_d000_0002;
    let mut draw = Draw(seed);
    for round in 0..10_000 {
        let text = match round % 3 {
            0 => draw.text(),
            1 => format!("{}@b.example", draw.text()),
            _ => format!("a@{}", draw.text()),
        };
        if let Ok(address) = Address::parse(&text) {
            let is_plain = |c: char| c.is_ascii_graphic() && !"<>,;:\\\"()[]".contains(c);
            assert!(
                address.as_str().chars().all(is_plain),
                "seed {seed}: {text:?}"
            );
            assert_eq!(address.as_str().matches('@').count(), 1);
        }
    }
}

#[test]
fn hostile_values_make_no_markup() {
    let seed = 0x5ee_d000_0003;
    let mut draw = Draw(seed);
    let body =
        "{{v}} 様\n\nText {{v}} text\n- {{v}}\n\n> {{v}}\n\n[words {{v}}](https://a.example)\n";
    let calm = mail_of(mail_text("a", "ja", "s", body), json!({ "v": "calm" }));
    let tags = |html: &str| html.matches('<').count();
    for round in 0..300 {
        let value = format!("x{}", draw.text());
        let mail = mail_of(mail_text("a", "ja", "{{v}}", body), json!({ "v": value }));
        let at = format!("seed {seed}, round {round}: {value:?}\n{}", mail.html);
        assert_eq!(tags(&mail.html), tags(&calm.html), "{at}");
        assert!(!mail.subject.contains(char::is_control), "{at}");
        let post = post_of(
            slack_text("a", "ja", "{{v}} text *bold*\n- {{v}}\n"),
            json!({ "v": value }),
        )
        .text;
        assert!(!post.contains(['<', '>', '`', '~']), "{at}\n{post}");
        assert_eq!(post.matches('*').count(), 2, "{at}\n{post}");
    }
}
