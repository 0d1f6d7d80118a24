//! Mending whole workspaces: what has one sure answer, and not a byte more.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests read the workspaces they mend from files"
)]

use std::path::{Path, PathBuf};
use workflow::mend::{diff, mend};
use workflow::{Files, Severity, check};

fn files(name: &str) -> Files {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data")
        .join(name);
    let mut files = Files::new();
    let mut folders: Vec<PathBuf> = vec![top.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder can be listed") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(&top).expect("it is inside");
            let text = std::fs::read_to_string(&path).expect("the file can be read");
            files.insert(inside.to_string_lossy().into(), text.into());
        }
    }
    files
}

/// What mending does to the mistakes of the example: eight words, and nothing else.
const WORDS: [(&str, &str); 8] = [
    ("acount.name", "account.name"),
    ("event.anser ", "event.answer "),
    ("green: god", "green: good"),
    ("training.complete\n", "training.completed\n"),
    ("prioritty: high", "priority: high"),
    ("== activ ", "== active "),
    ("to: champoin", "to: champion"),
    ("sentment:", "sentiment:"),
];

#[test]
fn the_mistakes_that_have_a_sure_answer_are_mended_and_nothing_else_is_touched() {
    let before = files("example-mistakes");
    let checked = check(&before);
    let mended = mend(&before, &checked.diagnostics);
    let shown = diff(&before, &mended);
    insta::with_settings!({omit_expression => true}, {
        insta::assert_snapshot!("mending", shown);
    });
    for (file, text) in &mended.files {
        let mut expected = before[file].to_string();
        for (wrong, right) in WORDS {
            expected = expected.replace(wrong, right);
        }
        assert_eq!(**text, *expected, "{file}");
    }
    let mut after = before.clone();
    after.extend(mended.files);
    let errors = |files: &Files| {
        let list = check(files).diagnostics;
        list.into_iter()
            .filter(|one| one.severity == Severity::Error)
            .count()
    };
    assert!(errors(&after) + mended.edits.len() <= errors(&before));
    let again = mend(&after, &check(&after).diagnostics);
    assert!(again.edits.is_empty(), "{:#?}", again.edits);
}

#[test]
fn nothing_is_mended_where_nothing_is_wrong() {
    let before = files("example");
    let mended = mend(&before, &check(&before).diagnostics);
    assert!(mended.edits.is_empty() && mended.files.is_empty());
}

#[test]
fn a_mended_key_that_would_stand_twice_is_left_as_it_is() {
    let text = "workflow: a\nstart: {when: account.name == \"x\", existing: skip}\nonce_per: account\n\
                title: x\ntitel: y\nsteps:\n- stop: x\n- task: Call\n  assignee: nobody\n";
    let schema = "entities: {account: {name: required text}}\n";
    let files = Files::from([
        ("workflows/a.yaml".into(), text.into()),
        ("workflows/schema.yaml".into(), schema.into()),
    ]);
    let mended = mend(&files, &check(&files).diagnostics);
    let shown = diff(&files, &mended);
    assert_eq!(
        shown,
        "--- a/workflows/a.yaml\n+++ b/workflows/a.yaml\n@@ -8 +8,2 @@\n-- task: Call\n+- id: call\n+  task: Call\n"
    );
}
