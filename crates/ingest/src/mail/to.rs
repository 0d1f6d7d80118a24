//! Whom a mail was sent to: the address that carries our token, and the messages that it answers.

use super::header::Head;

/// The most addresses or ids that are taken of one mail.
const ADDRESSES_MAX: usize = 50;
/// The longest token, so that it fits a local part with its prefix.
const TOKEN_CHARS_MAX: usize = 57;
/// Fields in which servers note the envelope's recipient, and the header's own.
const FIELDS: [&str; 6] = [
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "to",
    "cc",
];

/// What an address of ours is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// `bounce+…`: the envelope sender of what we send.
    Bounce,
    /// `reply+…`: where people's answers go.
    Reply,
}

/// An address of ours, its token not yet believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is for.
    pub purpose: Purpose,
    /// The token, in small letters: servers may change the case.
    pub token: Box<str>,
}

/// Reads `bounce+TOKEN@domain`.
pub fn token(address: &str, domain: &str) -> Option<Token> {
    let (local, at) = address.trim().rsplit_once('@')?;
    if !at.eq_ignore_ascii_case(domain) {
        return None;
    }
    let (prefix, token) = local.trim_matches('"').split_once('+')?;
    let purpose = match prefix.to_ascii_lowercase().as_str() {
        "bounce" => Purpose::Bounce,
        "reply" => Purpose::Reply,
        _ => return None,
    };
    let is_token = (1..=TOKEN_CHARS_MAX).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_token.then(|| Token {
        purpose,
        token: token.to_ascii_lowercase().into(),
    })
}

/// The addresses that a header says the mail was sent to.
pub(super) fn addresses(head: &Head) -> Vec<Box<str>> {
    let values = FIELDS.iter().flat_map(|name| head.all(name));
    values.flat_map(all_in).take(ADDRESSES_MAX).collect()
}

/// The Message-IDs that a mail answers.
pub(super) fn ids(head: &Head) -> Vec<Box<str>> {
    let values = ["in-reply-to", "references"]
        .into_iter()
        .flat_map(|name| head.all(name));
    values.flat_map(ids_in).take(ADDRESSES_MAX).collect()
}

/// Every address in a field's value, whatever else stands there.
pub(super) fn all_in(value: &str) -> Vec<Box<str>> {
    let is_between = |c: char| {
        c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | '(' | ')' | '"' | '[' | ']')
    };
    let words = value
        .split(is_between)
        .filter(|word| word.contains('@') && word.len() <= 320);
    words.take(ADDRESSES_MAX).map(Box::from).collect()
}

/// Every id between angle brackets.
pub(super) fn ids_in(value: &str) -> Vec<Box<str>> {
    let ends = value
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'));
    let ids = ends
        .map(|(id, _)| id.trim())
        .filter(|id| id.contains('@') && id.len() <= 320);
    ids.take(ADDRESSES_MAX).map(Box::from).collect()
}
