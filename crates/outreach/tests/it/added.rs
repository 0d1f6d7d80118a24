//! What the engine adds to a mail, whatever its template says: the headers of lists, the way back, the footer.

use crate::desk::{AT, by_mail, mail_text, outgoing, set, template};
use model::Mailbox;
use outreach::mail::{Address, Letter, Mail, MailError, Tag, build};
use outreach::render::{Footer, Rendered, RenderedMail, render};
use serde_json::json;

fn footer() -> Footer {
    Footer {
        html:
            "<p>株式会社ベンダー</p><p><a href=\"https://m.vendor.example/u/abc\">配信停止</a></p>"
                .into(),
        text: "株式会社ベンダー\n配信停止: https://m.vendor.example/u/abc\n".into(),
    }
}

fn words(body: &str, footer: Option<&Footer>) -> RenderedMail {
    let message = outgoing(by_mail(), template("a", "ja"), json!({}));
    match render(&set([mail_text("a", "ja", "s", body)]), &message, footer) {
        Ok(Rendered::Mail(mail)) => mail,
        other => panic!("not a mail: {other:?}"),
    }
}

/// The mail of a letter to which the engine adds these.
fn letter(
    unsubscribe: Option<&str>,
    list_id: Option<&str>,
    return_path: Option<&Address>,
) -> Result<Mail, MailError> {
    let words = words("Hello", None);
    let outgoing = outgoing(by_mail(), template("a", "ja"), json!({}));
    let at = AT.parse().expect("an instant");
    let letter = Letter::of(&outgoing, &words, at).expect("a letter");
    build(&Letter {
        unsubscribe,
        list_id,
        return_path,
        ..letter
    })
}

fn head(mail: &Mail) -> String {
    let text = String::from_utf8(mail.bytes.clone()).expect("ASCII");
    let (head, _) = text.split_once("\r\n\r\n").expect("a head");
    format!("{head}\r\n")
}

#[test]
fn one_click_and_the_stream_stand_in_the_head() {
    let token = "v1.".to_owned() + &"a".repeat(300);
    let url = format!("https://m.vendor.example/u/{token}");
    let mail = letter(Some(&url), Some("product_tips"), None);
    let head = head(&mail.expect("a mail"));
    assert!(
        head.contains(&format!("\r\nList-Unsubscribe: <{url}>\r\n")),
        "{head}"
    );
    assert!(
        head.contains("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"),
        "{head}"
    );
    assert!(
        head.contains("\r\nList-Id: <product-tips.vendor.example>\r\n"),
        "{head}"
    );
}

#[test]
fn without_an_address_for_one_click_nothing_of_it_is_said() {
    let head = head(&letter(None, None, None).expect("a mail"));
    assert!(!head.contains("List-Unsubscribe"), "{head}");
    for bad in [
        "http://m.vendor.example/u/a",
        "https://m.vendor.example/ u",
        "mailto:x@y.example",
    ] {
        let mail = letter(Some(bad), None, None);
        assert_eq!(mail, Err(MailError::Unsubscribe), "{bad}");
    }
}

#[test]
fn the_way_back_is_not_the_sender() {
    let back = Address::parse("bounce+abc@b.vendor.example").expect("an address");
    let mail = letter(None, None, Some(&back)).expect("a mail");
    assert_eq!(mail.envelope.from, back);
    let head = head(&mail);
    assert!(head.contains("<success@vendor.example>") && !head.contains("bounce+"));
    assert!(mail.message_id.ends_with("@vendor.example>"));
}

#[test]
fn the_footer_ends_both_parts() {
    let page = "<!doctype html><html><body><p>own</p></BODY></html>";
    for body in ["Hello", page, "<html><p>no end"] {
        let mail = words(body, Some(&footer()));
        assert!(
            mail.html.contains("https://m.vendor.example/u/abc"),
            "{}",
            mail.html
        );
        let said = mail.text.split_once("\n-- \n").expect("a footer").1;
        assert_eq!(
            said,
            "株式会社ベンダー\n配信停止: https://m.vendor.example/u/abc\n"
        );
        let at = |word: &str| mail.html.find(word).expect(word);
        assert!(at("配信停止") < at("</body>"), "{}", mail.html);
        assert!(!words(body, None).html.contains("配信停止"));
    }
}

#[test]
fn answers_go_to_whom_the_text_names_and_are_noticed_beside() {
    let words = words("Hello", None);
    let outgoing = outgoing(by_mail(), template("a", "ja"), json!({}));
    let at = AT.parse().expect("an instant");
    let noticed = Address::parse("reply+abc@b.vendor.example").expect("an address");
    let complaints = Address::parse("complaints@b.vendor.example").expect("an address");
    let elsewhere = Mailbox {
        name: None,
        address: "desk@vendor.example".into(),
    };
    let plain = Letter::of(&outgoing, &words, at).expect("a letter");
    for (reply_to, expected) in [
        (
            None,
            ["success@vendor.example", "reply+abc@b.vendor.example"].as_slice(),
        ),
        (
            Some(&elsewhere),
            &["desk@vendor.example", "reply+abc@b.vendor.example"],
        ),
    ] {
        let letter = Letter {
            reply_to,
            replies: Some(&noticed),
            complaints: Some(&complaints),
            tags: &[Tag::Postmark, Tag::Sendgrid],
            ..plain
        };
        let head = head(&build(&letter).expect("a mail")).replace("\r\n ", " ");
        let line = head.lines().find(|line| line.starts_with("Reply-To:"));
        let line = line.expect("it says where answers go");
        let found: Vec<&str> = ["success@", "desk@", "reply+"]
            .into_iter()
            .filter(|local| line.contains(local))
            .collect();
        assert_eq!(found.len(), expected.len(), "{line}");
        assert!(expected.iter().all(|one| line.contains(one)), "{line}");
        let id = outgoing.message.as_str();
        assert!(
            head.contains(&format!("X-PM-Metadata-message: {id}")),
            "{head}"
        );
        let argument = format!("X-SMTPAPI: {{\"unique_args\":{{\"sottaku_message\":\"{id}\"}}}}");
        assert!(head.contains(&argument), "{head}");
        let feedback = "CFBL-Address: complaints@b.vendor.example; report=arf";
        assert!(head.contains(feedback), "{head}");
    }
}
