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
    put("workflows/names.yaml", include_str!("deeds/names.yaml"));
    put("workflows/kept.yaml", include_str!("deeds/kept.yaml"));
    put(
        "workflows/tests/deeds.test.yaml",
        include_str!("deeds/deeds.test.yaml"),
    );
    put("templates/hello.en.hbs", &mail("Hello"));
    put("templates/question.en.hbs", &mail("A question"));
    let team = "---\nsubject: The team\n---\n{{#each team}}- {{contact.name}}\n{{/each}}\n";
    put("templates/team.en.hbs", team);
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
    assert_eq!(checked.scenarios.len(), 11);
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn every_promise_holds_for_every_deed() {
    let broken = scenario::promises(&DEEDS.0, 1, 30);
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_promise_holds_in_the_example() {
    let broken = scenario::promises(&example(), 100, 8);
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_promise_holds_in_the_shipped_workspace() {
    let broken = scenario::promises(&crate::workspace::shipped().0, 200, 8);
    assert!(broken.is_empty(), "{broken:#?}");
}

/// The example of the language, read from where it lies.
#[expect(
    clippy::disallowed_methods,
    reason = "a test of a pure crate reads its data from files"
)]
fn example() -> Program {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/example");
    let mut files = Files::new();
    let mut folders = vec![root.join("workflows"), root.join("templates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the example is there") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(&root).expect("it lies inside");
            let text = std::fs::read_to_string(&path).expect("it is text");
            files.insert(inside.to_string_lossy().into(), text.into());
        }
    }
    checked(&files).0
}
