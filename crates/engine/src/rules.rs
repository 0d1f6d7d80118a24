//! What is worked out of a program once, so that no decision does it again.

use crate::metric::Plan;
use workflow::Program;

/// What is worked out of a program once.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What must be kept of events.
    pub plan: Plan,
    /// The label whose changes are told, if there is one: `stage`.
    pub stage: Option<usize>,
}

impl Rules {
    /// Works a program out.
    pub fn of(program: &Program) -> Self {
        Self {
            plan: Plan::of(program),
            stage: program
                .labels
                .iter()
                .position(|label| &*label.name == "stage"),
        }
    }
}
