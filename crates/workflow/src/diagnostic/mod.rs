//! Diagnostics: what a rule author wrote wrong, where, and what to write instead.

mod frame;
mod page;
mod place;
mod sarif;
mod suggest;

pub use frame::frames;
pub use page::{Example, Page, page, pages};
pub use place::to_json;
pub use sarif::to_sarif;
pub use suggest::meant;
pub(crate) use suggest::{Alike, Typed, nearest, nearest_of};

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The workspace can't be used.
    Error,
    /// The workflow is set aside: it uses what is still to come (E900).
    NotYet,
    /// It can be used, but look here.
    Warning,
}

/// A place in a file: bytes, half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Past the last byte.
    pub end: usize,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// For example `E402`.
    pub code: &'static str,
    /// How bad.
    pub severity: Severity,
    /// A sentence.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Path inside DIR.
    pub file: Box<str>,
    /// Where.
    pub span: Span,
}

impl Severity {
    /// The word in front of a code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::NotYet => "note",
            Self::Warning => "warning",
        }
    }
}
