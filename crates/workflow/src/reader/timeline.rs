//! Timelines: what happens in a test, and what is expected of it.

use super::case::{held, is_held};
use super::fixture::{Fields, json, pinned};
use super::keys::{is_map, items};
use super::metric::check_event;
use super::notation::civil;
use super::scenario::Bench;
use super::value::{near, scalar, short};
use super::{Keys, Notes};
use crate::diagnostic::nearest;
use crate::scenario::{Action, Entry, Expected, Json};
use crate::yaml::Node;
use model::Kind;
use std::collections::BTreeMap;

const KEYS: [&str; 10] = [
    "at", "event", "data", "change", "reply", "click", "done", "approve", "reject", "expect",
];
const ACTIONS: [&str; 7] = [
    "event", "change", "reply", "click", "done", "approve", "reject",
];

const EXPECTED: [(&str, Kind); 8] = [
    ("send", Kind::Send),
    ("task", Kind::Task),
    ("webhook", Kind::Webhook),
    ("set", Kind::Set),
    ("ask", Kind::Ask),
    ("skip", Kind::Skip),
    ("end", Kind::End),
    ("alert", Kind::Alert),
];
const DETAILS: [&str; 9] = [
    "to", "cc", "template", "contains", "why", "step", "by", "value", "topic",
];
const DETAILS_MORE: [&str; 2] = ["locale", "subject"];
const WHY: [&str; 18] = [
    "if",
    "window passed",
    "nobody",
    "limit",
    "held back",
    "unsubscribed",
    "suppressed",
    "no approval",
    "rejected",
    "too late",
    "once per",
    "running",
    "while",
    "goal",
    "holdout",
    "unknown key",
    "paused",
    "expired",
];
const HOW: [&str; 5] = ["finished", "left", "goal", "stopped", "stuck"];

/// Reads a timeline.
pub(crate) fn timeline(notes: &mut Notes, node: &Node, bench: &Bench<'_>) -> Vec<Entry> {
    let list = items(notes, node, "`timeline`").unwrap_or_default();
    list.iter()
        .filter_map(|node| entry(notes, node, bench))
        .collect()
}

fn entry(notes: &mut Notes, node: &Node, bench: &Bench<'_>) -> Option<Entry> {
    let keys = Keys::of(notes, node, "an entry of a timeline", &KEYS)?;
    let at_node = keys.need(notes, "at");
    let at = at_node.and_then(|node| civil(notes, node, "`at`"));
    let mut actions = ACTIONS.into_iter().filter(|action| keys.has(action));
    let first = actions.next();
    if let Some(span) = actions.next().and_then(|second| keys.span_of(second)) {
        notes.error(
            "E104",
            span,
            "one thing happens in an entry: make two of it",
        );
    }
    if let (true, Some(span)) = (first != Some("event"), keys.span_of("data")) {
        notes.error("E101", span, "`data` belongs to `event`");
    }
    let action = first.and_then(|kind| action(notes, &keys, kind, bench));
    let expect = match keys.get(notes, "expect") {
        Some(node) => expectations(notes, node, bench),
        None => Vec::new(),
    };
    Some(Entry {
        at: at?,
        span: at_node?.span,
        action,
        expect,
    })
}

fn action(notes: &mut Notes, keys: &Keys<'_>, kind: &str, bench: &Bench<'_>) -> Option<Action> {
    let node = keys.get(notes, kind)?;
    if kind == "event" {
        return event(notes, keys, node, bench);
    }
    if kind == "change" {
        return change(notes, node, bench).map(Action::Change);
    }
    let step = step_id(notes, node, bench)?;
    Some(match kind {
        "reply" => Action::Reply(step),
        "click" => Action::Click(step),
        "done" => Action::Done(step),
        "approve" => Action::Approve(step),
        _ => Action::Reject(step),
    })
}

fn event(notes: &mut Notes, keys: &Keys<'_>, node: &Node, bench: &Bench<'_>) -> Option<Action> {
    let scope = &bench.workspace.scope;
    let kind = scalar(notes, node, "an event")?.text.clone();
    check_event(notes, &kind, node.span, scope)?;
    let event = scope.world.schema.events.get(&kind)?;
    let fields = Fields {
        name: &kind,
        fields: &event.fields,
        scope,
    };
    let data = match keys.get(notes, "data") {
        Some(node) => fields.object(notes, node),
        None => Json::new(),
    };
    Some(Action::Event { kind, data })
}

