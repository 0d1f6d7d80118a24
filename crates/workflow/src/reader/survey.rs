//! A survey of a workflow's steps: their ids, in the order in which they stand, before anything is read.

use super::Notes;
use super::keys::one_or_more;
use super::value::{NAME_BYTES_MAX, short};
use crate::diagnostic::Span;
use crate::expression::StepKind;
use crate::program::PickList;
use crate::yaml::{Node, NodeKind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The verbs: a step has exactly one.
pub(crate) const VERBS: [&str; 10] = [
    "send", "alert", "task", "webhook", "set", "wait", "then", "match", "split", "stop",
];

/// Ids and kinds of all steps, in order of place.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The steps that have an id.
    pub(crate) steps: Vec<(Box<str>, StepKind)>,
    places: BTreeMap<Box<str>, Span>,
}

impl Survey {
    /// Takes in a list of steps and all below it; E107 for a step without id, E105 for an id that stands twice.
    pub(crate) fn list(&mut self, notes: &mut Notes, node: &Node) {
        if let NodeKind::List(items) = &node.kind {
            for item in items {
                self.step(notes, item);
            }
        }
    }

    fn step(&mut self, notes: &mut Notes, node: &Node) {
        let verb = verb(node);
        if let Some((id, span)) = self.id(notes, node, verb) {
            let kind = verb.map_or(StepKind::Failed, |verb| kind(node, verb));
            match self.places.get(&id) {
                Some(_) => twice(notes, &id, span),
                None => {
                    self.places.insert(id.clone(), span);
                    self.steps.push((id, kind));
                }
            }
        }
        self.below(notes, node);
    }

    /// Steps inside a step.
    fn below(&mut self, notes: &mut Notes, node: &Node) {
        for entry in node.entries() {
            match &*entry.key {
                "then" | "else" => self.list(notes, &entry.value),
                "wait" => entry
                    .value
                    .get("otherwise")
                    .into_iter()
                    .for_each(|steps| self.list(notes, steps)),
                "cases" => entry
                    .value
                    .entries()
                    .iter()
                    .for_each(|case| self.list(notes, &case.value)),
                "otherwise" => self.list(notes, &entry.value),
                "split" => {
                    let arms = entry.value.entries().iter();
                    arms.filter_map(|arm| arm.value.get("steps"))
                        .for_each(|steps| self.list(notes, steps));
                }
                _ => {}
            }
        }
    }

    fn id(&self, notes: &mut Notes, node: &Node, verb: Option<&str>) -> Option<(Box<str>, Span)> {
        let entries = node.entries();
        let written = entries.iter().find(|entry| &*entry.key == "id");
        if let Some(entry) = written {
            let scalar = entry.value.scalar()?;
            return is_id(notes, &scalar.text, entry.value.span)
                .then(|| (scalar.text.clone(), entry.value.span));
        }
        let verb = verb?;
        if let Some((name, span)) = default_id(node, verb) {
            return Some((name, span));
        }
        if verb != "stop" {
            let span = entries.iter().find(|entry| &*entry.key == verb)?.key_span;
            let message =
                format!("a `{verb}` needs an `id`: a run rests at it, so it outlives every edit");
            notes.error_help(
                "E107",
                span,
                message,
                "for example `id: kickoff`".to_owned(),
            );
        }
        None
    }
}

/// The template's name serves as the id of a `send`, and of an `alert` that has one.
pub(crate) fn default_id(node: &Node, verb: &str) -> Option<(Box<str>, Span)> {
    let key = match verb {
        "send" => "send",
        "alert" => "template",
        _ => return None,
    };
    let value = node.get(key)?;
    let scalar = value.scalar()?;
    Some((scalar.text.clone(), value.span))
}

fn twice(notes: &mut Notes, id: &str, span: Span) {
    let message = format!("two steps are called `{}`", short(id));
    notes.error_help(
        "E105",
        span,
        message,
        "give this one another `id`".to_owned(),
    );
}

fn is_id(notes: &mut Notes, id: &str, span: Span) -> bool {
    let is_good = id.len() <= NAME_BYTES_MAX
        && id.starts_with(|letter: char| letter.is_ascii_lowercase())
        && id.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
        })
        && !id.ends_with('-');
    if !is_good {
        let message = format!("`{}` is not an id", short(id));
        let help = "an id is a small letter, then small letters, digits, `-` and `_`, at most 64";
        notes.error_help("E103", span, message, help.to_owned());
    }
    is_good
}

/// The verb of a step, if it has exactly one.
pub(crate) fn verb(node: &Node) -> Option<&'static str> {
    let mut found = VERBS
        .into_iter()
        .filter(|verb| node.entries().iter().any(|entry| &*entry.key == *verb));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

fn kind(node: &Node, verb: &str) -> StepKind {
    match verb {
        "send" => StepKind::Send,
        "alert" => StepKind::Alert,
        "task" => StepKind::Task,
        "webhook" => StepKind::Webhook,
        "wait" => StepKind::Wait(
            node.get("wait")
                .and_then(|wait| wait.get("event"))
                .map(event_names),
        ),
        "split" => node.get("split").map_or(StepKind::Failed, |split| {
            let words = split.entries().iter().map(|arm| arm.key.clone());
            StepKind::Split(Arc::new(PickList {
                words: words.collect(),
                is_ordered: false,
            }))
        }),
        _ => StepKind::Silent,
    }
}

/// The names of one or several events, unchecked.
pub(crate) fn event_names(node: &Node) -> Vec<Box<str>> {
    let names = one_or_more(node).iter().filter_map(Node::scalar);
    names.map(|scalar| scalar.text.clone()).collect()
}
