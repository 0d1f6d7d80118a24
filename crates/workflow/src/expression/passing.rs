//! Passing time: what time alone can change, and how closely the next change can be foreseen.

use super::directory::Directory;
use super::scope::Scope;
use crate::program::{Expr, ExprKind, ListKind};

/// Whether time alone can change its value.
pub fn changes_with_time(expr: &Expr, scope: &Scope) -> bool {
    let world = &scope.world;
    let below = || {
        expr.children()
            .into_iter()
            .any(|part| changes_with_time(part, scope))
    };
    match &expr.kind {
        ExprKind::DaysUntil(_)
        | ExprKind::DaysSince(_)
        | ExprKind::BusinessDaysUntil(_)
        | ExprKind::BusinessDaysSince(_)
        | ExprKind::HoursSince(_)
        | ExprKind::InPeriod { .. }
        | ExprKind::Previous(_)
        | ExprKind::Change(_)
        | ExprKind::Health(_) => true,
        ExprKind::Metric(index) => changes(&world.metrics, *index),
        ExprKind::Segment(index) => changes(&world.segments, *index),
        ExprKind::Label(index) => changes(&world.labels, *index),
        ExprKind::RiskOpen(index) => changes(&world.risks, *index),
        ExprKind::AnyOpenRisk | ExprKind::List(ListKind::Risks) => {
            world.risks.values().any(|risk| risk.changes_with_time)
        }
        ExprKind::With(index) => scope
            .with
            .get(*index)
            .is_some_and(|given| given.changes_with_time),
        _ => below(),
    }
}

fn changes(names: &Directory, index: usize) -> bool {
    names
        .at(index)
        .is_some_and(|(_, defined)| defined.changes_with_time)
}

/// Whether its value moves with every day (or hour) and is used other than by comparing it with a fixed number,
/// so that every account wakes daily for it (W410).
pub fn wakes_daily(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Compare { left, right, .. } if is_fixed(right) => counts_below(left),
        ExprKind::Compare { left, right, .. } if is_fixed(left) => counts_below(right),
        ExprKind::Between { value, .. } => counts_below(value),
        ExprKind::Among { value, list } if list.iter().all(is_fixed) => counts_below(value),
        _ => is_counter(expr) || expr.children().into_iter().any(wakes_daily),
    }
}

/// Whether a compared value moves daily in more than the plain way.
fn counts_below(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::DaysUntil(inner)
        | ExprKind::DaysSince(inner)
        | ExprKind::BusinessDaysUntil(inner)
        | ExprKind::BusinessDaysSince(inner)
        | ExprKind::HoursSince(inner) => wakes_daily(inner),
        ExprKind::Negate(inner) => counts_below(inner),
        ExprKind::Else(left, right) if is_fixed(right) => counts_below(left),
        ExprKind::Arithmetic { left, right, .. } if is_fixed(right) => counts_below(left),
        _ => wakes_daily(expr),
    }
}

fn is_counter(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::DaysUntil(_)
            | ExprKind::DaysSince(_)
            | ExprKind::BusinessDaysUntil(_)
            | ExprKind::BusinessDaysSince(_)
            | ExprKind::HoursSince(_)
    )
}

fn is_fixed(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Const(_))
}
