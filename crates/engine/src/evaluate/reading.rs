//! What an expression gives: known, at least so much, or unknown.

use model::{Decimal, Value};

/// The reading of an expression at one instant.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Known.
    Known(Value),
    /// A number that more facts could only raise: a count whose window is not covered.
    AtLeast(Decimal),
    /// A `latest` or `earliest` not seen in a window that is not covered: even whether it exists is unknown.
    Unseen,
    /// Unknown.
    Unknown,
}

impl Reading {
    /// The value, where it is known whole.
    pub fn value(self) -> Option<Value> {
        match self {
            Self::Known(value) => Some(value),
            Self::AtLeast(_) | Self::Unseen | Self::Unknown => None,
        }
    }

    /// Whether it is true; none: unknown.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Self::Known(Value::Bool(yes)) => Some(*yes),
            Self::Known(_) | Self::AtLeast(_) | Self::Unseen | Self::Unknown => None,
        }
    }

    /// The reading of a truth that may be unknown.
    pub(crate) fn of_truth(truth: Option<bool>) -> Self {
        truth.map_or(Self::Unknown, |yes| Self::Known(Value::Bool(yes)))
    }

    /// The reading of a value that may be unknown.
    pub(crate) fn of_value(value: Option<Value>) -> Self {
        value.map_or(Self::Unknown, Self::Known)
    }
}
