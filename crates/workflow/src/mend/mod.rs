//! Mending: the mistakes that have one sure answer, answered; nothing else of a file is touched.

mod diff;
mod id;
mod rename;

pub use diff::diff;

use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::{Files, check, yaml};

/// A change of one place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Path inside DIR.
    pub file: Box<str>,
    /// What goes; empty: something is put in.
    pub span: Span,
    /// What comes.
    pub text: String,
}

/// What mending a workspace gives.
#[derive(Debug, Default)]
pub struct Mended {
    /// What was changed, by file and place, in bytes of the text before.
    pub edits: Vec<Edit>,
    /// The files that changed, as they are now.
    pub files: Files,
}

/// Mends what `check` found in `files`: writes missing ids (E107) and renames what has one name it can have meant.
/// An edit stays only if its file still reads and its own mistake is gone.
pub fn mend(files: &Files, diagnostics: &[Diagnostic]) -> Mended {
    let tried = readable(files, proposed(files, diagnostics));
    let left = check(&overlaid(files, &with(files, &tried))).diagnostics;
    let took = |edit: &&Edit| !remains(edit, &edits_of(&tried, &edit.file), &left);
    let edits = readable(files, tried.iter().filter(took).cloned().collect());
    Mended {
        files: with(files, &edits),
        edits,
    }
}

/// One edit for each mistake that has a sure answer, by file and place, none over another.
fn proposed(files: &Files, diagnostics: &[Diagnostic]) -> Vec<Edit> {
    let mut ids = id::Ids::default();
    let mut edits: Vec<Edit> = Vec::new();
    let errors = diagnostics
        .iter()
        .filter(|one| one.severity == Severity::Error);
    for diagnostic in errors {
        let Some(text) = files.get(&diagnostic.file) else {
            continue;
        };
        let edit = match diagnostic.code {
            "E107" => ids.edit(diagnostic, text),
            _ => rename::edit(diagnostic, text),
        };
        edits.extend(edit);
    }
    edits.sort_by(|one, two| (&one.file, one.span).cmp(&(&two.file, two.span)));
    edits.dedup();
    let mut apart: Vec<Edit> = Vec::new();
    for edit in edits {
        let is_apart = apart.last().is_none_or(|before| {
            before.file != edit.file
                || before.span.end < edit.span.start
                || (before.span.end == edit.span.start && before.span.start < edit.span.start)
        });
        if is_apart {
            apart.push(edit);
        }
    }
    apart
}

/// Only edits after which their files read as well as before.
fn readable(files: &Files, edits: Vec<Edit>) -> Vec<Edit> {
    let mut kept: Vec<Edit> = Vec::new();
    for file in files.keys() {
        let own = edits_of(&edits, file);
        if own.is_empty() {
            continue;
        }
        let text = &files[file];
        let before = refusals(file, text);
        if refusals(file, &applied(text, &own)) <= before {
            kept.extend(own);
            continue;
        }
        let mut good: Vec<Edit> = Vec::new();
        for edit in own {
            good.push(edit);
            if refusals(file, &applied(text, &good)) > before {
                good.pop();
            }
        }
        kept.extend(good);
    }
    kept
}

fn refusals(file: &str, text: &str) -> usize {
    match file.ends_with(".hbs") {
        true => 0,
        false => yaml::parse(text).refusals.len(),
    }
}

fn edits_of(edits: &[Edit], file: &str) -> Vec<Edit> {
    let own = edits.iter().filter(|edit| *edit.file == *file);
    own.cloned().collect()
}

/// Whether an error is left where the edit was made.
fn remains(edit: &Edit, all: &[Edit], left: &[Diagnostic]) -> bool {
    let mut start = edit.span.start;
    for before in all.iter().filter(|other| other.span < edit.span) {
        start = start + before.text.len() + before.span.start - before.span.end;
    }
    let end = start + edit.text.len();
    left.iter().any(|one| {
        let is_here = one.span.start < end && one.span.end > start;
        one.severity == Severity::Error && one.file == edit.file && is_here && is_of_names(one.code)
    })
}

/// Codes of keys and names; what else is wrong at the place was hidden by the misspelt word.
fn is_of_names(code: &str) -> bool {
    let kinds = ["E1", "E2", "E304", "E7"];
    kinds.iter().any(|kind| code.starts_with(kind))
}

fn with(files: &Files, edits: &[Edit]) -> Files {
    let mut changed = Files::new();
    for (file, text) in files {
        let own = edits_of(edits, file);
        if !own.is_empty() {
            changed.insert(file.clone(), applied(text, &own).into());
        }
    }
    changed
}

fn overlaid(files: &Files, changed: &Files) -> Files {
    let mut all = files.clone();
    all.extend(
        changed
            .iter()
            .map(|(file, text)| (file.clone(), text.clone())),
    );
    all
}

/// The text with its edits made; they are in order and apart.
fn applied(text: &str, edits: &[Edit]) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut from = 0;
    for edit in edits {
        out.push_str(text.get(from..edit.span.start).unwrap_or(""));
        out.push_str(&edit.text);
        from = edit.span.end;
    }
    out.push_str(text.get(from..).unwrap_or(""));
    out
}
