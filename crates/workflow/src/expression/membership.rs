//! What follows `in` and `is`.

use super::mistake::Mistake;
use super::parse::{Parsed, Parser};
use super::syntax::{Bound, Node, NodeKind};
use super::token::{Token, TokenKind};
use crate::program::{PeriodUnit, PeriodWhich};

impl Parser<'_> {
    /// What follows `in`.
    pub(super) fn inside(&mut self, left: Node) -> Parsed {
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
    pub(super) fn knowledge(&mut self, left: Node) -> Parsed {
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
}
