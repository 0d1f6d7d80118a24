//! Whole workspaces: the example is right, the mistakes are found where they are.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests read the workspaces they check from files"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use workflow::{Checked, Files, Severity, check};

fn data(name: &str) -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    top.join("../../tests/data").join(name)
}

/// All texts under a folder, by their path inside it.
fn files(name: &str) -> Files {
    let top = data(name);
    let mut files = Files::new();
    let mut folders = vec![top.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder can be listed") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(&top).expect("it is inside");
            let text = std::fs::read_to_string(&path).expect("the file can be read");
            let inside = inside.to_str().expect("its path is text");
            files.insert(inside.replace('\\', "/").into(), text.into());
        }
    }
    files
}

fn shown(checked: &Checked, files: &Files) -> String {
    workflow::diagnostic::frames(&checked.diagnostics, files, false)
}

#[test]
fn the_example_has_no_error_and_one_note_for_the_workflow_not_run_yet() {
    let files = files("example");
    let checked = check(&files);
    let text = shown(&checked, &files);
    let program = checked.program.as_ref().expect("a program");
    let names: Vec<&str> = program
        .workflows
        .iter()
        .map(|workflow| &*workflow.name)
        .collect();
    let running = [
        "adopt-reports",
        "advocate",
        "onboarding",
        "renewal",
        "risk-playbooks",
    ];
    assert_eq!(names, running, "{text}");
    assert_eq!(program.templates.len(), 30);
    let not_yet: Vec<&str> = checked.not_yet.iter().map(|name| &**name).collect();
    assert_eq!(not_yet, ["renewal-review"], "{text}");
    let codes: Vec<&str> = checked
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code)
        .collect();
    // Two metrics and a list that nobody asks for.
    assert_eq!(codes, ["W607", "W607", "E900", "W607"], "{text}");
    assert_eq!(checked.scenarios.len(), 12);
    let renewal = checked
        .scenarios
        .iter()
        .filter(|it| it.workflow.as_deref() == Some("renewal"));
    assert_eq!(renewal.count(), 7);
}

/// `code file:line` of each expected line.
fn expected() -> BTreeSet<(String, String)> {
    let text = std::fs::read_to_string(data("example-mistakes/expected.txt")).expect("the list");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let code = words.next().expect("a code");
            let place = words.next().expect("a place");
            let (place, _column) = place.rsplit_once(':').expect("a column");
            (code.to_owned(), place.to_owned())
        })
        .collect()
}

#[test]
fn each_seeded_mistake_is_found_at_its_line_and_nothing_else() {
    let files = files("example-mistakes");
    let checked = check(&files);
    let json = workflow::diagnostic::to_json(&checked.diagnostics, &files);
    let list = json["diagnostics"].as_array().expect("a list");
    let found: BTreeSet<(String, String)> = list
        .iter()
        .filter(|diagnostic| diagnostic["severity"] == "error")
        .map(|diagnostic| {
            let file = diagnostic["file"].as_str().expect("a file");
            let code = diagnostic["code"].as_str().expect("a code");
            (code.to_owned(), format!("{file}:{}", diagnostic["line"]))
        })
        .collect();
    assert_eq!(found, expected(), "{}", shown(&checked, &files));
    let errors = checked
        .diagnostics
        .iter()
        .filter(|it| it.severity == Severity::Error);
    assert_eq!(errors.count(), 25);
    assert!(checked.program.is_none());
}

#[test]
fn comments_and_the_order_of_keys_do_not_change_the_revision() {
    let before = files("example");
    let revision = |files: &Files| check(files).program.expect("a program").revision;
    let mut after = before.clone();
    let path = "workflows/definitions/segments.yaml";
    let text = &before[path];
    let (segments, labels) = text.split_once("labels:").expect("labels");
    after.insert(
        path.into(),
        format!("# another comment\nlabels:{labels}\n{segments}").into(),
    );
    let renewal = before["workflows/renewal.yaml"].replace(
        "topic: renewal\npriority: high\n",
        "priority: high\ntopic: renewal\n",
    );
    assert_ne!(renewal, *before["workflows/renewal.yaml"]);
    after.insert("workflows/renewal.yaml".into(), renewal.into());
    assert_eq!(revision(&before), revision(&after));
    let changed = before["workflows/renewal.yaml"].replace("in 0..150", "in 0..140");
    after.insert("workflows/renewal.yaml".into(), changed.into());
    assert_ne!(revision(&before), revision(&after));
}

/// The same seed, the same mutations.
fn next(seed: &mut u64) -> usize {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 33).unwrap_or(0)
}

/// A file with one place changed: cut, doubled, or another letter put in.
fn mutated(text: &str, seed: &mut u64) -> String {
    let at = text.floor_char_boundary(next(seed) % (text.len() + 1));
    let end = text
        .floor_char_boundary((at + next(seed) % 12).min(text.len()))
        .max(at);
    let letters = [
        ":", "{", "}", "[", "]", "\"", "'", "|", ">", "-", " ", "\n", "あ", "&", "*", "#", "%",
        "(", "..", "\u{0}",
    ];
    let (before, part, after) = (&text[..at], &text[at..end], &text[end..]);
    match next(seed) % 3 {
        0 => format!("{before}{after}"),
        1 => format!("{before}{part}{part}{after}"),
        _ => format!(
            "{before}{}{part}{after}",
            letters[next(seed) % letters.len()]
        ),
    }
}

#[test]
fn no_slip_of_the_hand_makes_the_check_fail() {
    let files = files("example");
    let paths: Vec<_> = files.keys().cloned().collect();
    let mut seed = 7;
    for round in 0..ROUNDS {
        let mut changed = files.clone();
        let path = &paths[next(&mut seed) % paths.len()];
        let text = mutated(&files[path], &mut seed);
        changed.insert(path.clone(), text.clone().into());
        let checked = check(&changed);
        let text_shown = shown(&checked, &changed);
        workflow::diagnostic::to_json(&checked.diagnostics, &changed);
        let has_error = checked
            .diagnostics
            .iter()
            .any(|it| it.severity == Severity::Error);
        assert_eq!(
            checked.program.is_none(),
            has_error,
            "round {round}: {path}\n{text_shown}\n{text}"
        );
    }
}

/// How many slips are tried.
const ROUNDS: usize = 40;
