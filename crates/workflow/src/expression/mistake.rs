//! What is wrong with an expression, and where.

use std::ops::Range;

/// One mistake in an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// For example `E302`.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Where: bytes of the expression's own (decoded) text.
    pub at: Range<usize>,
}

impl Mistake {
    /// A mistake without advice.
    pub fn new(code: &'static str, at: &Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            help: None,
            at: at.clone(),
        }
    }

    /// The same, with what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
