//! Bounces: the machine's report of RFC 3464, and where there is none the words of servers that write none.

use super::entity::Entity;
use super::header::Head;
use super::status::{self, Class, Status};
use super::{MAIL_REPORTS_MAX, automatic};

/// The most characters of a server's words that are kept.
const WORDS_CHARS_MAX: usize = 300;

/// What became of a message for a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It was not delivered and will not be.
    Failed(Status, Class),
    /// It lies in a mailbox.
    Delivered,
    /// Nothing final: delayed, handed on, expanded.
    Underway,
}

/// What a server reports of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The address at which it ended, if it says so.
    pub recipient: Option<Box<str>>,
    /// The address as we gave it, if it says so.
    pub original: Option<Box<str>>,
    /// What became of it.
    pub action: Action,
    /// The server's words, on one line.
    pub words: Box<str>,
}

/// The reports of a mail; none if it is no bounce.
pub(super) fn read(mail: &Entity<'_>, parts: &[Entity<'_>]) -> Vec<Report> {
    let status = parts.iter().find(|part| {
        matches!(
            &*part.kind().word,
            "message/delivery-status" | "message/global-delivery-status"
        )
    });
    if let Some(status) = status {
        return of_status(&status.decoded());
    }
    if automatic::is_from_server(mail) {
        return of_words(mail, parts);
    }
    Vec::new()
}

/// Each group of fields but the first, which is about the message, is about one recipient.
fn of_status(body: &[u8]) -> Vec<Report> {
    let mut reports = Vec::new();
    let mut at = 0;
    while at < body.len() && reports.len() < MAIL_REPORTS_MAX {
        let (group, length) = Head::read(&body[at..]);
        // A line that is no field does not stop the rest.
        at += if length == 0 {
            super::header::line(body, at).1 - at
        } else {
            length
        };
        reports.extend(of_group(&group));
    }
    reports
}

fn of_group(group: &Head) -> Option<Report> {
    let action = group
        .get("action")?
        .split([' ', ';', '('])
        .next()?
        .to_ascii_lowercase();
    let words = group
        .get("diagnostic-code")
        .map(untyped)
        .unwrap_or_default();
    let stated = group.get("status").and_then(Status::parse);
    let action = match action.as_str() {
        "failed" => {
            // Without any code it still failed.
            let vague = Status {
                class: 5,
                subject: 0,
                detail: 0,
            };
            let stated = stated.filter(|status| status.class != 2);
            let (status, class) = status::judge(stated.or(Some(vague)), words)?;
            Action::Failed(status, class)
        }
        "delivered" => Action::Delivered,
        _ => Action::Underway,
    };
    Some(Report {
        recipient: group.get("final-recipient").map(untyped).and_then(address),
        original: group
            .get("original-recipient")
            .map(untyped)
            .and_then(address),
        action,
        words: short(words),
    })
}

/// `rfc822; mika@acme.example` without its type.
fn untyped(value: &str) -> &str {
    value
        .split_once(';')
        .map_or(value, |(_, value)| value)
        .trim()
}

/// An address as servers write it, with or without angle brackets.
pub(super) fn address(text: &str) -> Option<Box<str>> {
    let text = text
        .trim()
        .trim_start_matches('<')
        .trim_end_matches('>')
        .trim();
    (text.contains('@') && text.len() <= 320).then(|| text.into())
}

/// A bounce in free words: who is named, and the first code that stands there.
fn of_words(mail: &Entity<'_>, parts: &[Entity<'_>]) -> Vec<Report> {
    let is_text = |part: &&Entity<'_>| {
        let kind = part.kind().word;
        kind.is_empty() || kind.starts_with("text/") || !kind.contains('/')
    };
    let text: String = parts
        .iter()
        .filter(is_text)
        .take(3)
        .map(Entity::text)
        .collect();
    // What follows is the message that was sent, with words of our own.
    let end = RETURNED.iter().filter_map(|mark| text.find(mark)).min();
    let text = &text[..end.unwrap_or(text.len())];
    let Some((status, class)) = status::judge(None, text).or_else(|| unstated(text)) else {
        return Vec::new();
    };
    let named = mail.head.get("x-failed-recipients");
    let named = named
        .and_then(|list| list.split(',').next())
        .and_then(address);
    vec![Report {
        recipient: named.or_else(|| in_angles(text)),
        original: None,
        action: Action::Failed(status, class),
        words: short(text),
    }]
}

/// A server that states no code at all, but says that it gave up.
fn unstated(text: &str) -> Option<(Status, Class)> {
    let small = text.to_lowercase();
    let gave_up = [
        "permanent error",
        "permanent failure",
        "permanent fatal errors",
        "unable to deliver",
        "undeliverable",
    ];
    let vague = Status {
        class: 5,
        subject: 0,
        detail: 0,
    };
    gave_up
        .iter()
        .any(|words| small.contains(words))
        .then(|| status::judge(Some(vague), text))?
}

/// What servers write above the message that they return.
const RETURNED: [&str; 6] = [
    "------ This is a copy of the message",
    "--- Below this line is a copy of the message",
    "----- Original message -----",
    "----- Message header follows -----",
    "--- Original message follows",
    "Original message headers:",
];

/// The first address between angle brackets.
fn in_angles(text: &str) -> Option<Box<str>> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        let (inside, _) = after.split_once('>')?;
        if inside.contains('@') && !inside.contains(char::is_whitespace) {
            return address(inside);
        }
        rest = after;
    }
    None
}

fn short(words: &str) -> Box<str> {
    let one_line: String = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain = one_line.chars().filter(|c| !c.is_control());
    plain.take(WORDS_CHARS_MAX).collect::<String>().into()
}