/// Fields change: by dotted field, `contacts` whole, or a pinned name.
fn change(
    notes: &mut Notes,
    node: &Node,
    bench: &Bench<'_>,
) -> Option<Vec<(Box<str>, serde_json::Value)>> {
    if !is_map(notes, node, "`change`") {
        return None;
    }
    let scope = &bench.workspace.scope;
    let mut changes = Vec::new();
    for entry in node.entries() {
        let value = if &*entry.key == "contacts" {
            let list = items(notes, &entry.value, "`contacts`").unwrap_or_default();
            let fields = bench.fields("contact");
            let contacts = list.iter().map(|node| fields.object(notes, node).into());
            Some(serde_json::Value::Array(contacts.collect()))
        } else if is_held(&entry.key) {
            held(notes, (&entry.key, &entry.value), bench).map(|value| value.to_json())
        } else if let Some((fields, name)) = bench.dotted(&entry.key) {
            let field = fields.field(notes, name, entry.key_span);
            field.and_then(|field| json(notes, &entry.value, &field.kind))
        } else {
            let value = pinned(notes, entry, scope);
            value.map(|value| value.map_or(serde_json::Value::Null, |value| value.to_json()))
        };
        changes.extend(value.map(|value| (entry.key.clone(), value)));
    }
    Some(changes)
}

/// E208 unless the workflow has such a step.
fn step_id(notes: &mut Notes, node: &Node, bench: &Bench<'_>) -> Option<Box<str>> {
    let id = scalar(notes, node, "a step")?;
    if let Some(steps) = bench.tested
        && !steps.contains(&id.text)
    {
        let near = nearest(&id.text, steps.iter().map(|id| &**id));
        let help = near.map(|near| format!("did you mean `{near}`?"));
        notes.error_help(
            "E208",
            node.span,
            format!("there is no step `{}`", short(&id.text)),
            help,
        );
        return None;
    }
    Some(id.text.clone())
}

fn expectations(notes: &mut Notes, node: &Node, bench: &Bench<'_>) -> Vec<Expected> {
    let list = items(notes, node, "`expect`").unwrap_or_default();
    list.iter()
        .filter_map(|node| expected(notes, node, bench))
        .collect()
}

fn expected(notes: &mut Notes, node: &Node, bench: &Bench<'_>) -> Option<Expected> {
    if !is_map(notes, node, "an expectation") {
        return None;
    }
    let verbs: Vec<&str> = EXPECTED.iter().map(|(verb, _)| *verb).collect();
    let written: Vec<(&str, Kind)> = EXPECTED
        .into_iter()
        .filter(|(verb, _)| node.get(verb).is_some())
        .collect();
    let [(verb, kind)] = written.as_slice() else {
        let message = format!("an expectation has one of: {}", verbs.join(", "));
        notes.error("E104", node.span, message);
        return None;
    };
    let known: Vec<&'static str> = [*verb]
        .into_iter()
        .chain(DETAILS)
        .chain(DETAILS_MORE)
        .collect();
    let keys = Keys::of(notes, node, "an expectation", &known)?;
    let value = keys.get(notes, verb)?;
    let what = scalar(notes, value, "what is expected")?.text.clone();
    check_what(notes, *kind, value, &what, bench);
    let mut details = BTreeMap::new();
    for entry in node.entries().iter().filter(|entry| &*entry.key != *verb) {
        let Some(text) = scalar(notes, &entry.value, "what is expected") else {
            continue;
        };
        if &*entry.key == "why" {
            one_of(notes, &entry.value, &text.text, &WHY);
        }
        details.insert(entry.key.clone(), text.text.clone());
    }
    Some(Expected {
        kind: *kind,
        what,
        keys: details,
        span: node.span,
    })
}

/// What is expected must be something that can happen.
fn check_what(notes: &mut Notes, kind: Kind, node: &Node, what: &str, bench: &Bench<'_>) {
    let workspace = bench.workspace;
    let (is_known, names, code, noun): (bool, Vec<&str>, _, _) = match kind {
        Kind::Send => {
            let names = workspace.templates.keys();
            (
                workspace.templates.contains_key(what),
                names.map(|name| &**name).collect(),
                "E203",
                "template",
            )
        }
        Kind::Alert => {
            let names = workspace.routes.iter();
            (
                workspace.routes.contains(what),
                names.map(|name| &**name).collect(),
                "E206",
                "route",
            )
        }
        Kind::Ask | Kind::Skip => {
            step_id(notes, node, bench);
            return;
        }
        Kind::End => {
            one_of(notes, node, what, &HOW);
            return;
        }
        Kind::Task
        | Kind::Webhook
        | Kind::Set
        | Kind::Start
        | Kind::Hold
        | Kind::RiskOpened
        | Kind::RiskClosed
        | Kind::HealthChanged
        | Kind::StageChanged => return,
    };
    if !is_known {
        let help = nearest(what, names).map(|near| format!("did you mean `{near}`?"));
        notes.error_help(
            code,
            node.span,
            format!("there is no {noun} `{}`", short(what)),
            help,
        );
    }
}

fn one_of(notes: &mut Notes, node: &Node, word: &str, words: &[&str]) {
    if !words.contains(&word) {
        let message = format!("`{}` is not one of: {}", short(word), words.join(", "));
        notes.error_help("E103", node.span, message, near(word, words));
    }
}
