//! Between which bounds does a number stay up to an instant? For what neither only rises nor only falls.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an expression has some forty kinds: each reader names those that it is about"
)]

use super::course::{Trend, course};
use crate::evaluate::{Reading, Scene};
use jiff::Timestamp;
use model::Decimal;
use std::cmp::Ordering;
use workflow::program::{Arithmetic, Expr, ExprKind};

/// The least and the greatest value.
pub(super) type Range = (Decimal, Decimal);

/// The shortest span looked at.
const MINUTE: i128 = 60_000_000_000;
/// How often it is doubled: to years.
const DOUBLINGS_MAX: u32 = 22;

/// An instant up to which `left` surely stands to `right` as it does now, both known; none: it cannot be told.
pub(super) fn apart_until(
    scene: &Scene<'_>,
    left: &Expr,
    right: impl Fn(Timestamp) -> Option<Range>,
) -> Option<Timestamp> {
    let mut sure = None;
    for doubling in 0..DOUBLINGS_MAX {
        let later = scene.now().as_nanosecond() + (MINUTE << doubling);
        let until = Timestamp::from_nanosecond(later).ok()?;
        let (Some(one), Some(other)) = (range(scene, left, until), right(until)) else {
            break;
        };
        // Only a gap says for sure: where the ranges touch, the order may change inside.
        match (one.1.cmp(&other.0), one.0.cmp(&other.1)) {
            (Ordering::Less, _) | (_, Ordering::Greater) => sure = Some(until),
            (Ordering::Equal | Ordering::Greater, Ordering::Less | Ordering::Equal) => break,
        }
    }
    sure
}

/// The bounds of a number from now up to an instant; none: it may become unknown, or nobody knows.
pub(super) fn range(scene: &Scene<'_>, expr: &Expr, until: Timestamp) -> Option<Range> {
    let course = course(scene, expr);
    if course.until.is_some_and(|sure| sure <= until) {
        return None;
    }
    let value = |scene: &Scene<'_>| number(scene, expr);
    match course.trend {
        Trend::Constant => value(scene).map(|value| (value, value)),
        Trend::Rising => Some((value(scene)?, value(&scene.at(until))?)),
        Trend::Falling => Some((value(&scene.at(until))?, value(scene)?)),
        Trend::Other => inside(scene, expr, until),
    }
}

/// A number, or what it is at least: while windows stay uncovered the one does not become the other.
fn number(scene: &Scene<'_>, expr: &Expr) -> Option<Decimal> {
    match scene.reading(expr) {
        Reading::Known(value) => value.decimal(),
        Reading::AtLeast(least) => Some(least),
        Reading::Unseen | Reading::Unknown => None,
    }
}

/// An instant up to which a number surely stays known; none: it cannot be told.
pub(super) fn bounded_until(scene: &Scene<'_>, expr: &Expr) -> Option<Timestamp> {
    let instants = (0..DOUBLINGS_MAX).map_while(|doubling| {
        let later = scene.now().as_nanosecond() + (MINUTE << doubling);
        Timestamp::from_nanosecond(later).ok()
    });
    instants
        .take_while(|until| range(scene, expr, *until).is_some())
        .last()
}

/// The bounds of an operation from those of its sides.
fn inside(scene: &Scene<'_>, expr: &Expr, until: Timestamp) -> Option<Range> {
    let of = |one: &Expr| range(scene, one, until);
    match &expr.kind {
        ExprKind::Arithmetic { how, left, right } => {
            let scene = scene.of_quotient(*how, left, right);
            let (first, second) = (range(&scene, left, until)?, range(&scene, right, until)?);
            // *At least* survives `*` and `/` only while the other side is above nought.
            let is_bare = matches!(scene.reading(expr), Reading::AtLeast(_));
            let is_scaled = matches!(how, Arithmetic::Multiply | Arithmetic::Divide);
            if is_bare && is_scaled && (first.0 < Decimal::ZERO || second.0 <= Decimal::ZERO) {
                return None;
            }
            operation(*how, first, second)
        }
        ExprKind::Negate(one) => {
            let (low, high) = of(one)?;
            Some((high.neg()?, low.neg()?))
        }
        ExprKind::Round(one) => {
            let (low, high) = of(one)?;
            Some((low.round()?, high.round()?))
        }
        ExprKind::Min(left, right) => {
            let (left, right) = (of(left)?, of(right)?);
            Some((left.0.min(right.0), left.1.min(right.1)))
        }
        ExprKind::Max(left, right) => {
            let (left, right) = (of(left)?, of(right)?);
            Some((left.0.max(right.0), left.1.max(right.1)))
        }
        ExprKind::Else(first, _) => of(first),
        _ => {
            let value = number(scene, expr)?;
            let step = course(scene, expr).step;
            step.is_none_or(|step| step > until)
                .then_some((value, value))
        }
    }
}

fn operation(how: Arithmetic, left: Range, right: Range) -> Option<Range> {
    let ends = |of: fn(Decimal, Decimal) -> Option<Decimal>| {
        let all = [
            of(left.0, right.0)?,
            of(left.0, right.1)?,
            of(left.1, right.0)?,
            of(left.1, right.1)?,
        ];
        Some((*all.iter().min()?, *all.iter().max()?))
    };
    match how {
        Arithmetic::Add => ends(Decimal::add),
        Arithmetic::Subtract => ends(Decimal::sub),
        Arithmetic::Multiply => ends(Decimal::mul),
        Arithmetic::Divide if right.0 > Decimal::ZERO || right.1 < Decimal::ZERO => {
            ends(Decimal::div)
        }
        Arithmetic::Divide => None,
    }
}
