//! A YAML file as a tree that knows where everything stands.

mod line;
mod offset;
mod parse;
mod refusal;

pub(crate) use offset::Offsets;
pub(crate) use parse::parse;

use crate::diagnostic::Span;

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Where it stands; for a map or a list from its first to its last child.
    pub(crate) span: Span,
    /// What it is.
    pub(crate) kind: NodeKind,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    /// A word, a number, a sentence.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A map.
    Map(Vec<Entry>),
    /// Something that was refused already: nothing more is said about it.
    Broken,
}

/// A scalar as it reads after quotes, escapes and folds.
#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    /// The decoded text.
    pub(crate) text: Box<str>,
    /// Whether it stands without quotes, on its own.
    pub(crate) is_plain: bool,
    /// From decoded bytes to bytes of the file.
    pub(crate) offsets: Offsets,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: Box<str>,
    /// Where the key stands.
    pub(crate) key_span: Span,
    /// Its value.
    pub(crate) value: Node,
}

impl Node {
    /// The scalar, if it is one.
    pub(crate) fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            NodeKind::Scalar(scalar) => Some(scalar),
            NodeKind::List(_) | NodeKind::Map(_) | NodeKind::Broken => None,
        }
    }

    /// Whether nothing stands there (`key:` alone, `~` or `null`).
    pub(crate) fn is_null(&self) -> bool {
        self.scalar().is_some_and(|scalar| {
            scalar.is_plain && matches!(&*scalar.text, "" | "~" | "null" | "Null" | "NULL")
        })
    }

    /// The map's entries; empty for anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.kind {
            NodeKind::Map(entries) => entries,
            NodeKind::Scalar(_) | NodeKind::List(_) | NodeKind::Broken => &[],
        }
    }

    /// The value of a key of this map.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find(|entry| &*entry.key == key)
            .map(|entry| &entry.value)
    }

    /// What it is, in words for people.
    pub(crate) fn kind_word(&self) -> &'static str {
        match &self.kind {
            NodeKind::Scalar(_) if self.is_null() => "nothing",
            NodeKind::Scalar(_) => "a single value",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a map",
            NodeKind::Broken => "something refused",
        }
    }
}
