//! Reading: tokens to a tree, by the grammar of the language; one clear mistake where it ends to be one.

use super::misplaced::too_deep;
use super::mistake::Mistake;
use super::syntax::{Node, NodeKind};
use super::token::{Token, TokenKind, tokens};
use crate::program::{Arithmetic, Comparison};
use std::ops::Range;

/// No expression is longer, in bytes.
pub const EXPRESSION_BYTES_MAX: usize = 8_000;
/// No expression nests deeper, in parentheses or in operators.
pub const EXPRESSION_DEPTH_MAX: usize = 40;

/// Words that are never names.
pub(super) const KEYWORDS: [&str; 10] = [
    "and", "or", "not", "in", "is", "else", "true", "false", "where", "contains",
];

/// A part that was read, or why not.
pub(super) type Parsed = Result<Node, Mistake>;

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

/// A walk along the tokens.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token>,
    pub(super) next: usize,
    depth: usize,
}

impl Parser<'_> {
    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    /// The word at `ahead` tokens from here, if there is one without dots.
    pub(super) fn word_at(&self, ahead: usize) -> Option<&str> {
        match &self.tokens.get(self.next + ahead)?.kind {
            TokenKind::Name(parts) if parts.len() == 1 => Some(&parts[0]),
            TokenKind::Name(_)
            | TokenKind::Number(_)
            | TokenKind::Percent(_)
            | TokenKind::Text(_)
            | TokenKind::Sign(_) => None,
        }
    }

    pub(super) fn takes_word(&mut self, word: &str) -> bool {
        let found = self.word_at(0) == Some(word);
        self.next += usize::from(found);
        found
    }

    pub(super) fn takes_sign(&mut self, sign: &str) -> Option<Range<usize>> {
        let token = self.peek()?;
        if !matches!(token.kind, TokenKind::Sign(found) if found == sign) {
            return None;
        }
        let at = token.at.clone();
        self.next += 1;
        Some(at)
    }

    /// Where the last token that was taken ends.
    pub(super) fn end(&self) -> usize {
        self.next
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last))
            .map_or(0, |token| token.at.end)
    }

    pub(super) fn node(&self, kind: NodeKind, start: usize) -> Parsed {
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

    pub(super) fn sum(&mut self) -> Parsed {
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
}

/// Whether a number stands there without parentheses.
fn is_bare(node: &Node, text: &str) -> bool {
    !text[node.at.clone()].starts_with('(')
}
