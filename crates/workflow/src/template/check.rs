//! All locales of one template, checked at one place where it is used.

use super::file::Parsed;
use super::walk::{Gathered, Walk, around};
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::expression::Scope;
use crate::program::{Expr, Read, Template};
use std::collections::BTreeSet;

/// Checks all locales of one template at one place where it is used. `known` is what surely is known there
/// ([`crate::expression::known_when_true`], the date of `at`). The template, and what any of its locales reads
/// there, is given when there is no error.
/// A template used in several places is checked in each: equal diagnostics are to be said once.
pub fn check(
    locales: &[&Parsed],
    scope: &Scope,
    known: &[Expr],
    default_locale: &str,
) -> (Option<(Template, Vec<Read>)>, Vec<Diagnostic>) {
    let mut found = Vec::new();
    let mut reads: Vec<(&Parsed, Vec<Read>)> = Vec::new();
    for parsed in locales {
        let mut gathered = Gathered::default();
        for part in &parsed.parts {
            Walk::new(&parsed.file, part, around(scope, known), &mut gathered).run();
        }
        found.append(&mut gathered.found);
        reads.push((parsed, gathered.reads));
    }
    found.extend(without_default(locales, default_locale));
    let has_error = found
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    if has_error || locales.is_empty() {
        return (None, found);
    }
    found.extend(differing(&reads, default_locale));
    let mut all: Vec<Read> = Vec::new();
    for read in reads.into_iter().flat_map(|(_, reads)| reads) {
        match all.iter_mut().find(|known| known.path == read.path) {
            None => all.push(read),
            Some(known) => {
                let items = read.items.into_iter();
                let new = items.filter(|item| known.items.iter().all(|one| one.path != item.path));
                let new: Vec<Read> = new.collect();
                known.items.extend(new);
            }
        }
    }
    for read in &mut all {
        read.items.sort_by(|one, two| one.path.cmp(&two.path));
    }
    all.sort_by(|one, two| one.path.cmp(&two.path));
    let texts = locales
        .iter()
        .map(|parsed| (parsed.text.locale.clone(), parsed.text.clone()));
    let template = Template {
        texts: texts.collect(),
    };
    (Some((template, all)), found)
}

/// Whether a locale, or its language alone, is the default.
fn is_default(locale: &str, default: &str) -> bool {
    locale == default || default.split('-').next() == Some(locale)
}

fn without_default(locales: &[&Parsed], default: &str) -> Option<Diagnostic> {
    let first = locales.first()?;
    let is_there = locales
        .iter()
        .any(|parsed| is_default(&parsed.text.locale, default));
    let name = &first.text.name;
    (!is_there).then(|| Diagnostic {
        code: "E705",
        severity: Severity::Error,
        message: format!("`{name}` has no text in `{default}`, the default locale"),
        help: Some(format!("add `{name}.{default}.hbs`")),
        file: first.file.clone(),
        span: Span { start: 0, end: 0 },
    })
}

/// Locales that use other variables than the default one: a translation may have been forgotten.
fn differing(reads: &[(&Parsed, Vec<Read>)], default: &str) -> Vec<Diagnostic> {
    let paths = |reads: &[Read]| -> BTreeSet<String> {
        reads.iter().map(|read| read.path.join(".")).collect()
    };
    let Some((base, base_reads)) = reads
        .iter()
        .find(|(parsed, _)| is_default(&parsed.text.locale, default))
    else {
        return Vec::new();
    };
    let expected = paths(base_reads);
    let mut found = Vec::new();
    for (parsed, reads) in reads {
        let used = paths(reads);
        let said = |names: Vec<&String>, without: &str, with: &str| {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!(
                "`{without}` does not use {}, which `{with}` uses",
                names.join(", ")
            )
        };
        let (own, other) = (&parsed.text.locale, &base.text.locale);
        let lacks: Vec<&String> = expected.difference(&used).collect();
        let adds: Vec<&String> = used.difference(&expected).collect();
        let message = match (lacks.is_empty(), adds.is_empty()) {
            (true, true) => continue,
            (false, _) => said(lacks, own, other),
            (true, false) => said(adds, other, own),
        };
        found.push(Diagnostic {
            code: "W706",
            severity: Severity::Warning,
            message,
            help: Some("a translation may lack a change".to_owned()),
            file: parsed.file.clone(),
            span: Span { start: 0, end: 0 },
        });
    }
    found
}
