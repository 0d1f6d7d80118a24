//! Waits: time that passes, or something that is waited for.

use super::branch::block;
use super::desk::Desk;
use super::expression::condition;
use super::keys::one_or_more;
use super::metric::check_event;
use super::notation::period;
use super::step::Place;
use super::survey::event_names;
use super::value::{scalar, word};
use super::{Keys, Notes};
use crate::expression::{Scope, lasts};
use crate::program::{Otherwise, Period, Until, Verb};
use crate::yaml::{Node, NodeKind};

/// Keys of a `wait` for something.
pub(crate) const KEYS: [&str; 5] = ["until", "event", "if", "at_most", "otherwise"];

/// Reads a `wait`.
pub(crate) fn wait(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    place: &Place<'_, '_>,
    id: Option<&str>,
) -> Option<Verb> {
    let node = place.value;
    if node.scalar().is_some() {
        let length = period(notes, node, "`wait`")?;
        return Some(Verb::Wait { length });
    }
    let keys = Keys::of(notes, node, "a `wait`", &KEYS)?;
    let until = until(notes, desk, &keys);
    let at_most = at_most(notes, &keys);
    if let Some(id) = id {
        desk.pass(place.survey, id);
    }
    desk.known.retain(lasts);
    let otherwise = otherwise(notes, desk, &keys, place);
    Some(Verb::WaitFor {
        until: until?,
        at_most: at_most?,
        otherwise: otherwise?,
    })
}

fn until(notes: &mut Notes, desk: &Desk<'_>, keys: &Keys<'_>) -> Option<Until> {
    match (keys.get(notes, "until"), keys.get(notes, "event")) {
        (Some(until), None) => {
            if let Some(span) = keys.span_of("if") {
                notes.error("E101", span, "`if` belongs to `event`, not to `until`");
            }
            condition(notes, until, &desk.scope).map(Until::Condition)
        }
        (None, Some(event)) => wait_for(notes, desk, keys, event),
        (Some(_), Some(_)) => {
            let message = "a `wait` has either `until` or `event`";
            notes.error("E104", keys.place(), message);
            None
        }
        (None, None) => {
            let is_told = ["until", "event"]
                .into_iter()
                .any(|key| keys.has(key) || keys.is_misspelt(key));
            if !is_told {
                let message = "this says not what to wait for: it needs `until` or `event`";
                notes.error("E102", keys.place(), message);
            }
            None
        }
    }
}

fn wait_for(notes: &mut Notes, desk: &Desk<'_>, keys: &Keys<'_>, event: &Node) -> Option<Until> {
    let events = events(notes, event, &desk.scope);
    let scope = Scope {
        event: Some(events.clone().unwrap_or_default()),
        ..desk.scope.clone()
    };
    let guard = keys.get(notes, "if");
    let condition = guard.map(|node| condition(notes, node, &scope));
    if condition.as_ref().is_some_and(Option::is_none) {
        return None;
    }
    Some(Until::Event {
        events: events?,
        condition: condition.flatten(),
    })
}

/// The types of one or several events; E202 for one that is not declared.
pub(crate) fn events(notes: &mut Notes, node: &Node, scope: &Scope) -> Option<Vec<Box<str>>> {
    let items = one_or_more(node);
    if items.is_empty() {
        notes.error("E102", node.span, "this list of events is empty");
        return None;
    }
    let mut is_good = true;
    for item in items {
        let name = scalar(notes, item, "an event");
        is_good &=
            name.is_some_and(|name| check_event(notes, &name.text, item.span, scope).is_some());
    }
    is_good.then(|| event_names(node))
}

fn at_most(notes: &mut Notes, keys: &Keys<'_>) -> Option<Period> {
    if let Some(node) = keys.get(notes, "at_most") {
        return period(notes, node, "`at_most`");
    }
    if !keys.has("at_most") && !keys.is_misspelt("at_most") {
        let message = "a wait for something that may never happen needs `at_most`";
        let help = "for example `at_most: 14d`";
        notes.error_help("E402", keys.place(), message, help.to_owned());
    }
    None
}

fn otherwise(
    notes: &mut Notes,
    desk: &mut Desk<'_>,
    keys: &Keys<'_>,
    place: &Place<'_, '_>,
) -> Option<Otherwise> {
    let Some(node) = keys.get(notes, "otherwise") else {
        if !keys.has("otherwise") && !keys.is_misspelt("otherwise") {
            let message = "`otherwise` is missing: what happens when nothing happens?";
            let help = "write `continue`, `stop` or steps";
            notes.error_help("E102", keys.place(), message, help.to_owned());
        }
        return None;
    };
    if let NodeKind::List(_) = node.kind {
        return block(notes, desk, (node, &[]), place).map(Otherwise::Steps);
    }
    let words = [("continue", false), ("stop", true)];
    let stops = word(notes, node, "`otherwise`", &words)?;
    Some(if stops {
        Otherwise::Stop
    } else {
        Otherwise::Continue
    })
}
