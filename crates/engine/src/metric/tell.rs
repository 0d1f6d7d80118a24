//! What one event tells the metrics.

use super::distinct::Sets;
use super::plan::Plan;
use super::tally::Metrics;
use crate::evaluate::Scene;
use jiff::Timestamp;

/// What one event tells one basis.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The basis.
    pub basis: Box<str>,
    /// Whether the basis counts different values, so that [`Told::fold`] needs the part `sets`.
    pub needs_sets: bool,
}

/// What an event of type `kind` that happened at `at` tells; its fields are the scene's event.
pub fn tell(_scene: &Scene<'_>, _plan: &Plan, _kind: &str, _at: Timestamp) -> Vec<Told> {
    Vec::new()
}

impl Told {
    /// Folds it in; gives whether anything changed.
    pub fn fold(&self, _metrics: &mut Metrics, _sets: &mut Sets) -> bool {
        false
    }

    /// Takes it out again: counts and sums of its day (a message that expired).
    pub fn retract(&self, _metrics: &mut Metrics) -> bool {
        false
    }
}
