//! The YAML tests of the workspace as it first shipped; those of today are run by `sottaku test`.

use crate::workspace::shipped;
use engine::scenario;

#[test]
fn the_tests_of_the_shipped_workspace_pass() {
    let (program, checked) = shipped();
    assert_eq!(checked.scenarios.len(), 7);
    let mut failed = Vec::new();
    for scenario in &checked.scenarios {
        let outcome = scenario::run(&program, scenario, &|_| String::new());
        if !outcome.is_passed {
            failed.push(format!(
                "{}\n{}\n{}",
                scenario.name,
                outcome.differences.join("\n"),
                outcome.happened
            ));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
