//! Whole workspaces: the example is right, the mistakes are found where they are.

use std::path::{Path, PathBuf};
use workflow::{Files, check};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data")
        .join(name)
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
            let inside = inside
                .to_str()
                .expect("its path is text")
                .replace('\\', "/");
            files.insert(inside.into(), text.into());
        }
    }
    files
}

#[test]
fn the_example_has_no_error() {
    let files = files("example");
    let checked = check(&files);
    let shown = workflow::diagnostic::frames(&checked.diagnostics, &files, false);
    assert!(checked.program.is_some(), "{shown}");
    println!("{shown}");
}

#[test]
fn mistakes() {
    let files = files("example-mistakes");
    let checked = check(&files);
    let shown = workflow::diagnostic::frames(&checked.diagnostics, &files, false);
    println!("{shown}");
}
