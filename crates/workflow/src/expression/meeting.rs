//! Which types may meet, and what comes of it.

use super::check::Typed;
use crate::program::{Expr, ExprKind, Type};
use model::Value;

/// A plain number literal as money.
pub(super) fn as_money(expr: Expr, beside: &Type) -> Expr {
    match (&expr.kind, beside) {
        (ExprKind::Const(Value::Number(number)), Type::Money) => Expr {
            kind: ExprKind::Const(Value::Money(*number)),
            ty: Type::Money,
        },
        _ => expr,
    }
}

/// Number literals become money beside money.
pub(super) fn alike(one: Typed, two: Typed) -> (Typed, Typed) {
    match (one, two) {
        (Some(one), Some(two)) => {
            let left = as_money(one.clone(), &two.ty);
            let right = as_money(two, &one.ty);
            (Some(left), Some(right))
        }
        other => other,
    }
}

/// Whether `<` makes sense.
pub(super) fn has_order(ty: &Type) -> bool {
    match ty {
        Type::Number | Type::Percent | Type::Money | Type::Date | Type::Time => true,
        Type::Word(list) => list.is_ordered,
        Type::Bool | Type::Text | Type::Contact | Type::List(_) => false,
    }
}

/// Whether it can be reckoned with.
pub(super) fn is_numeric(ty: &Type) -> bool {
    matches!(ty, Type::Number | Type::Percent | Type::Money)
}

/// What a sum or difference gives.
pub(super) fn sum_type(one: &Type, two: &Type) -> Option<Type> {
    match (one, two) {
        (Type::Money, Type::Money | Type::Number) | (Type::Number, Type::Money) => {
            Some(Type::Money)
        }
        (a, b) if a == b && is_numeric(a) => Some(a.clone()),
        _ => None,
    }
}

/// What a product gives.
pub(super) fn product_type(one: &Type, two: &Type) -> Option<Type> {
    match (one, two) {
        (Type::Money, Type::Number | Type::Percent)
        | (Type::Number | Type::Percent, Type::Money) => Some(Type::Money),
        (Type::Percent, Type::Percent) => Some(Type::Percent),
        (Type::Number, Type::Number | Type::Percent) | (Type::Percent, Type::Number) => {
            Some(Type::Number)
        }
        _ => None,
    }
}

/// What a quotient gives.
pub(super) fn quotient_type(one: &Type, two: &Type) -> Option<Type> {
    match (one, two) {
        (Type::Money, Type::Number | Type::Percent) => Some(Type::Money),
        (Type::Money, Type::Money) | (Type::Percent, Type::Percent) => Some(Type::Number),
        (Type::Number, Type::Number | Type::Percent) => Some(Type::Number),
        (Type::Percent, Type::Number) => Some(Type::Percent),
        _ => None,
    }
}
