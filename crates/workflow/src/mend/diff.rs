//! The difference that mending makes, as a unified diff without the lines around.

use super::{Edit, Mended, applied};
use crate::Files;
use crate::diagnostic::Span;

/// The unified diff from `files` to what was mended.
pub fn diff(files: &Files, mended: &Mended) -> String {
    let mut out = String::new();
    for file in mended.files.keys() {
        let Some(text) = files.get(file) else {
            continue;
        };
        let edits: Vec<&Edit> = mended
            .edits
            .iter()
            .filter(|edit| edit.file == *file)
            .collect();
        out.push_str(&format!("--- a/{file}\n+++ b/{file}\n"));
        let mut grown = 0;
        for (lines, own) in hunks(text, &edits) {
            hunk(&mut out, text, lines, &own, &mut grown);
        }
    }
    out
}

/// Whole lines, and the edits inside them.
fn hunks<'e>(text: &str, edits: &[&'e Edit]) -> Vec<(Span, Vec<&'e Edit>)> {
    let mut hunks: Vec<(Span, Vec<&Edit>)> = Vec::new();
    for edit in edits {
        let start = text[..edit.span.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[edit.span.end..]
            .find('\n')
            .map_or(text.len(), |at| edit.span.end + at + 1);
        match hunks.last_mut() {
            Some((lines, own)) if start < lines.end => {
                lines.end = end;
                own.push(edit);
            }
            Some(_) | None => hunks.push((Span { start, end }, vec![edit])),
        }
    }
    hunks
}

fn hunk(out: &mut String, text: &str, lines: Span, edits: &[&Edit], grown: &mut usize) {
    let old = &text[lines.start..lines.end];
    let inside: Vec<Edit> = edits.iter().map(|edit| moved(edit, lines.start)).collect();
    let new = applied(old, &inside);
    let first = text[..lines.start].matches('\n').count() + 1;
    let count = |text: &str| text.lines().count();
    let (before, after) = (count(old), count(&new));
    let range = |line: usize, count: usize| match count {
        1 => line.to_string(),
        count => format!("{line},{count}"),
    };
    out.push_str(&format!(
        "@@ -{} +{} @@\n",
        range(first, before),
        range(first + *grown, after)
    ));
    *grown += after.saturating_sub(before);
    for (sign, text) in [('-', old), ('+', new.as_str())] {
        for line in text.split_inclusive('\n') {
            out.push(sign);
            out.push_str(line);
            if !line.ends_with('\n') {
                out.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
}

fn moved(edit: &Edit, by: usize) -> Edit {
    Edit {
        span: Span {
            start: edit.span.start - by,
            end: edit.span.end - by,
        },
        ..edit.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changed_lines_are_shown_and_no_others() {
        let edit = |start, end, text: &str| Edit {
            file: "a".into(),
            span: Span { start, end },
            text: text.to_owned(),
        };
        let files = Files::from([("a".into(), "one\ntwo\n- x\nfour".into())]);
        let mended = Mended {
            edits: vec![edit(4, 7, "2"), edit(10, 10, "y\n  "), edit(12, 16, "4")],
            files: Files::from([("a".into(), "one\n2\n- y\n  x\n4".into())]),
        };
        let expected = "--- a/a\n+++ b/a\n@@ -2 +2 @@\n-two\n+2\n@@ -3 +3,2 @@\n-- x\n+- y\n+  x\n@@ -4 +5 @@\n-four\n\\ No newline at end of file\n+4\n\\ No newline at end of file\n";
        assert_eq!(diff(&files, &mended), expected);
    }
}
