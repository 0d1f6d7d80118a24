//! Posts to Microsoft Teams: an Adaptive Card to the webhook of a workflow.
//!
//! The card's text stands in text runs, which Teams shows letter by letter: nothing in it is read as Markdown, so nothing
//! that comes from outside can become a link or a mention.

use crate::Fate;
use crate::egress::Egress;
use crate::render::RenderedMail;
use crate::slack::{Incoming, fate, json, meaning};
use serde_json::{Value, json as value};

/// The most lines of a card.
const LINES_MAX: usize = 200;
/// The most characters of a card's text; Teams takes 28 KB in all.
const CHARS_MAX: usize = 6_000;

/// The card that says what a mail says: its subject, then its text.
pub fn card(words: &RenderedMail) -> Value {
    let mut lines: Vec<&str> = words.text.lines().collect();
    if lines
        .first()
        .is_some_and(|line| line.trim() == words.subject)
    {
        lines.remove(0);
    }
    let mut body = vec![run(&words.subject, true)];
    let mut left = CHARS_MAX;
    for line in lines.into_iter().filter(|line| !line.trim().is_empty()) {
        let count = line.chars().count();
        if body.len() >= LINES_MAX || count > left {
            body.push(run("…", false));
            break;
        }
        left -= count;
        body.push(run(line, false));
    }
    message(body)
}

/// Several cards in one, each under its title; a title that is that of the one before is not said again.
pub fn joined(cards: &[(&str, &Value)]) -> Value {
    let mut body = Vec::new();
    let mut title = None;
    for (under, card) in cards {
        if title.replace(under) != Some(under) {
            body.push(run(under, true));
        }
        body.extend(blocks(card).iter().cloned());
    }
    message(body)
}

/// The blocks of a card; empty if it is none.
pub fn blocks(card: &Value) -> &[Value] {
    let body = &card["attachments"][0]["content"]["body"];
    body.as_array().map_or(&[], Vec::as_slice)
}

fn run(text: &str, is_head: bool) -> Value {
    let mut run = value!({ "type": "TextRun", "text": text });
    if is_head {
        run["weight"] = "Bolder".into();
        run["size"] = "Medium".into();
    }
    value!({ "type": "RichTextBlock", "inlines": [run] })
}

fn message(body: Vec<Value>) -> Value {
    value!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
                "msteams": { "width": "Full" },
            },
        }],
    })
}

/// Posts a card once. Teams, too, has no key by which it would know it again.
pub async fn post(egress: &Egress, incoming: &Incoming, card: &Value) -> Fate {
    match egress
        .call(incoming.address(), &json(card, Vec::new()))
        .await
    {
        // A workflow's webhook answers 202 and nothing else.
        Ok(answer) => meaning(&answer, |_| true),
        Err(cut) => fate(cut),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> RenderedMail {
        RenderedMail {
            subject: "Acme [x](https://evil.example)".into(),
            text: text.into(),
            html: String::new(),
            locale: "en".into(),
        }
    }

    #[test]
    fn a_card_says_everything_letter_by_letter() {
        let card = card(&words(
            "Acme [x](https://evil.example)\n\n**bold** <at>all</at>",
        ));
        let body = card["attachments"][0]["content"]["body"].as_array();
        let body = body.expect("a body");
        assert_eq!(body.len(), 2, "{body:?}");
        assert_eq!(
            body[0]["inlines"][0]["text"],
            "Acme [x](https://evil.example)"
        );
        assert_eq!(body[1]["inlines"][0]["text"], "**bold** <at>all</at>");
        assert!(body.iter().all(|block| block["type"] == "RichTextBlock"));
        assert!(
            body.iter()
                .all(|block| block["inlines"][0]["type"] == "TextRun")
        );
    }

    #[test]
    fn cards_are_joined_under_their_titles() {
        let one = card(&words("x"));
        let all = joined(&[("A", &one), ("A", &one), ("B", &one)]);
        let count = blocks(&one).len();
        assert_eq!(blocks(&all).len(), 2 + 3 * count);
        assert_eq!(blocks(&all)[0]["inlines"][0]["text"], "A");
    }

    #[test]
    fn a_card_has_an_end() {
        let long = card(&words(&"行\n".repeat(10_000)));
        let body = long["attachments"][0]["content"]["body"].as_array();
        assert!(body.expect("a body").len() <= LINES_MAX + 1);
        assert!(long.to_string().len() < 28_000);
    }
}
