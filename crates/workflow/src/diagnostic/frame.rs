//! Diagnostics for people: the line, a caret under the place, and what to write instead.

use super::place::place;
use super::{Diagnostic, Severity};
use crate::Files;
use unicode_width::UnicodeWidthChar;

/// The most columns of a line that are shown.
const LINE_WIDTH_MAX: usize = 160;
/// How much is shown before the caret of a longer line.
const BEFORE_CARET: usize = 60;

/// All diagnostics, one frame each. `in_colour` adds ANSI colours.
pub fn frames(diagnostics: &[Diagnostic], files: &Files, in_colour: bool) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let text = files.get(&diagnostic.file).map_or("", |text| text);
        frame(&mut out, diagnostic, text, Paint { in_colour });
    }
    out
}

#[derive(Clone, Copy)]
struct Paint {
    in_colour: bool,
}

impl Paint {
    fn on(self, code: &str, text: &str) -> String {
        if self.in_colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

fn frame(out: &mut String, diagnostic: &Diagnostic, text: &str, paint: Paint) {
    let colour = match diagnostic.severity {
        Severity::Error => "1;31",
        Severity::NotYet => "1;36",
        Severity::Warning => "1;33",
    };
    let at = place(text, diagnostic.span.start);
    let line = text[at.line_start..].lines().next().unwrap_or("");
    let head = format!("{}[{}]", diagnostic.severity.as_str(), diagnostic.code);
    let number = at.line.to_string();
    let gutter = number.len().max(2);
    let shown = Shown::of(line, diagnostic, at.line_start);
    let carets = paint.on(colour, &"^".repeat(shown.width));
    let help = diagnostic.help.as_deref().map(clean).unwrap_or_default();
    let lines = [
        format!(
            "{}: {}",
            paint.on(colour, &head),
            paint.on("1", &clean(&diagnostic.message))
        ),
        format!(
            "{:gutter$}--> {}:{}:{}",
            "",
            clean(&diagnostic.file),
            at.line,
            at.column
        ),
        format!("{:gutter$} |", ""),
        format!("{number:>gutter$} | {}", shown.line),
        format!(
            "{:gutter$} | {:indent$}{carets} {help}",
            "",
            "",
            indent = shown.indent
        ),
    ];
    for line in lines {
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// A line as it is shown, and where the caret goes.
struct Shown {
    line: String,
    indent: usize,
    width: usize,
}

impl Shown {
    fn of(line: &str, diagnostic: &Diagnostic, line_start: usize) -> Self {
        let end = line.len();
        let from = line.floor_char_boundary(
            (diagnostic.span.start - line_start.min(diagnostic.span.start)).min(end),
        );
        let to = line
            .floor_char_boundary((diagnostic.span.end.saturating_sub(line_start)).clamp(from, end));
        let mut start = 0;
        if is_wide(line) {
            start = line.floor_char_boundary(from.saturating_sub(BEFORE_CARET));
        }
        let cut: String = line[start..].chars().take(LINE_WIDTH_MAX).collect();
        let marked: String = line[from..to].chars().take(LINE_WIDTH_MAX).collect();
        let marked = width(&marked).min(LINE_WIDTH_MAX);
        Self {
            line: clean(&cut),
            indent: width(&line[start..from]),
            width: marked.max(1),
        }
    }
}

/// How many columns a terminal needs.
fn width(text: &str) -> usize {
    text.chars().map(|letter| letter.width().unwrap_or(1)).sum()
}

/// Whether a line does not fit; of a megabyte only the beginning is looked at.
fn is_wide(line: &str) -> bool {
    let mut columns = 0;
    line.chars().any(|letter| {
        columns += letter.width().unwrap_or(1);
        columns > LINE_WIDTH_MAX
    })
}

/// Nothing that a file says may steer the terminal.
fn clean(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\t' => ' ',
            control if control.is_control() => '\u{fffd}',
            plain => plain,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Span;
    use super::*;

    fn check(text: &str, part: &str, help: &str) -> String {
        let start = text.find(part).expect("the part is there");
        let span = Span {
            start,
            end: start + part.len(),
        };
        let file: Box<str> = "workflows/a.yaml".into();
        let diagnostic = Diagnostic {
            code: "E101",
            severity: Severity::Error,
            message: "a workflow has no key `prioritty`".to_owned(),
            help: Some(help.to_owned()),
            file: file.clone(),
            span,
        };
        frames(&[diagnostic], &Files::from([(file, text.into())]), false)
    }

    #[test]
    fn a_frame_shows_the_line_and_a_caret() {
        let text = "a: 1\nprioritty: high\n";
        let expected = "\
error[E101]: a workflow has no key `prioritty`
  --> workflows/a.yaml:2:1
   |
 2 | prioritty: high
   | ^^^^^^^^^ did you mean `priority`?
";
        assert_eq!(
            check(text, "prioritty", "did you mean `priority`?"),
            expected
        );
    }

    #[test]
    fn a_japanese_letter_is_two_columns_wide() {
        let shown = check("題: 更新 x\n", "x", "y");
        assert!(
            shown.ends_with(" 1 | 題: 更新 x\n   |          ^ y\n"),
            "{shown}"
        );
    }

    #[test]
    fn a_long_line_is_cut_and_control_characters_are_not_shown() {
        let text = format!("{}\u{1b}[31m!{}", "a".repeat(5000), "b".repeat(5000));
        let shown = check(&text, "!", "y");
        assert!(shown.lines().all(|line| line.len() < 200), "{shown}");
        assert!(!shown.contains('\u{1b}'));
    }
}
