//! Reading: tokens to a tree, by the grammar of the language; one clear mistake where it ends to be one.

use super::mistake::Mistake;
use super::syntax::{Bound, Node, NodeKind};
use super::token::{Token, TokenKind, not_understood, tokens};
use crate::program::{Arithmetic, Comparison, PeriodUnit, PeriodWhich};
use std::ops::Range;

/// No expression is longer, in bytes.
pub const EXPRESSION_BYTES_MAX: usize = 8_000;
/// No expression nests deeper, in parentheses or in operators.
pub const EXPRESSION_DEPTH_MAX: usize = 40;

/// Words that are never names.
pub(super) const KEYWORDS: [&str; 10] = [
    "and", "or", "not", "in", "is", "else", "true", "false", "where", "contains",
];

type Parsed = Result<Node, Mistake>;

/// Reads a whole expression.
pub(super) fn parse(text: &str) -> Parsed {
    if text.len() > EXPRESSION_BYTES_MAX {
        return Err(Mistake::new(
            "E110",
            &(0..text.len()),
            format!("this expression is longer than {EXPRESSION_BYTES_MAX} bytes"),
        )
        .help("give its parts names: segments, metrics, `with`"));
    }
    let mut parser = Parser {
        text,
        tokens: tokens(text)?,
        next: 0,
        depth: 0,
    };
    if parser.tokens.is_empty() {
        return Err(Mistake::new(
            "E110",
            &(0..text.len()),
            "an expression is missing here",
        ));
    }
    let node = parser.either()?;
    if parser.next < parser.tokens.len() {
        return Err(parser.misplaced());
    }
    Ok(node)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    /// The word at `ahead` tokens from here, if there is one without dots.
    fn word_at(&self, ahead: usize) -> Option<&str> {
        match &self.tokens.get(self.next + ahead)?.kind {
            TokenKind::Name(parts) if parts.len() == 1 => Some(&parts[0]),
            TokenKind::Name(_)
            | TokenKind::Number(_)
            | TokenKind::Percent(_)
            | TokenKind::Text(_)
            | TokenKind::Sign(_) => None,
        }
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let found = self.word_at(0) == Some(word);
        self.next += usize::from(found);
        found
    }

    fn takes_sign(&mut self, sign: &str) -> Option<Range<usize>> {
        let token = self.peek()?;
        if !matches!(token.kind, TokenKind::Sign(found) if found == sign) {
            return None;
        }
        let at = token.at.clone();
        self.next += 1;
        Some(at)
    }

    /// Where the last token that was taken ends.
    fn end(&self) -> usize {
        self.next
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last))
            .map_or(0, |token| token.at.end)
    }

    fn node(&self, kind: NodeKind, start: usize) -> Parsed {
        let node = Node::new(kind, start..self.end());
        if node.depth >= EXPRESSION_DEPTH_MAX {
            return Err(too_deep(&node.at));
        }
        Ok(node)
    }

    fn either(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > EXPRESSION_DEPTH_MAX {
            let at = self.peek().map_or(0..0, |token| token.at.clone());
            return Err(too_deep(&at));
        }
        let first = self.both()?;
        let start = first.at.start;
        let mut parts = vec![first];
        while self.takes_word("or") {
            parts.push(self.both()?);
        }
        self.depth -= 1;
        self.joined(parts, start, NodeKind::Or)
    }

    fn both(&mut self) -> Parsed {
        let first = self.negation()?;
        let start = first.at.start;
        let mut parts = vec![first];
        while self.takes_word("and") {
            parts.push(self.negation()?);
        }
        self.joined(parts, start, NodeKind::And)
    }

    fn joined(
        &self,
        mut parts: Vec<Node>,
        start: usize,
        join: fn(Vec<Node>) -> NodeKind,
    ) -> Parsed {
        match parts.pop() {
            Some(only) if parts.is_empty() => Ok(only),
            Some(last) => {
                parts.push(last);
                self.node(join(parts), start)
            }
            None => Err(self.misplaced()),
        }
    }

    fn negation(&mut self) -> Parsed {
        let mut starts = Vec::new();
        while self.word_at(0) == Some("not") {
            starts.extend(self.peek().map(|token| token.at.start));
            self.next += 1;
        }
        let mut node = self.comparison()?;
        while let Some(start) = starts.pop() {
            node = self.node(NodeKind::Not(Box::new(node)), start)?;
        }
        Ok(node)
    }

    fn comparison(&mut self) -> Parsed {
        let left = self.sum()?;
        let start = left.at.start;
        if let Some((how, at)) = self.comparison_sign() {
            let right = self.sum()?;
            let kind = NodeKind::Compare(how, at, Box::new(left), Box::new(right));
            return self.node(kind, start);
        }
        if self.word_at(0) == Some("not") && self.word_at(1) == Some("in") {
            self.next += 2;
            let inside = self.inside(left)?;
            return self.node(NodeKind::Not(Box::new(inside)), start);
        }
        if self.takes_word("in") {
            return self.inside(left);
        }
        if self.takes_word("is") {
            return self.knowledge(left);
        }
        if self.takes_word("contains") {
            let part = self.sum()?;
            return self.node(NodeKind::Contains(Box::new(left), Box::new(part)), start);
        }
        Ok(left)
    }

    fn comparison_sign(&mut self) -> Option<(Comparison, Range<usize>)> {
        [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ]
        .into_iter()
        .find_map(|(sign, how)| self.takes_sign(sign).map(|at| (how, at)))
    }

    /// What follows `in`.
    fn inside(&mut self, left: Node) -> Parsed {
        let start = left.at.start;
        if self.takes_sign("[").is_some() {
            let mut list = vec![self.sum()?];
            while self.takes_sign(",").is_some() {
                list.push(self.sum()?);
            }
            self.closes("]", "[")?;
            return self.node(NodeKind::Among(Box::new(left), list), start);
        }
        if let Some((which, unit)) = self.period() {
            return self.node(NodeKind::InPeriod(Box::new(left), which, unit), start);
        }
        let low = self.bound()?;
        if self.takes_sign("..").is_none() {
            return Err(self
                .misplaced()
                .help("a range is written `90..120`, a choice `[a, b]`"));
        }
        let high = self.bound()?;
        self.node(NodeKind::Between(Box::new(left), low, high), start)
    }

    fn period(&mut self) -> Option<(PeriodWhich, PeriodUnit)> {
        let which = match self.word_at(0)? {
            "this" => PeriodWhich::This,
            "next" => PeriodWhich::Next,
            "last" => PeriodWhich::Last,
            _ => return None,
        };
        let unit = match self.word_at(1)? {
            "week" => PeriodUnit::Week,
            "month" => PeriodUnit::Month,
            "quarter" => PeriodUnit::Quarter,
            "year" => PeriodUnit::Year,
            _ => return None,
        };
        self.next += 2;
        Some((which, unit))
    }

    fn bound(&mut self) -> Result<Bound, Mistake> {
        let minus = self.takes_sign("-");
        let (value, is_percent, at) = match self.peek() {
            Some(Token {
                kind: TokenKind::Number(value),
                at,
            }) => (*value, false, at.clone()),
            Some(Token {
                kind: TokenKind::Percent(value),
                at,
            }) => (*value, true, at.clone()),
            _ => {
                return Err(self.misplaced().help(
                    "after `in` comes a range `90..120`, a choice `[a, b]`, or `this quarter` and the like",
                ));
            }
        };
        self.next += 1;
        let negated = minus.as_ref().and_then(|_| value.neg());
        Ok(Bound {
            value: negated.unwrap_or(value),
            is_percent,
            at: minus.map_or(at.start, |sign| sign.start)..at.end,
        })
    }

    /// What follows `is`.
    fn knowledge(&mut self, left: Node) -> Parsed {
        let start = left.at.start;
        let is_negated = self.takes_word("not");
        let is_known = match self.word_at(0) {
            Some("known") => true,
            Some("unknown") => false,
            Some("null" | "empty" | "missing" | "none" | "None") => {
                let instead = if is_negated { "is known" } else { "is unknown" };
                return Err(self.misplaced().help(format!("write `{instead}`")));
            }
            _ => {
                return Err(self
                    .misplaced()
                    .help("after `is` comes `known` or `unknown`; to compare, write `==`"));
            }
        };
        self.next += 1;
        let known = self.node(NodeKind::Known(Box::new(left)), start)?;
        if is_known != is_negated {
            return Ok(known);
        }
        self.node(NodeKind::Not(Box::new(known)), start)
    }

    fn sum(&mut self) -> Parsed {
        let signs = [("+", Arithmetic::Add), ("-", Arithmetic::Subtract)];
        self.chain(&signs, Self::product)
    }

    fn product(&mut self) -> Parsed {
        let signs = [("*", Arithmetic::Multiply), ("/", Arithmetic::Divide)];
        self.chain(&signs, Self::value)
    }

    fn chain(&mut self, signs: &[(&str, Arithmetic); 2], part: fn(&mut Self) -> Parsed) -> Parsed {
        let mut left = part(self)?;
        let start = left.at.start;
        while let Some((how, at)) = signs
            .iter()
            .find_map(|(sign, how)| self.takes_sign(sign).map(|at| (*how, at)))
        {
            let right = part(self)?;
            let kind = NodeKind::Arithmetic(how, at, Box::new(left), Box::new(right));
            left = self.node(kind, start)?;
        }
        Ok(left)
    }

    fn value(&mut self) -> Parsed {
        let minus = self.takes_sign("-");
        let mut left = self.primary()?;
        let start = minus.as_ref().map_or(left.at.start, |sign| sign.start);
        if minus.is_some() {
            let kind = match &left.kind {
                NodeKind::Number(value) if is_bare(&left, self.text) => {
                    value.neg().map(NodeKind::Number)
                }
                NodeKind::Percent(value) if is_bare(&left, self.text) => {
                    value.neg().map(NodeKind::Percent)
                }
                _ => None,
            };
            left = self.node(
                kind.unwrap_or_else(|| NodeKind::Negate(Box::new(left))),
                start,
            )?;
        }
        while self.takes_word("else") {
            let right = self.primary()?;
            left = self.node(NodeKind::Else(Box::new(left), Box::new(right)), start)?;
        }
        Ok(left)
    }

    fn primary(&mut self) -> Parsed {
        let node = self.single()?;
        if self.word_at(0) != Some("where") {
            return Ok(node);
        }
        self.next += 1;
        let start = node.at.start;
        let condition = self.either()?;
        let mut sort = None;
        if self.word_at(0) == Some("sort") && self.word_at(1) == Some("by") {
            self.next += 2;
            let by = self.sum()?;
            let is_descending = self.takes_word("descending");
            sort = Some((Box::new(by), is_descending));
        }
        let kind = NodeKind::Where(Box::new(node), Box::new(condition), sort);
        self.node(kind, start)
    }

    fn single(&mut self) -> Parsed {
        let Some(token) = self.peek().cloned() else {
            return Err(self.misplaced());
        };
        let kind = match token.kind {
            TokenKind::Number(value) => NodeKind::Number(value),
            TokenKind::Percent(value) => NodeKind::Percent(value),
            TokenKind::Text(text) => NodeKind::Text(text),
            TokenKind::Name(parts) => return self.name(parts, token.at),
            TokenKind::Sign("(") => {
                self.next += 1;
                let mut inner = self.either()?;
                self.closes(")", "(")?;
                inner.at = token.at.start..self.end();
                return Ok(inner);
            }
            TokenKind::Sign(_) => return Err(self.misplaced()),
        };
        self.next += 1;
        self.node(kind, token.at.start)
    }

    fn name(&mut self, parts: Vec<Box<str>>, at: Range<usize>) -> Parsed {
        let is_single = parts.len() == 1;
        let first = parts[0].clone();
        let is_called = matches!(
            self.tokens.get(self.next + 1),
            Some(Token { kind: TokenKind::Sign("("), at: open }) if open.start == at.end
        );
        if is_single && matches!(&*first, "now" | "today") {
            return Err(
                Mistake::new("E110", &at, format!("there is no `{first}`")).help(
                    "time is asked for by `days_until(…)`, `days_since(…)` or `hours_since(…)`",
                ),
            );
        }
        let kind = match &*first {
            "true" if is_single => NodeKind::Bool(true),
            "false" if is_single => NodeKind::Bool(false),
            word if is_single && KEYWORDS.contains(&word) => return Err(self.misplaced()),
            _ if is_single && is_called => return self.call(first, at),
            _ => NodeKind::Name(parts),
        };
        self.next += 1;
        self.node(kind, at.start)
    }

    fn call(&mut self, name: Box<str>, at: Range<usize>) -> Parsed {
        self.next += 2;
        let mut arguments = Vec::new();
        if self.takes_sign(")").is_none() {
            arguments.push(self.either()?);
            while self.takes_sign(",").is_some() {
                arguments.push(self.either()?);
            }
            self.closes(")", "(")?;
        }
        let start = at.start;
        self.node(NodeKind::Call(name, at, arguments), start)
    }

    /// Takes the closing sign, or says which opening one waits for it.
    fn closes(&mut self, sign: &str, open: &str) -> Result<(), Mistake> {
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
    fn misplaced(&self) -> Mistake {
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

/// Whether a number stands there without parentheses.
fn is_bare(node: &Node, text: &str) -> bool {
    !text[node.at.clone()].starts_with('(')
}

fn too_deep(at: &Range<usize>) -> Mistake {
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
