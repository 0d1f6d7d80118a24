//! Sorting: which file holds what.

use crate::Files;
use crate::diagnostic::{Span, nearest};
use crate::reader::named::Found;
use crate::reader::{Notes, calendar, notation};
use crate::yaml::{Node, NodeKind, parse};
use std::collections::BTreeMap;

/// The most files of a workspace.
pub(crate) const FILES_MAX: usize = 10_000;

/// Keys of definitions files.
pub(crate) const DEFINITION_KEYS: [&str; 21] = [
    "entities",
    "events",
    "metrics",
    "segments",
    "labels",
    "health",
    "risks",
    "complete_since",
    "calendar",
    "topics",
    "limits",
    "over_limit",
    "delay_at_most",
    "spread",
    "digest",
    "holdout",
    "defaults",
    "sender",
    "routes",
    "webhooks",
    "sources",
];

/// A YAML file that was read.
pub(crate) struct Tree<'f> {
    /// Path inside DIR.
    pub(crate) file: &'f str,
    /// What it holds.
    pub(crate) root: Node,
}

/// Reads every YAML file under `workflows/`. False: some file could not be read to its end, so nobody knows which
/// names exist.
pub(crate) fn trees<'f>(notes: &mut Notes, files: &'f Files) -> (Vec<Tree<'f>>, bool) {
    let mut trees = Vec::new();
    let mut is_whole = true;
    for (file, text) in files.iter().take(FILES_MAX) {
        let is_yaml = file.ends_with(".yaml") || file.ends_with(".yml");
        if !file.starts_with("workflows/") || !is_yaml {
            continue;
        }
        notes.open(file);
        let parsed = parse(text);
        is_whole &= parsed.is_whole;
        for refusal in parsed.refusals {
            notes.error_help("E106", refusal.span, refusal.message, refusal.help);
        }
        if let Some(root) = parsed.root {
            trees.push(Tree { file, root });
        }
    }
    if files.len() > FILES_MAX {
        let message = format!("a workspace holds at most {FILES_MAX} files");
        notes.error("E106", Span { start: 0, end: 0 }, message);
        is_whole = false;
    }
    (trees, is_whole)
}

/// The files of a workspace by what they hold.
#[derive(Default)]
pub(crate) struct Sorted<'a> {
    /// Top-level keys of definitions files, in order of file and place.
    pub(crate) definitions: BTreeMap<&'a str, Vec<Found<'a>>>,
    /// Workflows.
    pub(crate) workflows: Vec<&'a Tree<'a>>,
    /// Tests.
    pub(crate) tests: Vec<&'a Tree<'a>>,
    /// The file that the calendar names.
    pub(crate) holidays: Option<&'a Tree<'a>>,
}

impl<'a> Sorted<'a> {
    /// What stands under a top-level key, everywhere.
    pub(crate) fn all(&self, key: &str) -> &[Found<'a>] {
        self.definitions.get(key).map_or(&[], Vec::as_slice)
    }

    /// What stands under a key that may be there once; E105 for each further one.
    pub(crate) fn one(&self, notes: &mut Notes, key: &str) -> Option<Found<'a>> {
        let (first, others) = self.all(key).split_first()?;
        for other in others {
            notes.open(other.file);
            let help = format!("it is in {} already", first.file);
            notes.error_help(
                "E105",
                other.key_span,
                format!("`{key}` is defined twice"),
                help,
            );
        }
        notes.open(first.file);
        Some(*first)
    }
}

/// Sorts the files; keys that belong nowhere are E101.
pub(crate) fn sort<'a>(notes: &mut Notes, trees: &'a [Tree<'a>]) -> Sorted<'a> {
    let mut sorted = Sorted::default();
    let named = trees
        .iter()
        .find_map(|tree| calendar::holidays_path(tree.root.get("calendar")?));
    let holidays = named.map(|path| format!("workflows/{path}"));
    for tree in trees {
        notes.open(tree.file);
        let root = &tree.root;
        if holidays.as_deref() == Some(tree.file) {
            sorted.holidays = Some(tree);
        } else if root.get("workflow").is_some() {
            sorted.workflows.push(tree);
        } else if is_test(tree) {
            sorted.tests.push(tree);
        } else if let NodeKind::Map(entries) = &root.kind {
            let is_days = |key: &str| notation::parse_date(key).is_some();
            if !entries.is_empty() && entries.iter().all(|entry| is_days(&entry.key)) {
                // Holidays that no calendar names at present.
                continue;
            }
            definitions(notes, tree, &mut sorted);
        } else if !root.is_null() {
            let message = format!(
                "a file is a map of keys and values, but this is {}",
                root.kind_word()
            );
            notes.error("E103", root.span, message);
        }
    }
    sorted
}

fn is_test(tree: &Tree<'_>) -> bool {
    let has = |key| tree.root.get(key).is_some();
    tree.file.ends_with(".test.yaml")
        || tree.file.ends_with(".test.yml")
        || has("tests")
        || has("accounts")
}

fn definitions<'a>(notes: &mut Notes, tree: &'a Tree<'a>, sorted: &mut Sorted<'a>) {
    let has = |key| tree.root.get(key).is_some();
    if has("steps") || has("start") {
        let span = tree
            .root
            .entries()
            .first()
            .map_or(tree.root.span, |entry| entry.key_span);
        let help = "begin with `workflow: its-name`";
        notes.error_help(
            "E102",
            span,
            "`workflow` is missing: a workflow needs its name",
            help.to_owned(),
        );
        return;
    }
    for entry in tree.root.entries() {
        let is_known = DEFINITION_KEYS.contains(&&*entry.key);
        if !is_known {
            unknown(notes, &entry.key, entry.key_span);
            continue;
        }
        if entry.value.is_null() {
            let message = format!("`{}` has no value", entry.key);
            notes.error("E103", entry.key_span, message);
            continue;
        }
        let found = Found {
            file: tree.file,
            key_span: entry.key_span,
            node: &entry.value,
        };
        sorted
            .definitions
            .entry(&entry.key)
            .or_default()
            .push(found);
    }
}

fn unknown(notes: &mut Notes, key: &str, span: Span) {
    let known = DEFINITION_KEYS
        .into_iter()
        .chain(["workflow", "accounts", "tests"]);
    let help = nearest(key, known).map(|near| format!("did you mean `{near}`?"));
    let message = format!(
        "a file of definitions has no key `{}`",
        crate::reader::value::short(key)
    );
    notes.error_help("E101", span, message, help);
}
