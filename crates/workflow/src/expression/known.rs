//! Knowledge: what can never be unknown, and what surely is known while a condition is true.

use super::directory::Directory;
use super::scope::Scope;
use crate::program::{Arithmetic, Entity, Expr, ExprKind, StepResult};
use model::Decimal;

/// Whether an expression can never be unknown.
pub fn is_always_known(expr: &Expr, scope: &Scope) -> bool {
    is_known_beside(expr, scope, &[])
}

/// Whether an expression can't be unknown where all of `known` are known.
pub fn is_known_beside(expr: &Expr, scope: &Scope, known: &[Expr]) -> bool {
    let all = |expr: &Expr| {
        expr.children()
            .into_iter()
            .all(|part| is_known_beside(part, scope, known))
    };
    if known.contains(expr) {
        return true;
    }
    match &expr.kind {
        ExprKind::Known(inner) => !asks_of_events(inner),
        ExprKind::Else(left, right) => {
            is_known_beside(left, scope, known) || is_known_beside(right, scope, known)
        }
        ExprKind::Where { .. } | ExprKind::Count(_) => true,
        ExprKind::Arithmetic {
            how: Arithmetic::Divide,
            right,
            ..
        } => is_not_nought(right) && all(expr),
        _ if expr.children().is_empty() => is_always_there(expr, scope),
        _ => all(expr),
    }
}

/// Whether something read is always there.
fn is_always_there(expr: &Expr, scope: &Scope) -> bool {
    let world = &scope.world;
    match &expr.kind {
        ExprKind::Account(field) => is_required(&world.schema.account, field),
        ExprKind::Contract(field) => {
            scope.has_contract && is_required(&world.schema.contract, field)
        }
        ExprKind::Contact(field) => is_required(&world.schema.contact, field),
        ExprKind::Event(_) if scope.record.is_some() => false,
        ExprKind::Event(field) => is_in_every_event(scope.event.as_ref(), field, scope),
        ExprKind::StartedBy(field) => is_in_every_event(scope.started_by.as_ref(), field, scope),
        ExprKind::Metric(index) => is_known(&world.metrics, *index),
        ExprKind::Segment(index) => is_known(&world.segments, *index),
        ExprKind::Label(index) => is_known(&world.labels, *index),
        ExprKind::With(index) => scope.with.get(*index).is_some_and(|given| given.is_known),
        ExprKind::Remember(index) => {
            let given = scope.remember.get(*index);
            given.is_some_and(|given| given.is_known)
        }
        ExprKind::Step { result, .. } => !matches!(
            result,
            StepResult::Outcome | StepResult::Event(_) | StepResult::Chosen
        ),
        ExprKind::Const(_)
        | ExprKind::ThisContact
        | ExprKind::Risk(_)
        | ExprKind::RiskOpen(_)
        | ExprKind::AnyOpenRisk
        | ExprKind::List(_) => true,
        // CSMs, roles, trends and health: there may be none. What is not named here is not promised.
        _ => false,
    }
}

fn is_in_every_event(kinds: Option<&Vec<Box<str>>>, field: &str, scope: &Scope) -> bool {
    kinds.into_iter().flatten().all(|kind| {
        let event = scope.world.schema.events.get(kind);
        let field = event.and_then(|event| event.fields.get(field));
        field.is_some_and(|field| field.is_required)
    })
}

fn is_required(entity: &Entity, field: &str) -> bool {
    entity
        .fields
        .get(field)
        .is_some_and(|field| field.is_required)
}

fn is_known(names: &Directory, index: usize) -> bool {
    names.at(index).is_some_and(|(_, defined)| defined.is_known)
}

fn is_not_nought(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Const(value) => value.decimal().is_some_and(|value| value != Decimal::ZERO),
        _ => false,
    }
}

/// Whether "is it known" may itself be unknown: what was not seen in a window that is not covered proves nothing.
fn asks_of_events(expr: &Expr) -> bool {
    let is_of_events = matches!(
        expr.kind,
        ExprKind::Metric(_)
            | ExprKind::Previous(_)
            | ExprKind::Change(_)
            | ExprKind::Segment(_)
            | ExprKind::Label(_)
            | ExprKind::With(_)
            | ExprKind::Remember(_)
    );
    is_of_events || expr.children().into_iter().any(asks_of_events)
}

/// What surely is known while the condition is true: fields, metrics and the like, as expressions.
pub fn known_when_true(condition: &Expr) -> Vec<Expr> {
    known_when(condition, true)
}

/// The same of a condition that is true, or false.
pub(super) fn known_when(expr: &Expr, truth: bool) -> Vec<Expr> {
    match &expr.kind {
        ExprKind::Not(inner) => known_when(inner, !truth),
        ExprKind::And(all) if truth => union(all.iter().map(|part| known_when(part, true))),
        ExprKind::And(all) => shared(all.iter().map(|part| known_when(part, false))),
        ExprKind::Or(all) if truth => shared(all.iter().map(|part| known_when(part, true))),
        ExprKind::Or(all) => union(all.iter().map(|part| known_when(part, false))),
        ExprKind::Known(inner) if truth => surely(inner),
        ExprKind::Known(_) => Vec::new(),
        ExprKind::Else(left, right) => {
            shared([known_when(left, truth), known_when(right, truth)].into_iter())
        }
        _ => surely(expr),
    }
}

/// What surely is known while the condition is not false (`while`, where unknown means: stay): what of it is never
/// unknown must be true.
pub fn known_unless_false(condition: &Expr, scope: &Scope) -> Vec<Expr> {
    match &condition.kind {
        ExprKind::And(all) => union(all.iter().map(|part| known_unless_false(part, scope))),
        _ if is_always_known(condition, scope) => known_when_true(condition),
        _ => Vec::new(),
    }
}

/// Whether what is known stays known for ever: what is written down once, and never again.
pub fn lasts(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::StartedBy(_) | ExprKind::Remember(_) | ExprKind::Step { .. }
    )
}

/// What is known when this is.
pub fn surely(expr: &Expr) -> Vec<Expr> {
    let below = expr.children();
    match &expr.kind {
        ExprKind::And(_) | ExprKind::Or(_) | ExprKind::Else(..) => {
            shared(below.into_iter().map(surely))
        }
        ExprKind::Among { value, .. } => surely(value),
        ExprKind::Const(_)
        | ExprKind::Known(_)
        | ExprKind::List(_)
        | ExprKind::Where { .. }
        | ExprKind::Count(_) => Vec::new(),
        _ if below.is_empty() => vec![expr.clone()],
        _ => union(below.into_iter().map(surely)),
    }
}

fn union(sets: impl Iterator<Item = Vec<Expr>>) -> Vec<Expr> {
    let mut all: Vec<Expr> = Vec::new();
    for expr in sets.flatten() {
        if !all.contains(&expr) {
            all.push(expr);
        }
    }
    all
}

fn shared(mut sets: impl Iterator<Item = Vec<Expr>>) -> Vec<Expr> {
    let Some(mut common) = sets.next() else {
        return Vec::new();
    };
    for set in sets {
        common.retain(|expr| set.contains(expr));
    }
    common
}
