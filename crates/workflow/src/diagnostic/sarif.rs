//! Diagnostics as SARIF 2.1.0, for code scanning and editors.

use super::page::page;
use super::place::place;
use super::{Diagnostic, Severity};
use crate::Files;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The diagnostics as one SARIF log; columns count UTF-16 units from 1.
pub fn to_sarif(diagnostics: &[Diagnostic], files: &Files, version: &str) -> Value {
    let codes: BTreeSet<&str> = diagnostics.iter().map(|one| one.code).collect();
    let codes: Vec<&str> = codes.into_iter().collect();
    let results = diagnostics.iter().map(|one| result(one, files, &codes));
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "sottaku",
                "semanticVersion": version,
                "rules": codes.iter().map(|code| rule(code)).collect::<Vec<_>>(),
            }},
            "columnKind": "utf16CodeUnits",
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn rule(code: &str) -> Value {
    let Some(page) = page(code) else {
        return json!({ "id": code });
    };
    json!({
        "id": page.code,
        "shortDescription": {"text": page.title},
        "fullDescription": {"text": unwrapped(page.meaning())},
        "help": {"text": page.text, "markdown": page.text},
        "defaultConfiguration": {"level": level(page.severity())},
    })
}

/// The sentences without the line ends of the page.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::NotYet => "note",
        Severity::Warning => "warning",
    }
}

fn result(diagnostic: &Diagnostic, files: &Files, codes: &[&str]) -> Value {
    let text = files.get(&diagnostic.file).map_or("", |text| text);
    let (start_line, start) = units(text, diagnostic.span.start);
    let (end_line, end) = units(text, diagnostic.span.end.max(diagnostic.span.start));
    let message = match &diagnostic.help {
        Some(help) => format!("{}; {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    json!({
        "ruleId": diagnostic.code,
        "ruleIndex": codes.iter().position(|code| *code == diagnostic.code),
        "level": level(diagnostic.severity),
        "message": {"text": message},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": address(&diagnostic.file)},
            "region": {
                "startLine": start_line,
                "startColumn": start,
                "endLine": end_line,
                "endColumn": end,
            },
        }}],
    })
}

/// Line, and column in UTF-16 units, both from 1.
fn units(text: &str, byte: usize) -> (usize, usize) {
    let byte = text.floor_char_boundary(byte);
    let at = place(text, byte);
    (
        at.line,
        text[at.line_start..byte].encode_utf16().count() + 1,
    )
}

/// A path as a relative address.
fn address(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        match is_plain {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::Span;
    use super::*;

    #[test]
    fn columns_count_utf16_units_and_rules_bring_their_pages() {
        let text = "a: 1\n価𠮷: x y\n";
        let at = text.find('x').expect("x is there");
        let file: Box<str> = "workflows/更新 a.yaml".into();
        let diagnostic = Diagnostic {
            code: "E402",
            severity: Severity::Error,
            message: "a wait".to_owned(),
            help: Some("for example `at_most: 14d`".to_owned()),
            file: file.clone(),
            span: Span {
                start: at,
                end: at + 3,
            },
        };
        let sarif = to_sarif(&[diagnostic], &Files::from([(file, text.into())]), "1.2.3");
        let run = &sarif["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "E402");
        let result = &run["results"][0];
        assert_eq!(
            result["message"]["text"],
            "a wait; for example `at_most: 14d`"
        );
        let place = &result["locations"][0]["physicalLocation"];
        let region = json!({"startLine": 2, "startColumn": 6, "endLine": 2, "endColumn": 9});
        assert_eq!(place["region"], region);
        let uri = &place["artifactLocation"]["uri"];
        assert_eq!(*uri, "workflows/%E6%9B%B4%E6%96%B0%20a.yaml");
    }
}
