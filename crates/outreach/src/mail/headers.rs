//! The headers that the engine adds: their names are constants, their values hold nothing that could begin another header.

use super::head::Head;
use super::{Address, Letter, MailError, Tag};
use model::MessageId;

/// The most bytes of an address for one click: one line of a header, with its name.
const UNSUBSCRIBE_BYTES_MAX: usize = 900;
/// The most bytes of a stream's name: no label of a domain is longer.
const LIST_BYTES_MAX: usize = 63;

/// How long a sender's name may be in `Feedback-ID`.
const SENDER_LETTERS_MAX: usize = 15;
const SENDER_LETTERS_MIN: usize = 5;

/// What mailing lists say of themselves: RFC 2919 and RFC 8058.
pub(super) fn of_list(
    head: &mut Head<'_>,
    letter: &Letter<'_>,
    from: &Address,
) -> Result<(), MailError> {
    if let Some(list) = letter.list_id.map(label).filter(|list| !list.is_empty()) {
        head.plain("List-Id", &format!("<{list}.{}>", from.domain()));
    }
    if let Some(url) = letter.unsubscribe {
        let url = one_click(url).ok_or(MailError::Unsubscribe)?;
        head.plain("List-Unsubscribe", &format!("<{url}>"));
        head.plain("List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
    }
    Ok(())
}

/// Our own id, as a provider takes it and hands it back.
pub(super) fn of_provider(head: &mut Head<'_>, tag: Tag, message: &MessageId) {
    let id: String = message
        .as_str()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect();
    match tag {
        Tag::Postmark => head.plain("X-PM-Metadata-message", &id),
        Tag::Sendgrid => {
            let arguments = format!("{{\"unique_args\":{{\"sottaku_message\":\"{id}\"}}}}");
            head.plain("X-SMTPAPI", &arguments);
        }
    }
}

/// By what complaints are counted: workflow, step, topic, and who sends (Google's `Feedback-ID`).
pub(super) fn feedback(
    head: &mut Head<'_>,
    letter: &Letter<'_>,
    (workflow, step): (&str, &str),
    from: &Address,
) {
    let topic = letter.list_id.unwrap_or_default();
    let fields = [workflow, step, topic].map(label);
    let id = format!("{}:{}", fields.join(":"), sender(from));
    head.plain("Feedback-ID", &id);
}

/// Who sends, in 5 to 15 letters, always the same: the sender's domain.
fn sender(from: &Address) -> String {
    let letters = from.domain().chars().filter(char::is_ascii_alphanumeric);
    let mut sender: String = letters.take(SENDER_LETTERS_MAX).collect();
    sender.make_ascii_lowercase();
    while sender.len() < SENDER_LETTERS_MIN {
        sender.push('x');
    }
    sender
}

/// Where complaints are welcome, and that they come in parts that machines read.
pub(super) fn complaints(head: &mut Head<'_>, address: &Address) {
    head.plain("CFBL-Address", &format!("{address}; report=arf"));
}

/// A topic as a label of a domain.
fn label(topic: &str) -> String {
    let dashed = topic.chars().map(|c| match c {
        '_' | '.' | ' ' => '-',
        other => other.to_ascii_lowercase(),
    });
    let kept = dashed.filter(|c| c.is_ascii_alphanumeric() || *c == '-');
    let label: String = kept.take(LIST_BYTES_MAX).collect();
    label.trim_matches('-').to_owned()
}

/// The address as programs call it, if it is one that they may call.
fn one_click(url: &str) -> Option<&str> {
    let parsed = url::Url::parse(url).ok()?;
    let is_plain = url
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b','));
    let is_right = parsed.scheme() == "https" && is_plain && url.len() <= UNSUBSCRIBE_BYTES_MAX;
    is_right.then_some(url)
}

/// The language that the mail is written in.
pub(super) fn language(head: &mut Head<'_>, locale: &str) {
    let tag: String = locale
        .chars()
        .map(|c| if c == '_' { '-' } else { c })
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .take(35)
        .collect();
    head.plain("Content-Language", &tag);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_makes_a_label() {
        for (topic, expected) in [
            ("product_tips", "product-tips"),
            ("Renewal", "renewal"),
            ("a\r\nBcc: x@y", "abcc-xy"),
            ("更新", ""),
            ("--", ""),
        ] {
            assert_eq!(label(topic), expected, "{topic:?}");
        }
        assert_eq!(label(&"x".repeat(200)).len(), LIST_BYTES_MAX);
    }

    #[test]
    fn a_sender_has_five_to_fifteen_letters_and_keeps_them() {
        for (address, expected) in [
            ("cs@vendor.example", "vendorexample"),
            ("cs@a.b", "abxxx"),
            ("cs@mail.a-very-long-name.example", "mailaverylongna"),
        ] {
            let from = Address::parse(address).expect("an address");
            assert_eq!(sender(&from), expected);
        }
    }

    #[test]
    fn only_an_https_address_is_called() {
        assert!(one_click("https://m.vendor.example/u/abc_-=").is_some());
        for bad in [
            "http://m.vendor.example/u/abc",
            "mailto:a@b.example",
            "https://m.vendor.example/u/>\r\nBcc: x",
            "https://m.vendor.example/u/a, <https://evil.example>",
            "javascript:alert(1)",
            "x",
            "",
        ] {
            assert_eq!(one_click(bad), None, "{bad:?}");
        }
        let long = format!(
            "https://m.vendor.example/{}",
            "x".repeat(UNSUBSCRIBE_BYTES_MAX)
        );
        assert_eq!(one_click(&long), None);
    }
}
