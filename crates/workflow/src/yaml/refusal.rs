//! Refusals: what the language forbids in a file.

use crate::diagnostic::Span;

/// The most refusals listed for one file.
pub(crate) const REFUSALS_MAX: usize = 100;

/// Something the language forbids (always E106).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// A sentence.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) help: Option<String>,
    /// Where.
    pub(crate) span: Span,
}

/// One refusal.
pub(crate) fn refusal(span: Span, message: impl Into<String>, help: Option<&str>) -> Refusal {
    Refusal {
        message: message.into(),
        help: help.map(str::to_owned),
        span,
    }
}

/// The first tab of each line.
pub(crate) fn tabs(text: &str) -> Vec<Refusal> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some(at) = line.find('\t') {
            let span = Span {
                start: start + at,
                end: start + at + 1,
            };
            found.push(refusal(
                span,
                "a tab is not allowed here",
                Some("use spaces"),
            ));
        }
        start += line.len();
        if found.len() == REFUSALS_MAX {
            break;
        }
    }
    found
}
