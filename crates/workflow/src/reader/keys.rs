//! Keys: a map of which every key is known.

use super::Notes;
use super::value::short;
use crate::diagnostic::{Span, nearest};
use crate::yaml::{Node, NodeKind};

/// A map whose keys were looked at.
#[derive(Clone, Debug)]
pub(crate) struct Keys<'n> {
    /// What it is, for messages: `a workflow`.
    pub(crate) what: &'static str,
    node: &'n Node,
    /// Known keys that unknown ones are near to.
    meant: Vec<&'static str>,
}

impl<'n> Keys<'n> {
    /// Takes a map with some of the keys `known`; E103 if it is none, E101 for every other key.
    pub(crate) fn of(
        notes: &mut Notes,
        node: &'n Node,
        what: &'static str,
        known: &[&'static str],
    ) -> Option<Self> {
        if !is_map(notes, node, what) {
            return None;
        }
        let mut meant = Vec::new();
        for entry in node.entries() {
            if known.contains(&&*entry.key) {
                continue;
            }
            let near = nearest(&entry.key, known.iter().copied());
            let is_meant = |key: &&str| near.as_ref().is_some_and(|near| near.has(key));
            meant.extend(known.iter().copied().filter(|key| is_meant(key)));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            let message = format!("{what} has no key `{}`", short(&entry.key));
            notes.error_help("E101", entry.key_span, message, help);
        }
        Some(Self { what, node, meant })
    }

    /// The value of a key, if there is one; E103 if it was left empty.
    pub(crate) fn get(&self, notes: &mut Notes, key: &str) -> Option<&'n Node> {
        let entry = self
            .node
            .entries()
            .iter()
            .find(|entry| &*entry.key == key)?;
        if matches!(entry.value.kind, NodeKind::Broken) {
            return None;
        }
        if entry.value.is_null() {
            let message = format!("`{key}` has no value");
            notes.error_help("E103", entry.key_span, message, help_of_empty(key));
            return None;
        }
        Some(&entry.value)
    }

    /// The value of a key that must be there; E102 if it is not.
    pub(crate) fn need(&self, notes: &mut Notes, key: &str) -> Option<&'n Node> {
        if !self.has(key) && !self.is_misspelt(key) {
            let message = format!("`{key}` is missing: {} needs it", self.what);
            notes.error("E102", self.place(), message);
        }
        self.get(notes, key)
    }

    /// Whether the key is written, whatever its value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.node.entries().iter().any(|entry| &*entry.key == key)
    }

    /// Whether an unknown key stands there that is meant for this one: that was told, which is enough.
    pub(crate) fn is_misspelt(&self, key: &str) -> bool {
        self.meant.contains(&key)
    }

    /// Where the key stands.
    pub(crate) fn span_of(&self, key: &str) -> Option<Span> {
        let mut entries = self.node.entries().iter();
        entries
            .find(|entry| &*entry.key == key)
            .map(|entry| entry.key_span)
    }

    /// Where the map begins: its first key.
    pub(crate) fn place(&self) -> Span {
        let first = self.node.entries().first();
        first.map_or(self.node.span, |entry| entry.key_span)
    }
}

fn help_of_empty(key: &str) -> Option<String> {
    Some(format!("write one, or take `{key}:` out"))
}

/// Whether the node is a map; E103 if not.
pub(crate) fn is_map(notes: &mut Notes, node: &Node, what: &str) -> bool {
    match &node.kind {
        NodeKind::Map(_) => true,
        NodeKind::Broken => false,
        NodeKind::Scalar(_) | NodeKind::List(_) => {
            let message = format!(
                "{what} is a map of keys and values, but this is {}",
                node.kind_word()
            );
            notes.error("E103", node.span, message);
            false
        }
    }
}

/// The items of a list; E103 and nothing if it is none.
pub(crate) fn items<'n>(notes: &mut Notes, node: &'n Node, what: &str) -> Option<&'n [Node]> {
    match &node.kind {
        NodeKind::List(items) => Some(items),
        NodeKind::Broken => None,
        NodeKind::Scalar(_) | NodeKind::Map(_) => {
            let message = format!("{what} is a list, but this is {}", node.kind_word());
            notes.error("E103", node.span, message);
            None
        }
    }
}

/// One value or a list of them.
pub(crate) fn one_or_more(node: &Node) -> &[Node] {
    match &node.kind {
        NodeKind::List(items) => items,
        NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::Broken => std::slice::from_ref(node),
    }
}
