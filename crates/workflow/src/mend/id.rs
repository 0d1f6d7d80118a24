//! Ids: a name for a step that has none, made of what it does.

use super::Edit;
use crate::diagnostic::{Diagnostic, Span};
use crate::yaml::{Entry, Node, NodeKind, parse};
use std::collections::{BTreeMap, BTreeSet};

/// The longest id that is made up.
const ID_BYTES_MAX: usize = 40;

/// The ids that are taken, by file.
#[derive(Default)]
pub(super) struct Ids {
    taken: BTreeMap<Box<str>, BTreeSet<String>>,
}

impl Ids {
    /// The edit that gives the step its id, in front of its verb.
    pub(super) fn edit(&mut self, diagnostic: &Diagnostic, text: &str) -> Option<Edit> {
        let root = parse(text).root?;
        let step = step_at(&root, diagnostic.span)?;
        let first = step.first()?;
        let verb = step
            .iter()
            .find(|entry| entry.key_span == diagnostic.span)?;
        let taken = self
            .taken
            .entry(diagnostic.file.clone())
            .or_insert_with(|| taken(&root));
        let id = free(taken, &name(verb));
        taken.insert(id.clone());
        let at = verb.key_span.start;
        let before = text.get(..first.key_span.start)?.trim_end();
        let text = match before.ends_with('{') {
            true => format!("id: {id}, "),
            false => format!("id: {id}{}", new_line(text, at)?),
        };
        Some(Edit {
            file: diagnostic.file.clone(),
            span: Span { start: at, end: at },
            text,
        })
    }
}

/// The end of a line as this file has it, and the blanks before the key at `at`, so that the next key stands under it.
fn new_line(text: &str, at: usize) -> Option<String> {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let before = text.get(start..at)?;
    let is_plain = before.chars().all(|letter| matches!(letter, ' ' | '-'));
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    is_plain.then(|| format!("{ending}{}", " ".repeat(before.len())))
}

/// The map that has a key at this place.
fn step_at(node: &Node, key: Span) -> Option<&[Entry]> {
    match &node.kind {
        NodeKind::Map(entries) => {
            if entries.iter().any(|entry| entry.key_span == key) {
                return Some(entries);
            }
            entries.iter().find_map(|entry| step_at(&entry.value, key))
        }
        NodeKind::List(items) => items.iter().find_map(|item| step_at(item, key)),
        NodeKind::Scalar(_) | NodeKind::Broken => None,
    }
}

/// All that is an id, or could serve as one.
fn taken(node: &Node) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut left = vec![node];
    while let Some(node) = left.pop() {
        if let NodeKind::List(items) = &node.kind {
            left.extend(items);
        }
        for entry in node.entries() {
            let is_id = matches!(&*entry.key, "id" | "send" | "template");
            if let Some(scalar) = entry.value.scalar().filter(|_| is_id) {
                found.insert(scalar.text.to_string());
            }
            left.push(&entry.value);
        }
    }
    found
}

/// What the step does, in letters that an id may have.
fn name(verb: &Entry) -> String {
    let said = match &verb.value.kind {
        NodeKind::Scalar(scalar) if &*verb.key != "wait" => slug(&scalar.text),
        NodeKind::Map(entries) if matches!(&*verb.key, "set" | "split") => {
            let first = entries.first();
            first.map_or_else(String::new, |entry| slug(&entry.key))
        }
        NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::List(_) | NodeKind::Broken => {
            String::new()
        }
    };
    let verb = match &*verb.key {
        "then" => "if",
        verb => verb,
    };
    match (verb, said.is_empty()) {
        (_, true) => verb.to_owned(),
        ("task", false) => said,
        (_, false) => format!("{verb}-{said}"),
    }
}

fn slug(text: &str) -> String {
    let letters = text.chars().map(|letter| match letter {
        letter if letter.is_ascii_alphanumeric() => letter.to_ascii_lowercase(),
        _ => '-',
    });
    let dashed: String = letters.collect();
    let words = dashed.split('-').filter(|word| !word.is_empty());
    let mut slug = String::new();
    for word in words {
        if slug.len() + word.len() >= ID_BYTES_MAX {
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(word);
    }
    match slug.starts_with(|letter: char| letter.is_ascii_lowercase()) {
        true => slug,
        false => String::new(),
    }
}

fn free(taken: &BTreeSet<String>, name: &str) -> String {
    if !taken.contains(name) {
        return name.to_owned();
    }
    let mut numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut found = numbered.find(|id| !taken.contains(id));
    found.take().unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::{Edit, applied};
    use super::*;
    use crate::diagnostic::Severity;

    fn check(text: &str, verbs: &[&str], expected: &str) {
        let mut ids = Ids::default();
        let mut edits: Vec<Edit> = Vec::new();
        for verb in verbs {
            let start = text.find(verb).expect("the verb is there");
            let end = start + verb.find(':').unwrap_or(verb.len());
            let diagnostic = Diagnostic {
                code: "E107",
                severity: Severity::Error,
                message: String::new(),
                help: None,
                file: "a.yaml".into(),
                span: Span { start, end },
            };
            edits.extend(ids.edit(&diagnostic, text));
        }
        assert_eq!(applied(text, &edits), expected);
    }

    #[test]
    fn a_step_gets_an_id_in_the_form_of_its_file() {
        check(
            "steps:\n  - task: Call them now\n    assignee: csm\n",
            &["task"],
            "steps:\n  - id: call-them-now\n    task: Call them now\n    assignee: csm\n",
        );
        check(
            "steps: [{if: x, task: 電話, assignee: csm}]\n",
            &["task"],
            "steps: [{if: x, id: task, task: 電話, assignee: csm}]\n",
        );
        check(
            "steps:\r\n  - if: x\r\n    alert: csm\r\n",
            &["alert"],
            "steps:\r\n  - if: x\r\n    id: alert-csm\r\n    alert: csm\r\n",
        );
    }

    #[test]
    fn an_id_is_never_given_twice() {
        check(
            "steps:\n- id: wait\n  stop: x\n- wait: 3d\n- wait: 4d\n",
            &["wait: 3d", "wait: 4d"],
            "steps:\n- id: wait\n  stop: x\n- id: wait-2\n  wait: 3d\n- id: wait-3\n  wait: 4d\n",
        );
    }
}
