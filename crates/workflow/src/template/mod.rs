//! Templates: front matter and Handlebars, checked against a scope; what they read.

use crate::diagnostic::Diagnostic;
use crate::expression::Scope;
use crate::program::{Expr, Template};
use model::TemplateText;

/// One template file, read: what can be said without a scope has been said.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// Path inside DIR, as given.
    pub file: Box<str>,
    /// The text, its front matter taken apart.
    pub text: TemplateText,
}

/// Reads one template file. The name and locale come from the file name, `name.locale.hbs`. With an error (a
/// limit, a partial, raw output, an unknown helper, a wrong front matter) there is no template.
pub fn parse(file: &str, text: &str) -> (Option<Parsed>, Vec<Diagnostic>) {
    let nothing = (file, text);
    let _ = nothing;
    (None, Vec::new())
}

/// Checks all locales of one template at one place where it is used. `known` is what surely is known there
/// ([`crate::expression::known_when_true`], the date of `at`). The template is given when there is no error.
/// A template used in several places is checked in each: equal diagnostics are to be said once.
pub fn check(
    locales: &[&Parsed],
    scope: &Scope,
    known: &[Expr],
    default_locale: &str,
) -> (Option<Template>, Vec<Diagnostic>) {
    let nothing = (locales, scope, known, default_locale);
    let _ = nothing;
    (None, Vec::new())
}
