//! Lines: what no person writes in one, and the parser would read for minutes.

use super::parse::NODES_MAX;
use super::refusal::{Refusal, refusal};
use crate::diagnostic::Span;

/// The longest line; an expression has half of it.
pub(crate) const LINE_BYTES_MAX: usize = 16 * 1024;
/// The most commas in a line: the parser's time grows with the square of a line's items.
pub(crate) const LINE_COMMAS_MAX: usize = 500;

/// The most commas in a file: more items than values are allowed, so that nobody need read them one by one.
pub(crate) const COMMAS_MAX: usize = NODES_MAX;

/// The first line that is too long, or holds too many items; or where there are too many in all.
pub(super) fn endless(text: &str) -> Option<Refusal> {
    let mut start = 0;
    if text.len() > COMMAS_MAX
        && let Some((at, _)) = text.match_indices(',').nth(COMMAS_MAX)
    {
        let span = Span {
            start: at,
            end: at + 1,
        };
        let message = format!("this file has more than {COMMAS_MAX} commas");
        return Some(refusal(span, message, Some("split it")));
    }
    for line in text.split_inclusive('\n') {
        let span = Span {
            start,
            end: start + line.trim_end().len().min(1),
        };
        if line.len() > LINE_BYTES_MAX {
            let message = format!("this line is longer than {LINE_BYTES_MAX} bytes");
            return Some(refusal(span, message, Some("break it")));
        }
        if line.len() > LINE_COMMAS_MAX && line.matches(',').count() > LINE_COMMAS_MAX {
            let message = format!("this line has more than {LINE_COMMAS_MAX} commas");
            let help = "write the list over several lines";
            return Some(refusal(span, message, Some(help)));
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn a_line_at_its_limits_is_read_and_one_past_them_is_refused() {
        let long = |bytes: usize| format!("a: {}\n", "x".repeat(bytes - 4));
        let wide = |commas: usize| format!("b: 1\na: [{}]\n", "1,".repeat(commas));
        let said = |commas: usize| format!("a: |\n{}", "  ,\n".repeat(commas));
        for (good, bad) in [
            (said(COMMAS_MAX), said(COMMAS_MAX + 1)),
            (long(LINE_BYTES_MAX), long(LINE_BYTES_MAX + 1)),
            (wide(LINE_COMMAS_MAX), wide(LINE_COMMAS_MAX + 1)),
        ] {
            assert_eq!(parse(&good).refusals.len(), 0);
            let parsed = parse(&bad);
            assert_eq!((parsed.refusals.len(), parsed.is_whole), (1, false));
        }
    }
}
