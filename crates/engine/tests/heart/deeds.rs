//! What steps do: waits, answers, ways; each rule a test in the words of CS Ops.

use crate::workspace::checked;
use engine::scenario;
use model::Outgoing;
use std::sync::LazyLock;
use workflow::{Checked, Files, Program};

/// A small workspace with every verb.
pub(crate) static DEEDS: LazyLock<(Program, Checked)> = LazyLock::new(|| {
    let mail =
        |subject: &str| format!("---\nsubject: {subject}\n---\nDear {{{{contact.name}}}},\n");
    let mut files = Files::new();
    let mut put = |path: &str, text: &str| files.insert(path.into(), text.into());
    put(
        "workflows/definitions/world.yaml",
        include_str!("deeds/world.yaml"),
    );
    put("workflows/waits.yaml", include_str!("deeds/waits.yaml"));
    put("workflows/answers.yaml", include_str!("deeds/answers.yaml"));
    put("workflows/ways.yaml", include_str!("deeds/ways.yaml"));
    put(
        "workflows/tests/deeds.test.yaml",
        include_str!("deeds/deeds.test.yaml"),
    );
    put("templates/hello.en.hbs", &mail("Hello"));
    put("templates/question.en.hbs", &mail("A question"));
    checked(&files)
});

#[test]
fn every_deed_does_what_its_sentence_says() {
    let (program, checked) = &*DEEDS;
    let text = |outgoing: &Outgoing| outgoing.view.to_string();
    let mut failed = Vec::new();
    for scenario in &checked.scenarios {
        let outcome = scenario::run(program, scenario, &text);
        if !outcome.is_passed {
            let differences = outcome.differences.join("\n");
            failed.push(format!(
                "{}\n{differences}\n{}",
                scenario.name, outcome.happened
            ));
        }
    }
    assert_eq!(checked.scenarios.len(), 9);
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
