//! What stands in `deploy/` is true of this binary: the settings, the metrics, the commands, and the unit of systemd.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy")
        .join(name)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn sottaku(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sottaku"));
    command.args(arguments).output().expect("the binary runs")
}

#[test]
fn the_page_of_settings_is_what_the_binary_says() {
    let said = sottaku(&["config", "--reference"]);
    let said = String::from_utf8(said.stdout).expect("text");
    let path = deploy("settings.md");
    assert!(
        said == read(&path),
        "write it anew: sottaku config --reference > deploy/settings.md"
    );
}

#[test]
fn the_runbook_names_every_metric_and_no_other() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/src/measure.rs");
    let names = |text: &str, quote: char| {
        let mut names: Vec<String> = text
            .split(quote)
            .filter(|part| part.starts_with("sottaku_"))
            .map(Into::into)
            .collect();
        names.sort();
        names
    };
    let known = names(&read(&source), '"');
    assert!(known.len() > 10, "{known:?}");
    assert_eq!(names(&read(&deploy("runbook.md")), '`'), known);
}

/// The words of a command before its options and what is yours to fill in.
fn words(command: &str) -> Vec<&str> {
    let words = command.split_whitespace().skip(1);
    let is_letter = |letter: char| letter.is_ascii_lowercase() || letter == '-';
    let is_word = |word: &&str| !word.starts_with('-') && word.chars().all(is_letter);
    words.take_while(is_word).collect()
}

#[test]
fn every_command_that_the_pages_name_is_there() {
    let mut tried = 0;
    for page in ["README.md", "runbook.md"] {
        let text = read(&deploy(page));
        let spans = text.split('`').skip(1).step_by(2);
        for command in spans.filter(|span| span.starts_with("sottaku ") && !span.contains('\n')) {
            let mut asked = words(command);
            asked.push("--help");
            let said = sottaku(&asked);
            let help = String::from_utf8_lossy(&said.stdout);
            assert!(said.status.success(), "{page}: `{command}`");
            for option in command
                .split_whitespace()
                .filter(|word| word.starts_with("--"))
            {
                assert!(help.contains(option), "{page}: `{command}` has no {option}");
            }
            tried += 1;
        }
    }
    assert!(tried > 20, "only {tried} commands were found");
}

#[test]
fn the_unit_is_good_and_leaves_little_open() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("sottaku.service");
    let unit = read(&deploy("sottaku.service"));
    let here = unit.replace("/usr/local/bin/sottaku", env!("CARGO_BIN_EXE_sottaku"));
    assert_ne!(unit, here, "the unit starts the binary");
    std::fs::write(&path, here).expect("a file can be written");
    let analyze = |arguments: &[&str]| {
        let mut command = Command::new("systemd-analyze");
        let done = command
            .args(arguments)
            .arg(&path)
            .output()
            .expect("systemd-analyze is installed");
        let said = [done.stdout, done.stderr].concat();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&said));
        said
    };
    let said = analyze(&["verify", "--man=no"]);
    let said = String::from_utf8_lossy(&said);
    assert!(!said.contains("sottaku.service"), "{said}");
    // In tenths: 100 is a service that may do everything.
    analyze(&["security", "--offline=true", "--threshold=20"]);
}
