//! From decoded text back to the file: so that a caret inside a folded or quoted text is right.

use crate::diagnostic::Span;
use saphyr_parser::ScalarStyle;
use std::ops::Range;

/// Where runs of decoded bytes stand in the file: (decoded, raw), rising.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offsets(Vec<(usize, usize)>);

impl Offsets {
    /// Lines `decoded` up with `raw`, which begins at byte `start` of the file.
    pub(crate) fn of(raw: &str, decoded: &str, style: ScalarStyle, start: usize) -> Self {
        let mut walk = Walk {
            raw,
            at: 0,
            is_escaped: style == ScalarStyle::DoubleQuoted,
            is_quoted: style == ScalarStyle::SingleQuoted,
        };
        if walk.is_escaped || walk.is_quoted {
            walk.at = 1;
        }
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for (decoded_at, letter) in decoded.char_indices() {
            let raw_at = start + walk.find(letter);
            let follows = runs
                .last()
                .is_some_and(|(before, raw)| raw + (decoded_at - before) == raw_at);
            if !follows {
                runs.push((decoded_at, raw_at));
            }
        }
        if runs.is_empty() {
            runs.push((0, start + walk.at.min(raw.len())));
        }
        Self(runs)
    }

    /// The place in the file of a byte of the decoded text.
    pub(crate) fn raw(&self, decoded: usize) -> usize {
        let after = self.0.partition_point(|(from, _)| *from <= decoded);
        let (from, raw) = self.0[after.saturating_sub(1)];
        raw + decoded.saturating_sub(from)
    }

    /// The place in the file of a range of the decoded text.
    pub(crate) fn span(&self, range: &Range<usize>) -> Span {
        let start = self.raw(range.start);
        if range.end <= range.start {
            return Span { start, end: start };
        }
        Span {
            start,
            end: self.raw(range.end - 1) + 1,
        }
    }
}

/// A walk along the raw text, one decoded letter at a time.
struct Walk<'a> {
    raw: &'a str,
    at: usize,
    is_escaped: bool,
    is_quoted: bool,
}

impl Walk<'_> {
    /// Where `letter` comes from; the walk goes on behind it.
    fn find(&mut self, letter: char) -> usize {
        loop {
            let Some(here) = self.raw[self.at..].chars().next() else {
                return self.at;
            };
            if self.is_escaped && here == '\\' {
                let begin = self.at;
                if self.skip_escape() {
                    return begin;
                }
                continue;
            }
            let begin = self.at;
            if here == letter {
                self.at += here.len_utf8();
                if self.is_quoted && here == '\'' {
                    self.at += 1;
                }
                return begin;
            }
            self.at += here.len_utf8();
            // A fold shows as a space or a line break, wherever the raw text has white space.
            if letter.is_whitespace() && here.is_whitespace() {
                return begin;
            }
        }
    }

    /// Goes behind an escape; says whether it stands for a letter.
    fn skip_escape(&mut self) -> bool {
        let mut rest = self.raw[self.at..].chars();
        rest.next();
        let Some(kind) = rest.next() else {
            self.at = self.raw.len();
            return true;
        };
        let digits = match kind {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        self.at = (self.at + 1 + kind.len_utf8() + digits).min(self.raw.len());
        !matches!(kind, '\n' | '\r')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The raw text that a decoded range stands for.
    fn check(raw: &str, decoded: &str, style: ScalarStyle, part: &str) -> String {
        let at = decoded.find(part).expect("the part is in the decoded text");
        let span = Offsets::of(raw, decoded, style, 0).span(&(at..at + part.len()));
        raw[span.start..span.end].to_owned()
    }

    #[test]
    fn a_part_is_found_again_in_every_style() {
        let cases = [
            ("foo bar", "foo bar", ScalarStyle::Plain, "bar", "bar"),
            ("foo\n  bar", "foo bar", ScalarStyle::Plain, "bar", "bar"),
            (
                "'it''s ok'",
                "it's ok",
                ScalarStyle::SingleQuoted,
                "ok",
                "ok",
            ),
            (
                "\"a\\nb c\"",
                "a\nb c",
                ScalarStyle::DoubleQuoted,
                "b c",
                "b c",
            ),
            ("\"\\u3042b\"", "あb", ScalarStyle::DoubleQuoted, "b", "b"),
            ("\"a\\\n   b\"", "ab", ScalarStyle::DoubleQuoted, "b", "b"),
            (
                "x y\n    z\n  w\n",
                "x y\n  z\nw",
                ScalarStyle::Folded,
                "w",
                "w",
            ),
            (
                "l1\n\n  l2\n",
                "l1\n\nl2\n",
                ScalarStyle::Literal,
                "l2",
                "l2",
            ),
            ("価値 & x", "価値 & x", ScalarStyle::Plain, "&", "&"),
        ];
        for (raw, decoded, style, part, expected) in cases {
            assert_eq!(check(raw, decoded, style, part), expected, "{raw}");
        }
    }
}
