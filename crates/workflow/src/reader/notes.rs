//! Notes: the mistakes found so far.

use crate::diagnostic::{Diagnostic, Severity, Span};

/// The mistakes found so far, and the file that is being read.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Path inside DIR of the file being read.
    pub(crate) file: Box<str>,
    list: Vec<Diagnostic>,
    errors: usize,
}

impl Notes {
    /// Goes on with another file.
    pub(crate) fn open(&mut self, file: &str) {
        if *self.file != *file {
            self.file = file.into();
        }
    }

    /// An error.
    pub(crate) fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.add(code, Severity::Error, span, message.into(), None);
    }

    /// An error, with what to write instead.
    pub(crate) fn error_help(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        self.add(code, Severity::Error, span, message.into(), help.into());
    }

    /// A warning, with what to do about it.
    pub(crate) fn warn(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        self.add(code, Severity::Warning, span, message.into(), help.into());
    }

    /// A name that nobody asks for.
    pub(crate) fn unused(&mut self, name: &str, span: Span) {
        let message = format!("`{name}` is never used");
        self.warn("W607", span, message, "use it, or take it out".to_owned());
    }

    pub(super) fn add(
        &mut self,
        code: &'static str,
        severity: Severity,
        span: Span,
        message: String,
        help: Option<String>,
    ) {
        self.take(Diagnostic {
            code,
            severity,
            message,
            help,
            file: self.file.clone(),
            span,
        });
    }

    /// Takes over a diagnostic made elsewhere.
    pub(crate) fn take(&mut self, diagnostic: Diagnostic) {
        if diagnostic.severity == Severity::Error {
            self.errors += 1;
        }
        self.list.push(diagnostic);
    }

    /// How many errors there are: unchanged over a piece of reading means that it went well.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// All of them, by file, place and code; equal ones once.
    pub(crate) fn sorted(self) -> Vec<Diagnostic> {
        let mut list = self.list;
        let key = |d: &Diagnostic| (d.file.clone(), d.span, d.code, d.message.clone());
        list.sort_by_cached_key(key);
        list.dedup();
        list
    }
}
