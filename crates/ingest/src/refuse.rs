//! Refusals: of one fact, which is parked, and of a whole body, of which nothing is taken.

use model::{ParkCode, Parked};
use thiserror::Error;

/// One fact that was not taken, with its own text so that it can be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which of the body's facts, from 0.
    pub index: usize,
    /// Why.
    pub parked: Parked,
    /// The fact as it came.
    pub raw: Box<str>,
    /// Where in `raw`, in characters from 1.
    pub column: usize,
}

/// A body that cannot be read at all: nothing of it was taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// Not UTF-8.
    #[error("the body is not UTF-8 from byte {at} on")]
    NotUtf8 {
        /// The first byte that is not.
        at: usize,
    },
    /// Not JSON.
    #[error("line {line}, column {column}: not JSON: {what}")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
        /// What is wrong.
        what: Box<str>,
    },
    /// JSON, but not the shape that the content type promises.
    #[error("the body is not {expected}")]
    WrongShape {
        /// What was expected.
        expected: &'static str,
    },
}

impl Unreadable {
    pub(crate) fn json(error: &serde_json::Error, line: usize) -> Self {
        // A line of NDJSON is parsed by itself: its own number counts from the first line of the body.
        Self::NotJson {
            line: line + error.line().saturating_sub(1),
            column: error.column(),
            what: words(error),
        }
    }

    /// The same, of a text that is line `number` of its body.
    pub(crate) fn on_line(self, number: usize) -> Self {
        match self {
            Self::NotJson { line, column, what } => Self::NotJson {
                line: line + number - 1,
                column,
                what,
            },
            Self::NotUtf8 { .. } | Self::WrongShape { .. } => self,
        }
    }
}

/// The parser's words without its own "at line 1 column 2".
pub(crate) fn words(error: &serde_json::Error) -> Box<str> {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().into()
}

/// A refusal in the making.
pub(crate) fn parked(code: ParkCode, field: Option<&str>, message: impl Into<Box<str>>) -> Parked {
    Parked {
        code,
        message: message.into(),
        field: field.map(Into::into),
    }
}
