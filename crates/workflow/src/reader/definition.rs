//! Segments, labels and risks.

use super::expression::condition;
use super::keys::is_map;
use super::named::Named;
use super::notation::period;
use super::value::{check_name, text};
use super::{Keys, Notes};
use crate::expression::Scope;
use crate::program::{Expr, Label, PickList, Risk, Segment};
use crate::yaml::{Entry, Node};
use std::sync::Arc;

/// Keys of a risk.
pub(crate) const RISK_KEYS: [&str; 6] = ["title", "opens", "for", "closes", "severity", "playbook"];
/// Keys of `severity`.
pub(crate) const SEVERITY_KEYS: [&str; 2] = ["high", "normal"];

/// Reads one segment.
pub(crate) fn segment(notes: &mut Notes, named: &Named<'_>, scope: &Scope) -> Option<Segment> {
    Some(Segment {
        name: named.name.into(),
        condition: condition(notes, named.node, scope)?,
    })
}

/// The words of a label, as far as they can be seen without reading its conditions.
pub(crate) fn label_words(node: &Node) -> Arc<PickList> {
    let words = node.entries().iter().map(|entry| entry.key.clone());
    Arc::new(PickList {
        words: words.collect(),
        is_ordered: false,
    })
}

/// Reads one label.
pub(crate) fn label(notes: &mut Notes, named: &Named<'_>, scope: &Scope) -> Option<Label> {
    if !is_map(notes, named.node, "a label") {
        return None;
    }
    let entries = named.node.entries();
    if entries.is_empty() {
        notes.error("E102", named.span, "a label needs a line");
        return None;
    }
    let mut lines = Vec::new();
    let mut is_good = true;
    for (at, entry) in entries.iter().enumerate() {
        is_good &= check_name(notes, &entry.key, entry.key_span);
        let is_last = at + 1 == entries.len();
        match line(notes, entry, is_last, scope) {
            Some(condition) => lines.push((entry.key.clone(), condition)),
            None => is_good = false,
        }
    }
    if lines.iter().all(|(_, condition)| condition.is_some()) && is_good {
        let message = format!(
            "without a last line `…: otherwise` the label `{}` can be unknown",
            named.name
        );
        notes.warn("W603", named.span, message, None);
    }
    is_good.then(|| Label {
        name: named.name.into(),
        lines,
        words: label_words(named.node),
    })
}

fn is_otherwise(node: &Node) -> bool {
    node.scalar()
        .is_some_and(|scalar| &*scalar.text == "otherwise")
}

fn line(notes: &mut Notes, entry: &Entry, is_last: bool, scope: &Scope) -> Option<Option<Expr>> {
    if !is_otherwise(&entry.value) {
        return condition(notes, &entry.value, scope).map(Some);
    }
    if !is_last {
        let message = "`otherwise` is the last line: those below it are never reached";
        notes.error("E501", entry.value.span, message);
        return None;
    }
    Some(None)
}

/// Reads one risk.
pub(crate) fn risk(notes: &mut Notes, named: &Named<'_>, scope: &Scope) -> Option<Risk> {
    let keys = Keys::of(notes, named.node, "a risk", &RISK_KEYS)?;
    let before = notes.errors();
    let title = keys
        .get(notes, "title")
        .and_then(|node| text(notes, node, "a title"));
    let opens = keys
        .need(notes, "opens")
        .and_then(|node| condition(notes, node, scope));
    let hold = keys
        .get(notes, "for")
        .and_then(|node| period(notes, node, "`for`"));
    let closes = keys
        .need(notes, "closes")
        .and_then(|node| condition(notes, node, scope));
    let playbook = keys
        .get(notes, "playbook")
        .and_then(|node| text(notes, node, "`playbook`"));
    let high_if = match keys.get(notes, "severity") {
        Some(node) => severity(notes, node, scope)?,
        None => None,
    };
    if notes.errors() > before {
        return None;
    }
    Some(Risk {
        name: named.name.into(),
        title: title.unwrap_or_else(|| named.name.into()),
        opens: opens?,
        hold,
        closes: closes?,
        high_if,
        playbook,
    })
}

/// `{high: condition, normal: otherwise}`
fn severity(notes: &mut Notes, node: &Node, scope: &Scope) -> Option<Option<Expr>> {
    let keys = Keys::of(notes, node, "`severity`", &SEVERITY_KEYS)?;
    let normal = keys.get(notes, "normal");
    if let Some(node) = normal.filter(|node| !is_otherwise(node)) {
        let message = "`normal` is what is left: write `normal: otherwise`";
        notes.error("E103", node.span, message);
    }
    match keys.need(notes, "high") {
        Some(node) => condition(notes, node, scope).map(Some),
        None => None,
    }
}
