//! Refusals: what stands where it can't, and what was probably meant.

use super::mistake::Mistake;
use super::parse::{EXPRESSION_DEPTH_MAX, Parser};
use super::token::{TokenKind, not_understood};
use std::ops::Range;

impl Parser<'_> {
    /// Takes the closing sign, or says which opening one waits for it.
    pub(super) fn closes(&mut self, sign: &str, open: &str) -> Result<(), Mistake> {
        if self.takes_sign(sign).is_some() {
            return Ok(());
        }
        if self.next < self.tokens.len() {
            return Err(self.misplaced());
        }
        let mut waiting = 0usize;
        for token in self.tokens.iter().rev() {
            match &token.kind {
                TokenKind::Sign(found) if *found == sign => waiting += 1,
                TokenKind::Sign(found) if *found == open && waiting == 0 => {
                    return Err(Mistake::new(
                        "E110",
                        &token.at,
                        format!("this `{open}` is never closed"),
                    )
                    .help(format!("close it with `{sign}`")));
                }
                TokenKind::Sign(found) if *found == open => waiting -= 1,
                TokenKind::Sign(_)
                | TokenKind::Number(_)
                | TokenKind::Percent(_)
                | TokenKind::Text(_)
                | TokenKind::Name(_) => {}
            }
        }
        Err(self.misplaced())
    }

    /// The mistake that the next token is here.
    pub(super) fn misplaced(&self) -> Mistake {
        let Some(token) = self.peek() else {
            let end = self.end();
            let last = self.tokens.last().map_or(0, |token| token.at.start);
            return Mistake::new("E110", &(last..end), "the expression ends too early")
                .help("something is missing after this");
        };
        let what = &self.text[token.at.clone()];
        if what == ")" || what == "]" {
            return Mistake::new(
                "E110",
                &token.at,
                format!("this `{what}` does not belong here"),
            );
        }
        let mistake = not_understood(what, token.at.start);
        match advice(what, &token.kind) {
            Some(help) => mistake.help(help),
            None => mistake,
        }
    }
}

/// The mistake of nesting too deep.
pub(super) fn too_deep(at: &Range<usize>) -> Mistake {
    Mistake::new(
        "E110",
        at,
        format!("this nests deeper than {EXPRESSION_DEPTH_MAX} levels"),
    )
    .help("give its parts names: segments, metrics, `with`")
}

/// What somebody who writes this probably means.
fn advice(what: &str, kind: &TokenKind) -> Option<&'static str> {
    match what {
        "AND" | "And" => return Some("write `and`"),
        "OR" | "Or" => return Some("write `or`"),
        "NOT" | "Not" => return Some("write `not`"),
        "IN" | "In" => return Some("write `in`"),
        "IS" | "Is" => return Some("write `is known` or `is unknown`"),
        "ELSE" | "Else" => return Some("write `else`"),
        "between" => return Some("write `in 90..120`"),
        "equals" | "eq" => return Some("write `==`"),
        "if" | "then" | "when" => {
            return Some("an expression has no `if`: write conditions with `and`, `or`");
        }
        "%" => return Some("`%` belongs right behind a number: `30%`"),
        ".." => return Some("a range stands behind `in`: `x in 90..120`"),
        "else" => return Some("`else` stands behind a value that may be unknown: `x else 0`"),
        _ => {}
    }
    match kind {
        TokenKind::Name(_) | TokenKind::Number(_) | TokenKind::Percent(_) | TokenKind::Text(_) => {
            Some("join conditions with `and` or `or`, and compare with `==`, `<` and the like")
        }
        TokenKind::Sign(_) => None,
    }
}
