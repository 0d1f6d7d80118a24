//! Parts of a number: what a range of a sum, a share or a count says of what it is made of.

use super::range::Range;
use super::scope::Scope;
use crate::program::{Arithmetic, Expr, ExprKind};
use model::Decimal;

/// More than rounding can add or take.
const STEP: Decimal = Decimal::from_millionths(2);

/// The parts of a value that its range bounds, with theirs; as wide as rounding may make them.
pub(super) fn parts<'e>(value: &'e Expr, range: &Range) -> Vec<(&'e Expr, Range)> {
    let above = || Range {
        low: range.low,
        high: None,
    };
    let below = || Range {
        low: None,
        high: range.high,
    };
    match &value.kind {
        ExprKind::Negate(inner) => vec![(inner, range.clone().negated())],
        ExprKind::Min(a, b) => vec![(a, above()), (b, above())],
        ExprKind::Max(a, b) => vec![(a, below()), (b, below())],
        ExprKind::Round(inner) => vec![(inner, range.clone().wider(Decimal::ONE))],
        ExprKind::Else(a, b) if is_outside(b, range) => vec![(a, range.clone())],
        ExprKind::Arithmetic { how, left, right } => {
            arithmetic(*how, left, right, range).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn is_outside(expr: &Expr, range: &Range) -> bool {
    constant(expr).is_some_and(|number| {
        let mut point = Range::closed(number, number);
        point.narrow(range);
        point.is_empty()
    })
}

/// The part that is no constant, with its range.
fn arithmetic<'e>(
    how: Arithmetic,
    left: &'e Expr,
    right: &'e Expr,
    range: &Range,
) -> Option<(&'e Expr, Range)> {
    let range = range.clone();
    let (part, number, is_left) = match (constant(left), constant(right)) {
        (None, Some(number)) => (left, number, true),
        (Some(number), None) => (right, number, false),
        _ => return None,
    };
    let signed = |range: Range, number: Decimal| match number < Decimal::ZERO {
        true => Range {
            low: range.high,
            high: range.low,
        },
        false => range,
    };
    Some((
        part,
        match (how, is_left) {
            (Arithmetic::Add, _) => range.map(|end| end.sub(number)),
            (Arithmetic::Subtract, true) => range.map(|end| end.add(number)),
            (Arithmetic::Subtract, false) => range.map(|end| end.sub(number)).negated(),
            (Arithmetic::Multiply, _) if number != Decimal::ZERO => {
                let ends = range.wider(STEP).map(|end| end.div(number));
                signed(ends, number).wider(STEP)
            }
            (Arithmetic::Divide, true) if number != Decimal::ZERO => {
                let ends = range.wider(STEP).map(|end| end.mul(number));
                signed(ends, number).wider(STEP)
            }
            (Arithmetic::Multiply | Arithmetic::Divide, _) => return None,
        },
    ))
}

/// Days since are days until, turned round; what is counted is whole, and things are never fewer than none.
pub(super) fn counted(value: &Expr, range: Range, scope: &Scope) -> (Expr, Range) {
    let turned = |kind: ExprKind| Expr {
        kind,
        ty: value.ty.clone(),
    };
    match &value.kind {
        ExprKind::DaysSince(date) => (
            turned(ExprKind::DaysUntil(date.clone())),
            range.negated().whole(),
        ),
        ExprKind::BusinessDaysSince(date) => (
            turned(ExprKind::BusinessDaysUntil(date.clone())),
            range.negated().whole(),
        ),
        ExprKind::DaysUntil(_) | ExprKind::BusinessDaysUntil(_) => (value.clone(), range.whole()),
        ExprKind::Count(_) => (value.clone(), from_nought(range)),
        ExprKind::Metric(index) if is_count(*index, scope) => (value.clone(), from_nought(range)),
        _ => (value.clone(), range),
    }
}

/// Whether a key as `counted` gives it is always a whole number.
pub(super) fn is_whole(key: &Expr, scope: &Scope) -> bool {
    match &key.kind {
        ExprKind::DaysUntil(_) | ExprKind::BusinessDaysUntil(_) | ExprKind::Count(_) => true,
        ExprKind::Metric(index) => is_count(*index, scope),
        _ => false,
    }
}

fn from_nought(range: Range) -> Range {
    let mut range = range.whole();
    range.narrow(&Range {
        low: Some((Decimal::ZERO, true)),
        high: None,
    });
    range
}

fn is_count(index: usize, scope: &Scope) -> bool {
    let metric = scope.world.metrics.at(index);
    metric.is_some_and(|(_, metric)| metric.is_count)
}

/// The number that an expression is, whatever the data.
pub(super) fn constant(expr: &Expr) -> Option<Decimal> {
    match &expr.kind {
        ExprKind::Const(value) => value.decimal(),
        ExprKind::Negate(inner) => constant(inner)?.neg(),
        _ => None,
    }
}
