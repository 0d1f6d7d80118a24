//! The manuals and the shipped workspace: what a reader copies works, and what ships is right.
//!
//! A block of YAML or Handlebars that names a file is that file; any other block of YAML is a part of a workflow, and the
//! rest of it is added. All of it stands in one copy of the shipped workspace, is checked and tested there, and then the
//! commands are run, in the order in which they are read.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The manuals whose blocks are tried.
const MANUALS: [&str; 2] = ["workflows/README.md", "templates/README.md"];

/// One block between fences.
struct Block {
    manual: &'static str,
    line: usize,
    language: String,
    file: Option<String>,
    text: String,
}

impl Block {
    /// Where it stands in its manual, fit for a file name.
    fn place(&self) -> String {
        let folder = self.manual.split('/').next().unwrap_or_default();
        format!("{folder}-readme-line-{}", self.line)
    }
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) {
    let folder = path.parent().expect("a file lies in a folder");
    std::fs::create_dir_all(folder).expect("a folder can be made");
    std::fs::write(path, text).expect("a file can be written");
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("the folder is there") {
        let path = entry.expect("the folder can be listed").path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            write(&target, &read(&path));
        }
    }
}

/// The shipped workspace in a folder of its own.
fn shipped() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for name in ["workflows", "templates"] {
        copy(&top().join(name), &folder.path().join(name));
    }
    folder
}

fn blocks(manual: &'static str) -> Vec<Block> {
    let text = read(&top().join(manual));
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => {
                let mut words = info.split_whitespace().map(str::to_owned);
                open = Some(Block {
                    manual,
                    line: index + 1,
                    language: words.next().unwrap_or_default(),
                    file: words.next(),
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block of {manual} is never closed");
    found
}

fn every_block() -> Vec<Block> {
    MANUALS.into_iter().flat_map(blocks).collect()
}

/// A part of a workflow with what it lacks.
fn whole(block: &Block) -> String {
    let text = &block.text;
    let has = |key: &str| text.lines().any(|line| line.starts_with(key));
    let mut all = format!(
        "workflow: {}\ntitle: A part of one\nstatus: draft\ntopic: adoption\n",
        block.place()
    );
    if has("when:") {
        let inside: String = text.lines().map(|line| format!("  {line}\n")).collect();
        all += &format!("start:\n{inside}  existing: skip\n");
    } else {
        all += text;
        if !has("start:") {
            all += "start:\n  every: Mon 09:00\n";
        }
    }
    if !has("once_per:") {
        all += "once_per: 30d\n";
    }
    if !has("steps:") {
        all += "steps:\n  - id: tell\n    alert: csm\n    text: Look\n";
    }
    all
}

fn sottaku(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sottaku"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("sottaku was built")
}

fn said(output: &Output) -> String {
    let both = [&*output.stdout, &*output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// Checks a workspace: no error, no warning.
fn assert_is_right(folder: &Path) {
    let checked = sottaku(folder, &["check", ".", "--output", "json"]);
    let found: serde_json::Value =
        serde_json::from_slice(&checked.stdout).expect("check prints JSON");
    let bad: Vec<String> = found["diagnostics"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|one| one["severity"] == "error" || one["severity"] == "warning")
        .map(|one| {
            format!(
                "{} {}:{} {} ({})",
                one["code"], one["file"], one["line"], one["message"], one["help"]
            )
        })
        .collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    assert!(checked.status.success(), "{}", said(&checked));
}

/// Runs the YAML tests of a workspace.
fn assert_passes(folder: &Path) {
    let tested = sottaku(folder, &["test", "."]);
    assert!(tested.status.success(), "{}", said(&tested));
    assert!(said(&tested).contains(" 0 failed"), "{}", said(&tested));
}

#[test]
fn the_shipped_workspace_is_right_and_its_tests_pass() {
    let folder = shipped();
    assert_is_right(folder.path());
    assert_passes(folder.path());
}

#[test]
fn every_template_is_there_in_both_languages() {
    let names = |locale: &str| -> Vec<String> {
        let ending = format!(".{locale}.hbs");
        let mut names: Vec<String> = std::fs::read_dir(top().join("templates"))
            .expect("the folder is there")
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(&ending).map(str::to_owned))
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("ja"), names("en"));
}

#[test]
fn every_block_of_the_manuals_is_right_and_every_command_runs() {
    let folder = shipped();
    let blocks = every_block();
    for block in &blocks {
        match (&*block.language, &block.file) {
            ("yaml" | "hbs", Some(file)) => {
                let path = folder.path().join(file);
                assert!(!path.exists(), "{} is written twice", path.display());
                write(&path, &block.text);
            }
            ("yaml", None) => {
                let file = format!("workflows/{}.yaml", block.place());
                write(&folder.path().join(file), &whole(block));
            }
            ("sh" | "", None) => {}
            (language, _) => panic!("{}: nobody tries {language}", block.place()),
        }
    }
    assert_is_right(folder.path());
    assert_passes(folder.path());
    for block in blocks.iter().filter(|block| block.language == "sh") {
        for line in block.text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let Some((&"sottaku", arguments)) = words.split_first() else {
                panic!("{}: only sottaku is run: {line}", block.place());
            };
            let ran = sottaku(folder.path(), arguments);
            assert!(
                ran.status.success(),
                "{}: {line}: {}",
                block.place(),
                said(&ran)
            );
        }
    }
}

/// Runs a command that must succeed; gives what it printed.
fn ran(folder: &Path, arguments: &[&str]) -> String {
    let output = sottaku(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_test_made_of_a_real_account_is_masked_and_holds_once_it_is_accepted() {
    let folder = shipped();
    let run = |arguments: &[&str]| ran(folder.path(), arguments);
    run(&["apply", ".", "--yes", "--store", "s.db"]);
    run(&["sample", "--accounts", "4", "--out", "facts.ndjson"]);
    run(&["import", "facts.ndjson", "--as", "news", "--store", "s.db"]);
    let from = ["test", ".", "--from", "a-0002", "--at", "2026-10-01"];
    let made = run(&[&from[..], &["--store", "s.db"]].concat());
    for kept in [
        "account: {",
        "csm: {",
        "metrics: {",
        "weekly_active_users: ",
    ] {
        assert!(made.contains(kept), "{kept}: {made}");
    }
    let told = read(&folder.path().join("facts.ndjson"));
    let own = told.lines().filter(|line| line.contains("a-0002"));
    for fact in own {
        let fact: serde_json::Value = serde_json::from_str(fact).expect("a fact");
        for personal in ["name", "email"] {
            if let Some(value) = fact["data"][personal].as_str() {
                assert!(!made.contains(value), "{value}: {made}");
            }
        }
    }
    let file = folder.path().join("workflows/tests/masked.test.yaml");
    write(
        &file,
        &made.replace("timeline: []", "end_at: 2026-12-01 09:00\n    timeline: []"),
    );
    let only = ["--filter", "what happens from", "--histories", "0"];
    sottaku(
        folder.path(),
        &[&["test", ".", "--accept"][..], &only].concat(),
    );
    let passed = run(&[&["test", "."][..], &only].concat());
    assert!(passed.contains("1 passed, 0 failed"), "{passed}");
}
