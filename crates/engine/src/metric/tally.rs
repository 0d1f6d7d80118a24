//! What an account keeps of the events of one basis.

use super::coverage::Coverage;
use crate::stored::stored_struct;
use std::collections::BTreeMap;

/// The small metric states. A part of the head.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// What is kept of events, by basis.
    pub tallies: BTreeMap<Box<str>, Tally>,
    /// Since when absence proves something.
    pub coverage: Coverage,
}
stored_struct!(Metrics { tallies, coverage });

/// What is kept of the events of one basis. Small.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {}
stored_struct!(Tally {});
