//! What the law asks a mail to say: who sends it and how to leave. A table by jurisdiction; where none is said, all of it.

use super::Footer;
use super::escape;
use super::frame::Language;
pub use model::Jurisdiction;

/// What a footer must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Items {
    postal_address: bool,
    contact: bool,
    /// Says of an advertisement that it is one.
    says_advertisement: bool,
}

fn items(jurisdiction: Jurisdiction) -> Items {
    // Japan: rule 9 of 特定電子メール法; the United States: 15 U.S.C. 7704(a); Europe: article 5 of the e-Commerce Directive.
    let (postal_address, contact, says_advertisement) = match jurisdiction {
        Jurisdiction::Strictest => (true, true, true),
        Jurisdiction::Jp => (true, true, false),
        Jurisdiction::Us => (true, false, true),
        Jurisdiction::Eu => (false, true, false),
    };
    Items {
        postal_address,
        contact,
        says_advertisement,
    }
}

/// What a footer is made of.
#[derive(Clone, Copy, Debug)]
pub struct Legal<'a> {
    /// Whose law.
    pub jurisdiction: Jurisdiction,
    /// The sender's legal name.
    pub name: &'a str,
    /// Its postal address.
    pub postal_address: &'a str,
    /// Where to ask and to complain.
    pub contact: &'a str,
    /// The topic, as people know it.
    pub topic: &'a str,
    /// Whether the topic advertises.
    pub is_promotional: bool,
    /// Where to leave.
    pub unsubscribe: &'a str,
    /// The locale of the mail.
    pub locale: &'a str,
}

/// One line in both forms: words, and a link at their end.
struct Line {
    words: String,
    link: Option<&'static str>,
}

/// The footer in the language of the mail.
pub fn footer(legal: &Legal<'_>) -> Footer {
    let lines = lines(legal);
    let url = legal.unsubscribe;
    let text = lines.iter().map(|line| match line.link {
        Some(_) => format!("{}\n{url}\n", line.words),
        None => format!("{}\n", line.words),
    });
    let html = lines.iter().map(|line| {
        let words = escape::html(&line.words);
        match line.link {
            Some(link) => format!(
                "<p>{words}<br><a href=\"{}\">{}</a></p>\n",
                escape::html(url),
                escape::html(link)
            ),
            None => format!("<p>{words}</p>\n"),
        }
    });
    Footer {
        text: text.collect(),
        html: html.collect(),
    }
}

fn lines(legal: &Legal<'_>) -> Vec<Line> {
    let items = items(legal.jurisdiction);
    let is_ja = Language::of(legal.locale) == Language::Ja;
    let say = |ja: String, en: String| if is_ja { ja } else { en };
    let plain = |words: String| Line { words, link: None };
    let (name, postal) = (escape::line(legal.name), escape::line(legal.postal_address));
    let (contact, topic) = (escape::line(legal.contact), escape::line(legal.topic));
    let mut lines = Vec::new();
    if items.says_advertisement && legal.is_promotional {
        lines.push(plain(say(
            "このメールは広告・宣伝を含みます。".into(),
            "This message is an advertisement.".into(),
        )));
    }
    lines.push(plain(say(
        format!("送信者：{name}"),
        format!("Sent by {name}"),
    )));
    if items.postal_address {
        lines.push(plain(say(
            format!("所在地：{postal}"),
            format!("Postal address: {postal}"),
        )));
    }
    if items.contact {
        lines.push(plain(say(
            format!("お問い合わせ・苦情の受付先：{contact}"),
            format!("Questions and complaints: {contact}"),
        )));
    }
    lines.push(Line {
        words: say(
            format!("「{topic}」のメールは、いつでも受信を停止できます。"),
            format!("You may stop messages about “{topic}” at any time."),
        ),
        link: Some(if is_ja {
            "配信を停止する"
        } else {
            "Unsubscribe"
        }),
    });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn legal(jurisdiction: Jurisdiction, locale: &'static str) -> Legal<'static> {
        Legal {
            jurisdiction,
            name: "株式会社ベンダー",
            postal_address: "東京都千代田区1-1",
            contact: "help@vendor.example",
            topic: "製品の使い方",
            is_promotional: true,
            unsubscribe: "https://cs.example/u/t0k",
            locale,
        }
    }

    #[test]
    fn each_jurisdiction_shows_what_its_law_asks_for_in_both_languages_and_both_parts() {
        use Jurisdiction::{Eu, Jp, Strictest, Us};
        for (jurisdiction, postal, contact, advertisement) in [
            (Strictest, true, true, true),
            (Jp, true, true, false),
            (Us, true, false, true),
            (Eu, false, true, false),
        ] {
            for locale in ["ja", "ja-JP", "en", "fr"] {
                let footer = footer(&legal(jurisdiction, locale));
                for part in [&footer.html, &footer.text] {
                    let about = format!("{jurisdiction:?} {locale}: {part}");
                    assert!(part.contains("株式会社ベンダー"), "{about}");
                    assert!(part.contains("https://cs.example/u/t0k"), "{about}");
                    assert!(part.contains("製品の使い方"), "{about}");
                    assert_eq!(part.contains("東京都千代田区1-1"), postal, "{about}");
                    assert_eq!(part.contains("help@vendor.example"), contact, "{about}");
                    let says = part.contains("広告") || part.contains("advertisement");
                    assert_eq!(says, advertisement, "{about}");
                    assert_eq!(part.contains("送信者"), locale.starts_with("ja"), "{about}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_advertisement_does_not_say_that_it_is_one() {
        let service = Legal {
            is_promotional: false,
            ..legal(Jurisdiction::Strictest, "en")
        };
        assert!(!footer(&service).text.contains("advertisement"));
    }

    #[test]
    fn a_name_can_open_no_element() {
        let hostile = Legal {
            name: "<b>\nx</b>",
            ..legal(Jurisdiction::Jp, "en")
        };
        let footer = footer(&hostile);
        assert!(
            footer.html.contains("Sent by &lt;b&gt; x&lt;/b&gt;"),
            "{}",
            footer.html
        );
    }
}
