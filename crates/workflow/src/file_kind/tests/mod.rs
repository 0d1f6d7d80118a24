//! The schemas beside the reader: what they accept, what they refuse, and that neither forgets a key.

mod accepted;
mod keys;
mod refused;
mod words;

use super::FileKind;
use crate::yaml::{Node, NodeKind, Scalar, parse};
use serde_json::Value;

/// A schema, ready to judge.
struct Judge {
    schemas: boon::Schemas,
    index: boon::SchemaIndex,
}

impl Judge {
    /// The schema of a kind; it must itself be right by the metaschema of its draft.
    fn of(kind: FileKind) -> Self {
        let mut compiler = boon::Compiler::new();
        let place = format!("urn:test:{}", kind.name());
        compiler
            .add_resource(&place, schema(kind))
            .expect("it can be added");
        let mut schemas = boon::Schemas::new();
        let index = compiler
            .compile(&place, &mut schemas)
            .unwrap_or_else(|error| panic!("{}: {error:#}", kind.name()));
        Self { schemas, index }
    }

    /// What it says against a text; `None` if it accepts it.
    fn refuses(&self, text: &str) -> Option<String> {
        let value = json_of(text);
        let judged = self.schemas.validate(&value, self.index);
        judged.err().map(|error| format!("{error:#}"))
    }
}

/// The schema as JSON.
fn schema(kind: FileKind) -> Value {
    serde_json::from_str(kind.json_schema()).expect("it is JSON")
}

/// A YAML text as JSON, as an editor reads it: by the core schema of YAML 1.2.
fn json_of(text: &str) -> Value {
    let parsed = parse(text);
    assert!(parsed.refusals.is_empty(), "not YAML: {text}");
    parsed.root.as_ref().map_or(Value::Null, json)
}

fn json(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Map(entries) => entries
            .iter()
            .map(|entry| (entry.key.to_string(), json(&entry.value)))
            .collect(),
        NodeKind::List(items) => items.iter().map(json).collect(),
        NodeKind::Scalar(_) if node.is_null() => Value::Null,
        NodeKind::Scalar(scalar) => scalar_json(scalar),
        NodeKind::Broken => panic!("it was refused"),
    }
}

fn scalar_json(scalar: &Scalar) -> Value {
    let text = &*scalar.text;
    if !scalar.is_plain {
        return text.into();
    }
    match text {
        "true" | "True" | "TRUE" => return true.into(),
        "false" | "False" | "FALSE" => return false.into(),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = digits.starts_with(|letter: char| letter.is_ascii_digit());
    if let (true, Ok(whole)) = (is_number, text.parse::<i64>()) {
        return whole.into();
    }
    match text.parse::<f64>() {
        Ok(number) if is_number => number.into(),
        Ok(_) | Err(_) => text.into(),
    }
}

/// The kind of a YAML file, by its path and its first key.
fn kind_of(file: &str, text: &str) -> FileKind {
    let first = text
        .lines()
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .unwrap_or_default();
    if file.ends_with(".test.yaml") {
        FileKind::Test
    } else if file.contains("/holidays/") {
        FileKind::Holidays
    } else if first.starts_with("workflow:") {
        FileKind::Workflow
    } else {
        FileKind::Definitions
    }
}

/// All files of a folder of the repository that end so, by their path.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests read the workspaces they judge from files"
)]
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders = vec![top.join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder can be listed") {
            let path = entry.expect("an entry").path();
            let name = path.to_string_lossy().replace('\\', "/");
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(ending) {
                let text = std::fs::read_to_string(&path).expect("the file can be read");
                found.push((name, text));
            }
        }
    }
    found.sort();
    found
}
