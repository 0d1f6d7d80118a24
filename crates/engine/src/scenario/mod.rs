//! The scenario runner: the tests that CS Ops write, on virtual time.

use model::Outgoing;
use workflow::{Program, Scenario};

/// What a scenario gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether all was as expected.
    pub is_passed: bool,
    /// What happened, entry by entry, as YAML ready to paste.
    pub happened: String,
    /// Each difference, in a sentence.
    pub differences: Vec<String>,
}

/// Runs one scenario. `render` gives the text of a message, for `contains`.
pub fn run(
    program: &Program,
    scenario: &Scenario,
    render: &dyn Fn(&Outgoing) -> String,
) -> Outcome {
    let _ = (program, scenario, render);
    Outcome {
        is_passed: false,
        happened: String::new(),
        differences: vec!["the scenario runner is still to come".to_owned()],
    }
}
