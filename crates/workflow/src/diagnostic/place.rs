//! Places as people count them: lines and columns from 1, columns in Unicode scalars.

use super::Diagnostic;
use crate::Files;
use serde_json::{Value, json};

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The line, from 1.
    pub(crate) line: usize,
    /// The column, from 1.
    pub(crate) column: usize,
    /// The byte at which the line begins.
    pub(crate) line_start: usize,
}

/// The place of a byte; a byte inside a character counts as its first.
pub(crate) fn place(text: &str, byte: usize) -> Place {
    let byte = text.floor_char_boundary(byte);
    let before = &text[..byte];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Place {
        line: before.matches('\n').count() + 1,
        column: text[line_start..byte].chars().count() + 1,
        line_start,
    }
}

/// The diagnostics as `check --output json` prints them.
pub fn to_json(diagnostics: &[Diagnostic], files: &Files) -> Value {
    let all: Vec<Value> = diagnostics
        .iter()
        .map(|diagnostic| {
            let text = files.get(&diagnostic.file).map_or("", |text| text);
            let start = place(text, diagnostic.span.start);
            let end = place(text, diagnostic.span.end);
            json!({
                "code": diagnostic.code,
                "severity": diagnostic.severity,
                "message": diagnostic.message,
                "help": diagnostic.help,
                "file": diagnostic.file,
                "line": start.line,
                "column": start.column,
                "end_line": end.line,
                "end_column": end.column,
            })
        })
        .collect();
    json!({ "diagnostics": all })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_from_one() {
        let text = "a: 1\n価値: x\n";
        let at = text.find('x').expect("x is there");
        let found = place(text, at);
        assert_eq!((found.line, found.column), (2, 5));
        assert_eq!(place(text, 10_000).line, 3);
    }
}
