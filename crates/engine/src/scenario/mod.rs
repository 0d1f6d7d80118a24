//! The scenario runner: the tests that CS Ops write, on virtual time.

mod act;
mod compare;
mod fixture;
mod history;
mod order;
mod paste;
mod promise;
mod readers;
mod stage;

pub use promise::{Broken, promises};

use compare::Happened;
use jiff::civil::DateTime;
use model::Outgoing;
use stage::Stage;
use workflow::program::Status;
use workflow::scenario::Expected;
use workflow::{Program, Scenario};

/// What a scenario gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Whether all was as expected.
    pub is_passed: bool,
    /// What happened, entry by entry, as YAML ready to paste.
    pub happened: String,
    /// Each difference, in a sentence.
    pub differences: Vec<String>,
    /// Whether the test itself asks for what can't be: no other expectation mends that.
    pub is_impossible: bool,
    /// What was expected and did not happen.
    pub gone: Vec<Expected>,
    /// What happened and was not expected, as `expect` writes it, by minute.
    pub new: Vec<(DateTime, String)>,
}

/// Runs one scenario. `render` gives the text of a message, for `contains`.
pub fn run(
    program: &Program,
    scenario: &Scenario,
    render: &dyn Fn(&Outgoing) -> String,
) -> Outcome {
    let program = only(program, scenario);
    let mut stage = Stage::new(&program, scenario);
    stage.arrive();
    for entry in &scenario.timeline {
        stage.play(entry);
    }
    stage.go_on_until(scenario.end_at);
    let texts: Vec<String> = stage
        .happened
        .iter()
        .map(|happened| happened.text(render))
        .collect();
    let shown: Vec<(&Happened, &str)> = stage
        .happened
        .iter()
        .zip(texts.iter().map(String::as_str))
        .collect();
    let differences = compare::differences(scenario, &shown);
    Outcome {
        is_passed: differences.sentences.is_empty() && stage.mistakes.is_empty(),
        happened: paste::timeline(scenario, &stage.happened),
        is_impossible: !stage.mistakes.is_empty(),
        differences: stage
            .mistakes
            .iter()
            .cloned()
            .chain(differences.sentences)
            .collect(),
        gone: differences.gone,
        new: differences.new,
    }
}

/// The program with only the workflow that the scenario is about, live; a scenario about all has them as they are.
fn only(program: &Program, scenario: &Scenario) -> Program {
    let mut program = program.clone();
    if let Some(name) = &scenario.workflow {
        program.workflows.retain(|workflow| workflow.name == *name);
        for workflow in &mut program.workflows {
            workflow.status = Status::Live;
        }
    }
    program
}
