//! Routes and webhooks: where alerts, tasks and calls go.

use super::expression::expression;
use super::named::Named;
use super::notation::is_address;
use super::policy::address;
use super::value::{scalar, short, text};
use super::{Keys, Notes};
use crate::diagnostic::{Span, nearest};
use crate::expression::{Scope, Want};
use crate::program::{Expr, ExprKind, Route, RouteTarget, Type, Webhook};
use crate::yaml::Node;
use model::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Keys of a route.
pub(crate) const ROUTE_KEYS: [&str; 5] = ["slack", "channel", "email", "teams", "else"];
/// Keys of a webhook.
pub(crate) const WEBHOOK_KEYS: [&str; 2] = ["url", "secret"];

/// Reads one route: its targets in the order in which they are written.
pub(crate) fn route(
    notes: &mut Notes,
    named: &Named<'_>,
    routes: &BTreeSet<Box<str>>,
    scope: &Scope,
) -> Option<Route> {
    let keys = Keys::of(notes, named.node, "a route", &ROUTE_KEYS)?;
    let before = notes.errors();
    let mut targets = Vec::new();
    let mut is_good = true;
    for entry in named.node.entries() {
        let target = match &*entry.key {
            "slack" => slack(notes, &entry.value, scope).map(RouteTarget::Slack),
            "channel" => channel(notes, &entry.value).map(RouteTarget::Channel),
            "email" => address(notes, &entry.value, scope).map(RouteTarget::Email),
            "teams" => teams(notes, &entry.value).map(RouteTarget::Teams),
            _ => continue,
        };
        is_good &= target.is_some();
        targets.extend(target);
    }
    let otherwise = keys
        .get(notes, "else")
        .and_then(|node| other(notes, node, routes));
    if targets.is_empty() && is_good {
        let message = format!("the route `{}` leads nowhere", named.name);
        notes.error_help(
            "E102",
            named.span,
            message,
            "write `slack`, `channel`, `email` or `teams`".to_owned(),
        );
    }
    (is_good && notes.errors() == before).then_some(Route { targets, otherwise })
}

/// A Slack user or channel: an id, or an expression that gives one.
fn slack(notes: &mut Notes, node: &Node, scope: &Scope) -> Option<Expr> {
    let text = scalar(notes, node, "a Slack user")?;
    let is_id = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit();
    if text.text.len() >= 9 && text.text.chars().all(is_id) {
        return Some(Expr {
            kind: ExprKind::Const(Value::Text(text.text.clone())),
            ty: Type::Text,
        });
    }
    expression(notes, node, scope, &Want::Value(Type::Text))
}

fn channel(notes: &mut Notes, node: &Node) -> Option<Box<str>> {
    let name = text(notes, node, "a channel")?;
    if name
        .strip_prefix('#')
        .is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
    {
        return Some(name);
    }
    let message = format!("`{}` is not a channel", short(&name));
    notes.error_help(
        "E103",
        node.span,
        message,
        "for example `\"#cs\"`, in quotes".to_owned(),
    );
    None
}

/// A channel of Microsoft Teams, by its name in the settings.
fn teams(notes: &mut Notes, node: &Node) -> Option<Box<str>> {
    let name = text(notes, node, "a channel of Teams")?;
    let is_name = !name.trim().is_empty() && name.chars().count() <= 64;
    if is_name && !name.contains(char::is_control) {
        return Some(name);
    }
    let message = format!("`{}` is not a channel of Teams", short(&name));
    let help = "the name that the settings give it, of at most 64 letters".to_owned();
    notes.error_help("E103", node.span, message, help);
    None
}

fn other(notes: &mut Notes, node: &Node, routes: &BTreeSet<Box<str>>) -> Option<Box<str>> {
    let name = scalar(notes, node, "a route")?;
    check_route(notes, &name.text, node.span, routes).then(|| name.text.clone())
}

/// E206 unless the route is declared.
pub(crate) fn check_route(
    notes: &mut Notes,
    name: &str,
    span: Span,
    routes: &BTreeSet<Box<str>>,
) -> bool {
    if routes.contains(name) {
        return true;
    }
    let near = nearest(name, routes.iter().map(|route| &**route));
    let help = near.map(|near| format!("did you mean `{near}`?"));
    let message = format!("there is no route `{}`", short(name));
    notes.error_help("E206", span, message, help);
    false
}

/// E505 for each circle of routes that lead on to one another.
pub(crate) fn check_circles(
    notes: &mut Notes,
    routes: &BTreeMap<Box<str>, Route>,
    places: &[Named<'_>],
) {
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for named in places {
        if told.contains(named.name) {
            continue;
        }
        let mut seen: Vec<&str> = Vec::new();
        let mut met: BTreeSet<&str> = BTreeSet::new();
        let mut at = named.name;
        while let Some(next) = routes.get(at).and_then(|route| route.otherwise.as_deref()) {
            if !met.insert(at) {
                break;
            }
            seen.push(at);
            at = next;
        }
        if met.contains(at) && at == named.name {
            notes.open(named.file);
            let message = format!(
                "these routes lead in a circle: {} -> {at}",
                seen.join(" -> ")
            );
            notes.error("E505", named.span, message);
            told.extend(seen);
        }
    }
}

/// Reads one webhook.
pub(crate) fn webhook(notes: &mut Notes, named: &Named<'_>) -> Option<Webhook> {
    let keys = Keys::of(notes, named.node, "a webhook", &WEBHOOK_KEYS)?;
    let node = keys.need(notes, "url")?;
    let url = text(notes, node, "`url`")?;
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    if !is_web || url.contains(char::is_whitespace) || is_address(&url) {
        let message = format!("`{}` is not an address of the web", short(&url));
        notes.error_help(
            "E103",
            node.span,
            message,
            "it begins with `https://`".to_owned(),
        );
        return None;
    }
    let secret = match keys.get(notes, "secret") {
        Some(node) => Some(secret_name(notes, node)?),
        None => None,
    };
    Some(Webhook { url, secret })
}

fn secret_name(notes: &mut Notes, node: &Node) -> Option<Box<str>> {
    let name = text(notes, node, "`secret`")?;
    let is_letter =
        |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    if name.len() <= 128 && name.chars().all(is_letter) {
        return Some(name);
    }
    let message = "a secret is named here, never written: this is not a name";
    notes.error_help(
        "E103",
        node.span,
        message,
        "for example `CRM_HOOK_SECRET`, a name in capital letters".to_owned(),
    );
    None
}
