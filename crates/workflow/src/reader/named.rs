//! Named things: definitions gathered from all files, each name once.

use super::Notes;
use super::keys::is_map;
use super::value::check_name;
use crate::diagnostic::Span;
use crate::yaml::Node;
use std::collections::BTreeMap;

/// A top-level key of a definitions file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    /// The file.
    pub(crate) file: &'a str,
    /// Where the key stands.
    pub(crate) key_span: Span,
    /// Its value.
    pub(crate) node: &'a Node,
}

/// One named thing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// The file.
    pub(crate) file: &'a str,
    /// Where the name stands.
    pub(crate) span: Span,
    /// What it is.
    pub(crate) node: &'a Node,
}

/// Words that mean something already.
const TAKEN: [&str; 36] = [
    "account",
    "accounts",
    "all",
    "and",
    "any_open_risk",
    "contact",
    "contacts",
    "contains",
    "contract",
    "contracts",
    "csm",
    "descending",
    "else",
    "event",
    "false",
    "health",
    "in",
    "is",
    "known",
    "last",
    "next",
    "not",
    "open_risks",
    "or",
    "otherwise",
    "risk",
    "sort",
    "started_by",
    "steps",
    "this",
    "true",
    "unknown",
    "unsubscribe_url",
    "where",
    "_",
    "count",
];

/// All names under one top-level key in all files, sorted by name. A name that stands twice counts once (E105).
pub(crate) fn named<'a>(notes: &mut Notes, founds: &[Found<'a>], what: &str) -> Vec<Named<'a>> {
    let mut all: BTreeMap<&str, Named<'a>> = BTreeMap::new();
    for found in founds {
        notes.open(found.file);
        if !is_map(notes, found.node, what) {
            continue;
        }
        for entry in found.node.entries() {
            if !check_name(notes, &entry.key, entry.key_span) {
                continue;
            }
            if let Some(first) = all.get(&*entry.key) {
                let message = format!("`{}` is defined twice", entry.key);
                let help = format!("it is in {} already", first.file);
                notes.error_help("E105", entry.key_span, message, help);
                continue;
            }
            let named = Named {
                name: &entry.key,
                file: found.file,
                span: entry.key_span,
                node: &entry.value,
            };
            all.insert(&entry.key, named);
        }
    }
    all.into_values().collect()
}

/// Takes out the names of expressions that mean something already, or another thing (E105).
pub(crate) fn keep_own<'a>(
    notes: &mut Notes,
    list: Vec<Named<'a>>,
    taken: &mut BTreeMap<Box<str>, Box<str>>,
) -> Vec<Named<'a>> {
    list.into_iter()
        .filter(|named| {
            notes.open(named.file);
            let is_word = TAKEN.contains(&named.name);
            let before = taken.get(named.name);
            if is_word || before.is_some() {
                let message = format!("the name `{}` is taken", named.name);
                let help = before.map_or_else(
                    || "it means something in every expression already".to_owned(),
                    |file| format!("it is defined in {file} already"),
                );
                notes.error_help("E105", named.span, message, help);
                return false;
            }
            taken.insert(named.name.into(), named.file.into());
            true
        })
        .collect()
}

/// Whether a name means something in every expression.
pub(crate) fn is_word(name: &str) -> bool {
    TAKEN.contains(&name)
}
