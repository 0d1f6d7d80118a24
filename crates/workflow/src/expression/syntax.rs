//! The tree of an expression as it was written, before its names mean anything.

use crate::program::{Arithmetic, Comparison, PeriodUnit, PeriodWhich};
use model::Decimal;
use std::ops::Range;

/// A part of an expression and its bytes.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// What it is.
    pub(super) kind: NodeKind,
    /// Where it stands.
    pub(super) at: Range<usize>,
    /// How many levels lie below it.
    pub(super) depth: usize,
}

/// A number of a range, and its bytes.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    /// Its value.
    pub(super) value: Decimal,
    /// Whether it was written with `%`.
    pub(super) is_percent: bool,
    /// Where it stands.
    pub(super) at: Range<usize>,
}

/// What a part is.
#[derive(Clone, Debug)]
pub(super) enum NodeKind {
    /// A plain number.
    Number(Decimal),
    /// A percentage.
    Percent(Decimal),
    /// A quoted text.
    Text(Box<str>),
    /// `true` or `false`.
    Bool(bool),
    /// A name.
    Name(Vec<Box<str>>),
    /// A function and what stands in its parentheses.
    Call(Box<str>, Range<usize>, Vec<Node>),
    /// `list where condition sort by value descending`.
    Where(Box<Node>, Box<Node>, Option<(Box<Node>, bool)>),
    /// `not a`
    Not(Box<Node>),
    /// `a and b`
    And(Vec<Node>),
    /// `a or b`
    Or(Vec<Node>),
    /// `a == b`: how, and where the sign stands.
    Compare(Comparison, Range<usize>, Box<Node>, Box<Node>),
    /// `a in low..high`
    Between(Box<Node>, Bound, Bound),
    /// `a in [b, c]`
    Among(Box<Node>, Vec<Node>),
    /// `a in this quarter`
    InPeriod(Box<Node>, PeriodWhich, PeriodUnit),
    /// `a is known`
    Known(Box<Node>),
    /// `a contains b`
    Contains(Box<Node>, Box<Node>),
    /// `a + b`: how, and where the sign stands.
    Arithmetic(Arithmetic, Range<usize>, Box<Node>, Box<Node>),
    /// `-a`
    Negate(Box<Node>),
    /// `a else b`
    Else(Box<Node>, Box<Node>),
}

impl NodeKind {
    /// The parts right below.
    fn parts(&self) -> Vec<&Node> {
        match self {
            Self::Number(_) | Self::Percent(_) | Self::Text(_) | Self::Bool(_) | Self::Name(_) => {
                Vec::new()
            }
            Self::Call(_, _, parts) | Self::And(parts) | Self::Or(parts) => parts.iter().collect(),
            Self::Where(list, condition, sort) => {
                let sort = sort.iter().map(|(by, _)| &**by);
                [&**list, &**condition].into_iter().chain(sort).collect()
            }
            Self::Not(part)
            | Self::Between(part, _, _)
            | Self::InPeriod(part, _, _)
            | Self::Known(part)
            | Self::Negate(part) => vec![part],
            Self::Among(part, list) => std::iter::once(&**part).chain(list).collect(),
            Self::Compare(_, _, left, right)
            | Self::Arithmetic(_, _, left, right)
            | Self::Contains(left, right)
            | Self::Else(left, right) => vec![left, right],
        }
    }
}

impl Node {
    /// A part with its depth worked out.
    pub(super) fn new(kind: NodeKind, at: Range<usize>) -> Self {
        let below = kind.parts().iter().map(|part| part.depth + 1).max();
        Self {
            depth: below.unwrap_or(0),
            kind,
            at,
        }
    }

    /// The name, if that is all it is.
    pub(super) fn name(&self) -> Option<&[Box<str>]> {
        match &self.kind {
            NodeKind::Name(parts) => Some(parts),
            NodeKind::Number(_)
            | NodeKind::Percent(_)
            | NodeKind::Text(_)
            | NodeKind::Bool(_)
            | NodeKind::Call(..)
            | NodeKind::Where(..)
            | NodeKind::Not(_)
            | NodeKind::And(_)
            | NodeKind::Or(_)
            | NodeKind::Compare(..)
            | NodeKind::Between(..)
            | NodeKind::Among(..)
            | NodeKind::InPeriod(..)
            | NodeKind::Known(_)
            | NodeKind::Contains(..)
            | NodeKind::Arithmetic(..)
            | NodeKind::Negate(_)
            | NodeKind::Else(..) => None,
        }
    }
}
