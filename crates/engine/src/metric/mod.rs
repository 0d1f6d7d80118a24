//! Metric states: what is kept of events so that every metric has its value at once.

use crate::stored::stored_struct;

/// The small states, in the head.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {}
stored_struct!(Metrics {});

/// Distinct values, in the part `sets`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sets {}
stored_struct!(Sets {});

impl Sets {
    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        true
    }
}
