//! Timelines: what happens in a test, and what is expected of it.

use super::case::{held, is_held};
use super::fixture::{Fields, json, pinned};
use super::keys::{is_map, items};
use super::metric::check_event;
use super::notation::civil;
use super::scenario::{Bench, Steps};
use super::value::{near, scalar, short, text};
use super::{Keys, Notes};
use crate::diagnostic::{Span, nearest};
use crate::expression::StepKind;
use crate::program::FieldType;
use crate::scenario::{Action, Entry, Expected, Json};
use crate::yaml::Node;
use model::Kind;
use std::collections::BTreeMap;

/// Keys of an entry.
pub(crate) const KEYS: [&str; 12] = [
    "at", "event", "data", "change", "reply", "click", "done", "outcome", "set", "approve",
    "reject", "expect",
];
/// Keys that belong to one action, and to which.
const BELONGING: [(&str, &str); 3] = [("data", "event"), ("outcome", "done"), ("set", "done")];
const ACTIONS: [&str; 7] = [
    "event", "change", "reply", "click", "done", "approve", "reject",
];

/// The verbs of an expectation: it has exactly one.
pub(crate) const EXPECTED: [(&str, Kind); 8] = [
    ("send", Kind::Send),
    ("task", Kind::Task),
    ("webhook", Kind::Webhook),
    ("set", Kind::Set),
    ("ask", Kind::Ask),
    ("skip", Kind::Skip),
    ("end", Kind::End),
    ("alert", Kind::Alert),
];
/// What else an expectation can say.
pub(crate) const DETAILS: [&str; 9] = [
    "to", "cc", "template", "contains", "why", "step", "by", "value", "topic",
];
/// And this.
pub(crate) const DETAILS_MORE: [&str; 3] = ["locale", "subject", "workflow"];
/// Why a step can be skipped.
pub(crate) const WHY: [&str; 18] = [
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
/// How a run can end.
pub(crate) const HOW: [&str; 5] = ["finished", "left", "goal", "stopped", "stuck"];

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
    for (key, owner) in BELONGING {
        if let (true, Some(span)) = (first != Some(owner), keys.span_of(key)) {
            notes.error("E101", span, format!("`{key}` belongs to `{owner}`"));
        }
    }
    let action = first.and_then(|kind| action(notes, &keys, kind, bench));
    let expect_node = keys.get(notes, "expect");
    let expect = expect_node.map_or_else(Vec::new, |node| expectations(notes, node, bench));
    Some(Entry {
        at: at?,
        span: at_node?.span,
        action,
        expect,
        whole: node.span,
        expect_span: keys
            .span_of("expect")
            .zip(expect_node.map(|node| node.span)),
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
    check_kind(notes, node, (kind, &step), bench);
    Some(match kind {
        "reply" => Action::Reply(step),
        "click" => Action::Click(step),
        "approve" => Action::Approve(step),
        "reject" => Action::Reject(step),
        _ => Action::Done {
            step,
            outcome: keys
                .get(notes, "outcome")
                .and_then(|node| text(notes, node, "`outcome`")),
            set: match keys.get(notes, "set") {
                Some(node) => set(notes, node, bench)?,
                None => Vec::new(),
            },
        },
    })
}

/// Mails are answered, tasks are done.
fn check_kind(notes: &mut Notes, node: &Node, (action, step): (&str, &str), bench: &Bench<'_>) {
    let kind = bench.tested.and_then(|steps| steps.get(step));
    let Some(kind) = kind.filter(|_| !bench.is_all) else {
        return;
    };
    let (is_right, wanted) = match action {
        "done" => (*kind == StepKind::Task, "a `task`"),
        _ => (*kind == StepKind::Send, "a `send`"),
    };
    if !is_right && *kind != StepKind::Failed {
        let message = format!("`{action}` is about {wanted}, and `{step}` is none");
        notes.error("E208", node.span, message);
    }
}

/// What is set when a task is done.
fn set(
    notes: &mut Notes,
    node: &Node,
    bench: &Bench<'_>,
) -> Option<Vec<(Box<str>, serde_json::Value)>> {
    if !is_map(notes, node, "`set`") {
        return None;
    }
    let mut all = Vec::new();
    for entry in node.entries() {
        let dotted = bench.dotted(&entry.key);
        let Some((fields, name)) =
            dotted.filter(|(of, _)| matches!(of.name, "account" | "contract"))
        else {
            let message = format!("`{}` is not a field that can be set", short(&entry.key));
            let help = "for example `account.csm_sentiment`";
            notes.error_help("E201", entry.key_span, message, help.to_owned());
            continue;
        };
        let field = fields.field(notes, name, entry.key_span);
        let value = field.and_then(|field| json(notes, &entry.value, &field.kind));
        all.extend(value.map(|value| (entry.key.clone(), value)));
    }
    Some(all)
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
        Some(node) => {
            check_contacts(notes, node, &fields);
            fields.object(notes, node)
        }
        None => Json::new(),
    };
    Some(Action::Event { kind, data })
}

/// A contact in an event's data is one of the fixture's (`p-1`), or whoever holds a role; E204 for what is neither.
fn check_contacts(notes: &mut Notes, data: &Node, fields: &Fields<'_>) {
    let roles = &fields.scope.world.roles;
    for entry in data.entries() {
        let field = fields.fields.get(&entry.key);
        let is_contact = field.is_some_and(|field| field.kind == FieldType::Contact);
        let Some(name) = entry.value.scalar().filter(|_| is_contact) else {
            continue;
        };
        let is_id = name.text.strip_prefix("p-").is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        if !is_id && !roles.contains(&name.text) && !entry.value.is_null() {
            let help = nearest(&name.text, roles.iter().map(|role| &**role))
                .map(|near| format!("did you mean `{near}`?"));
            let message = format!("there is no role or contact `{}`", short(&name.text));
            notes.error_help("E204", entry.value.span, message, help);
        }
    }
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
        && !steps.contains_key(&id.text)
    {
        no_step(notes, &id.text, node.span, steps);
        return None;
    }
    Some(id.text.clone())
}

/// E208.
pub(crate) fn no_step(notes: &mut Notes, id: &str, span: Span, steps: &Steps) {
    let near = nearest(id, steps.keys().map(|id| &**id));
    let help = near.map(|near| format!("did you mean `{near}`?"));
    let message = format!("there is no step `{}`", short(id));
    notes.error_help("E208", span, message, help);
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
