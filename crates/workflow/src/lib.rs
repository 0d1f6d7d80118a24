//! YAML text to a checked program, with diagnostics; the expression language.
//!
//! Knows no clock, no file system, no SQL: text comes in, a [`Program`] or [`Diagnostic`]s go out.

mod check;
pub mod diagnostic;
pub mod expression;
pub mod file_kind;
pub mod mend;
pub mod program;
mod reader;
pub mod scenario;
pub mod template;
mod yaml;

pub use check::check;
pub use diagnostic::{Diagnostic, Severity, Span, meant};
pub use mend::mend;
pub use program::Program;
pub use scenario::Scenario;

use std::collections::BTreeMap;

/// The texts of a workspace by their path inside DIR, with `/`.
pub type Files = BTreeMap<Box<str>, Box<str>>;

/// What checking a workspace gives.
#[derive(Debug)]
pub struct Checked {
    /// The program, when there is no error.
    pub program: Option<Program>,
    /// Every mistake, in order of file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// Workflows set aside since they use what is still to come.
    pub not_yet: Vec<Box<str>>,
    /// The tests beside the workflows.
    pub scenarios: Vec<Scenario>,
}
