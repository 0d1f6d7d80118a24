//! The parts right below an expression.

use crate::program::{Expr, ExprKind};

/// The parts right below, left to right.
pub(crate) fn parts(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Const(_)
        | ExprKind::Account(_)
        | ExprKind::Contract(_)
        | ExprKind::Contact(_)
        | ExprKind::Csm(_)
        | ExprKind::Risk(_)
        | ExprKind::Event(_)
        | ExprKind::EventContact { .. }
        | ExprKind::Role(_)
        | ExprKind::RoleField { .. }
        | ExprKind::Metric(_)
        | ExprKind::Previous(_)
        | ExprKind::Change(_)
        | ExprKind::Segment(_)
        | ExprKind::Label(_)
        | ExprKind::Health(_)
        | ExprKind::RiskOpen(_)
        | ExprKind::AnyOpenRisk
        | ExprKind::With(_)
        | ExprKind::Remember(_)
        | ExprKind::Step { .. }
        | ExprKind::List(_) => Vec::new(),
        ExprKind::Where {
            list,
            condition,
            sort,
        } => {
            let sort = sort.iter().map(|(by, _)| &**by);
            [&**list, &**condition].into_iter().chain(sort).collect()
        }
        ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().collect(),
        ExprKind::Among { value, list } => std::iter::once(&**value).chain(list).collect(),
        ExprKind::Count(part)
        | ExprKind::Not(part)
        | ExprKind::Between { value: part, .. }
        | ExprKind::InPeriod { date: part, .. }
        | ExprKind::Known(part)
        | ExprKind::Negate(part)
        | ExprKind::DaysUntil(part)
        | ExprKind::DaysSince(part)
        | ExprKind::BusinessDaysUntil(part)
        | ExprKind::BusinessDaysSince(part)
        | ExprKind::HoursSince(part)
        | ExprKind::Round(part) => vec![part],
        ExprKind::Compare { left, right, .. } | ExprKind::Arithmetic { left, right, .. } => {
            vec![left, right]
        }
        ExprKind::Contains { whole, part } => vec![whole, part],
        ExprKind::Else(left, right) | ExprKind::Min(left, right) | ExprKind::Max(left, right) => {
            vec![left, right]
        }
    }
}
