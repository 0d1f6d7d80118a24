//! Policies: topics, limits, defaults, the sender, and since when sources are complete.

use super::keys::{is_map, items, one_or_more};
use super::metric::check_event;
use super::named::Named;
use super::notation::{date, is_address, mailbox, period};
use super::value::{scalar, short, text, whole, word};
use super::{Keys, Notes, expression::expression};
use crate::diagnostic::{Span, nearest};
use crate::expression::{Scope, Want};
use crate::program::{
    CompleteSince, Defaults, Expr, ExprKind, Limit, LimitPer, Sender, Title, Topic, Type,
};
use crate::yaml::{Node, NodeKind};
use model::{Purpose, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Keys of a topic.
pub(crate) const TOPIC_KEYS: [&str; 3] = ["title", "purpose", "if_unknown"];
/// Keys of a limit.
pub(crate) const LIMIT_KEYS: [&str; 5] = ["at_most", "in", "per", "topics", "channel"];
/// Keys of `defaults`.
pub(crate) const DEFAULTS_KEYS: [&str; 4] = ["from", "reply_to", "locale", "currency"];
/// Keys of `sender`.
pub(crate) const SENDER_KEYS: [&str; 3] = ["name", "postal_address", "contact"];

/// Reads one topic; `locale` is the default one.
pub(crate) fn topic(notes: &mut Notes, named: &Named<'_>, locale: &str) -> Option<Topic> {
    let keys = Keys::of(notes, named.node, "a topic", &TOPIC_KEYS)?;
    let title = keys
        .need(notes, "title")
        .and_then(|node| title(notes, node, locale));
    let purposes = [
        ("contractual", Purpose::Contractual),
        ("service", Purpose::Service),
        ("promotional", Purpose::Promotional),
    ];
    let purpose = keys
        .need(notes, "purpose")
        .and_then(|node| word(notes, node, "`purpose`", &purposes));
    let words = [("hold", false), ("resend", true)];
    let node = keys.get(notes, "if_unknown");
    let resends = node
        .and_then(|node| word(notes, node, "`if_unknown`", &words))
        .unwrap_or(false);
    if let (true, Some(node), Some(Purpose::Service | Purpose::Promotional)) =
        (resends, node, purpose)
    {
        let message =
            "only a contractual topic may be sent again when nobody knows whether it arrived";
        notes.error_help(
            "E103",
            node.span,
            message,
            "write `if_unknown: hold`".to_owned(),
        );
        return None;
    }
    Some(Topic {
        title: title?,
        purpose: purpose?,
        resends_unknown: resends,
    })
}

/// A title, or one for each locale: E102 if the default locale has none.
fn title(notes: &mut Notes, node: &Node, locale: &str) -> Option<Title> {
    if !matches!(node.kind, NodeKind::Map(_)) {
        return text(notes, node, "a title").map(Title::Same);
    }
    let mut texts = BTreeMap::new();
    let mut is_whole = true;
    for entry in node.entries() {
        if !is_locale(&entry.key) {
            let message = format!("`{}` is not a locale", short(&entry.key));
            let help = "for example `ja` or `en-GB`".to_owned();
            notes.error_help("E103", entry.key_span, message, help);
            is_whole = false;
            continue;
        }
        match text(notes, &entry.value, "a title") {
            Some(text) => {
                texts.insert(entry.key.clone(), text);
            }
            None => is_whole = false,
        }
    }
    let language = locale.split('-').next().unwrap_or(locale);
    if is_whole && !texts.contains_key(locale) && !texts.contains_key(language) {
        let message = format!("the title has no text in `{locale}`, the default locale");
        let help = format!("add `{language}: …`");
        notes.error_help("E102", node.span, message, help);
        return None;
    }
    is_whole.then_some(Title::Each(texts))
}

/// E205 unless the topic is declared.
pub(crate) fn check_topic(
    notes: &mut Notes,
    name: &str,
    span: Span,
    topics: &BTreeSet<Box<str>>,
) -> bool {
    if topics.contains(name) {
        return true;
    }
    let near = nearest(name, topics.iter().map(|topic| &**topic));
    let help = near.map(|near| format!("did you mean `{near}`?"));
    let message = format!("there is no topic `{}`", short(name));
    notes.error_help("E205", span, message, help);
    false
}

/// A list of topics, or one.
pub(crate) fn topics(notes: &mut Notes, node: &Node, known: &BTreeSet<Box<str>>) -> Vec<Box<str>> {
    let mut list = Vec::new();
    for item in one_or_more(node) {
        if let Some(name) = scalar(notes, item, "a topic")
            && check_topic(notes, &name.text, item.span, known)
        {
            list.push(name.text.clone());
        }
    }
    list
}

/// Reads `limits`.
pub(crate) fn limits(notes: &mut Notes, node: &Node, known: &BTreeSet<Box<str>>) -> Vec<Limit> {
    let items = items(notes, node, "`limits`").unwrap_or_default();
    items
        .iter()
        .filter_map(|item| limit(notes, item, known))
        .collect()
}

fn limit(notes: &mut Notes, node: &Node, known: &BTreeSet<Box<str>>) -> Option<Limit> {
    let keys = Keys::of(notes, node, "a limit", &LIMIT_KEYS)?;
    let at_most = keys
        .need(notes, "at_most")
        .and_then(|node| whole(notes, node, "`at_most`", (1, 100_000)));
    let window = keys
        .need(notes, "in")
        .and_then(|node| period(notes, node, "`in`"));
    let whom = [
        ("contact", LimitPer::Contact),
        ("account", LimitPer::Account),
    ];
    let per = keys
        .need(notes, "per")
        .and_then(|node| word(notes, node, "`per`", &whom));
    let listed = keys
        .get(notes, "topics")
        .map(|node| topics(notes, node, known));
    let channels = [("email", "email"), ("slack", "slack")];
    let channel = keys
        .get(notes, "channel")
        .and_then(|node| word(notes, node, "`channel`", &channels));
    Some(Limit {
        at_most: at_most?,
        window: window?,
        per: per?,
        topics: listed.unwrap_or_default(),
        channel: channel.map(Box::from),
    })
}

/// The defaults of a workspace that says nothing.
pub(crate) fn plain_defaults() -> Defaults {
    Defaults {
        from: None,
        reply_to: None,
        locale: "en".into(),
        currency: "USD".into(),
    }
}

/// Reads `defaults`.
pub(crate) fn defaults(notes: &mut Notes, node: &Node, scope: &Scope) -> Option<Defaults> {
    let keys = Keys::of(notes, node, "`defaults`", &DEFAULTS_KEYS)?;
    let mut defaults = plain_defaults();
    defaults.from = keys
        .get(notes, "from")
        .and_then(|node| mailbox(notes, node, "`from`"));
    defaults.reply_to = keys
        .get(notes, "reply_to")
        .and_then(|node| address(notes, node, scope));
    if let Some(node) = keys.get(notes, "locale")
        && let Some(locale) = shaped(
            notes,
            node,
            "a locale",
            "for example `ja` or `en-GB`",
            is_locale,
        )
    {
        defaults.locale = locale;
    }
    if let Some(node) = keys.get(notes, "currency")
        && let Some(currency) = shaped(notes, node, "a currency", "for example `JPY`", is_currency)
    {
        defaults.currency = currency;
    }
    Some(defaults)
}

/// An address, or an expression that gives one.
pub(crate) fn address(notes: &mut Notes, node: &Node, scope: &Scope) -> Option<Expr> {
    let text = scalar(notes, node, "an address")?;
    if is_address(&text.text) {
        return Some(Expr {
            kind: ExprKind::Const(Value::Text(text.text.clone())),
            ty: Type::Text,
        });
    }
    expression(notes, node, scope, &Want::Value(Type::Text))
}

fn shaped(
    notes: &mut Notes,
    node: &Node,
    what: &str,
    help: &str,
    is_good: fn(&str) -> bool,
) -> Option<Box<str>> {
    let scalar = scalar(notes, node, what)?;
    if is_good(&scalar.text) {
        return Some(scalar.text.clone());
    }
    let message = format!("`{}` is not {what}", short(&scalar.text));
    notes.error_help("E103", node.span, message, help.to_owned());
    None
}

/// A language tag: `ja`, `en-GB`.
fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    let is_part = |part: &str, least: usize| {
        (least..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    parts.next().is_some_and(|first| {
        is_part(first, 2) && first.len() <= 3 && first.bytes().all(|byte| byte.is_ascii_lowercase())
    }) && parts.all(|part| is_part(part, 1))
        && text.len() <= 35
}

fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Reads `sender`.
pub(crate) fn sender(notes: &mut Notes, node: &Node) -> Option<Sender> {
    let keys = Keys::of(notes, node, "`sender`", &SENDER_KEYS)?;
    let mut read = |key| {
        keys.need(notes, key)
            .and_then(|node| text(notes, node, "a line of the sender"))
    };
    let (name, postal_address, contact) = (read("name"), read("postal_address"), read("contact"));
    Some(Sender {
        name: name?,
        postal_address: postal_address?,
        contact: contact?,
    })
}

/// Reads `complete_since`.
pub(crate) fn complete_since(notes: &mut Notes, node: &Node, scope: &Scope) -> CompleteSince {
    let mut since = CompleteSince::default();
    if !is_map(notes, node, "`complete_since`") {
        return since;
    }
    for entry in node.entries() {
        let is_all = &*entry.key == "all";
        if !is_all && check_event(notes, &entry.key, entry.key_span, scope).is_none() {
            continue;
        }
        let Some(day) = date(notes, &entry.value, "`complete_since`") else {
            continue;
        };
        if is_all {
            since.all = Some(day);
        } else {
            since.events.insert(entry.key.clone(), day);
        }
    }
    since
}
