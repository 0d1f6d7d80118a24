//! Comparisons and arithmetic.

use super::reading::Reading;
use model::{Decimal, Value};
use std::cmp::Ordering;
use workflow::program::{Arithmetic, Comparison, PickList, Type};

/// How two readings stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Both are known.
    Known(Ordering),
    /// Both are known, and neither comes first.
    Different,
    /// The left one is at least what stands so to the right one.
    LeftAtLeast(Ordering),
    /// The right one is at least that to which the left one stands so.
    RightAtLeast(Ordering),
    /// One of them is unknown, or neither is known whole.
    Unknown,
}

/// How two readings stand to each other; words by their list.
pub(crate) fn order(left: &Reading, right: &Reading, words: Option<&PickList>) -> Order {
    match (left, right) {
        (left, Reading::Known(right)) => order_to(left, right, words),
        (Reading::Known(left), Reading::AtLeast(right)) => left
            .decimal()
            .map_or(Order::Unknown, |left| Order::RightAtLeast(left.cmp(right))),
        (
            Reading::Known(_) | Reading::AtLeast(_) | Reading::Unseen | Reading::Unknown,
            Reading::AtLeast(_) | Reading::Unseen | Reading::Unknown,
        ) => Order::Unknown,
    }
}

/// How a reading stands to a known value.
pub(crate) fn order_to(left: &Reading, right: &Value, words: Option<&PickList>) -> Order {
    match left {
        Reading::Known(left) => known_order(left, right, words),
        Reading::AtLeast(left) => right
            .decimal()
            .map_or(Order::Unknown, |right| Order::LeftAtLeast(left.cmp(&right))),
        Reading::Unseen | Reading::Unknown => Order::Unknown,
    }
}

/// How two known values stand to each other.
fn known_order(left: &Value, right: &Value, words: Option<&PickList>) -> Order {
    if let (Some(left), Some(right)) = (left.decimal(), right.decimal()) {
        return Order::Known(left.cmp(&right));
    }
    if let (Some(left), Some(right)) = (left.text(), right.text()) {
        return text_order(left, right, words);
    }
    match (left, right) {
        (Value::Date(left), Value::Date(right)) => Order::Known(left.cmp(right)),
        (Value::Time(left), Value::Time(right)) => Order::Known(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) if left == right => Order::Known(Ordering::Equal),
        (Value::Bool(_), Value::Bool(_)) => Order::Different,
        // The checker lets nothing else meet.
        (
            Value::Bool(_)
            | Value::Number(_)
            | Value::Percent(_)
            | Value::Money(_)
            | Value::Text(_)
            | Value::Word(_)
            | Value::Date(_)
            | Value::Time(_),
            Value::Bool(_)
            | Value::Number(_)
            | Value::Percent(_)
            | Value::Money(_)
            | Value::Text(_)
            | Value::Word(_)
            | Value::Date(_)
            | Value::Time(_),
        ) => Order::Unknown,
    }
}

/// Words stand in the order of their list, where it has one; texts are equal or not.
fn text_order(left: &str, right: &str, words: Option<&PickList>) -> Order {
    if left == right {
        return Order::Known(Ordering::Equal);
    }
    let rank = |word: &str| {
        let list = words.filter(|list| list.is_ordered)?;
        list.words.iter().position(|other| **other == *word)
    };
    match (rank(left), rank(right)) {
        (Some(left), Some(right)) => Order::Known(left.cmp(&right)),
        (Some(_) | None, None) | (None, Some(_)) => Order::Different,
    }
}

/// Whether a comparison holds; none: unknown.
pub(crate) fn holds(how: Comparison, order: Order) -> Option<bool> {
    match order {
        Order::Known(ordering) => Some(match how {
            Comparison::Equal => ordering.is_eq(),
            Comparison::NotEqual => ordering.is_ne(),
            Comparison::Less => ordering.is_lt(),
            Comparison::AtMost => ordering.is_le(),
            Comparison::Greater => ordering.is_gt(),
            Comparison::AtLeast => ordering.is_ge(),
        }),
        Order::Different => match how {
            Comparison::Equal => Some(false),
            Comparison::NotEqual => Some(true),
            Comparison::Less | Comparison::AtMost | Comparison::Greater | Comparison::AtLeast => {
                None
            }
        },
        Order::LeftAtLeast(ordering) => at_least(how, ordering),
        Order::RightAtLeast(ordering) => at_least(turned(how), ordering.reverse()),
        Order::Unknown => None,
    }
}

/// A comparison whose left side is at least what stands so to the right one.
fn at_least(how: Comparison, least: Ordering) -> Option<bool> {
    let (is_known, yes) = match how {
        Comparison::AtLeast => (least.is_ge(), true),
        Comparison::Less => (least.is_ge(), false),
        Comparison::Greater | Comparison::NotEqual => (least.is_gt(), true),
        Comparison::AtMost | Comparison::Equal => (least.is_gt(), false),
    };
    is_known.then_some(yes)
}

/// The comparison seen from the other side.
fn turned(how: Comparison) -> Comparison {
    match how {
        Comparison::Equal => Comparison::Equal,
        Comparison::NotEqual => Comparison::NotEqual,
        Comparison::Less => Comparison::Greater,
        Comparison::AtMost => Comparison::AtLeast,
        Comparison::Greater => Comparison::Less,
        Comparison::AtLeast => Comparison::AtMost,
    }
}

/// A number as a value of a type.
pub(crate) fn typed(decimal: Decimal, ty: &Type) -> Value {
    match ty {
        Type::Percent => Value::Percent(decimal),
        Type::Money => Value::Money(decimal),
        Type::Bool
        | Type::Number
        | Type::Text
        | Type::Word(_)
        | Type::Date
        | Type::Time
        | Type::Contact
        | Type::List(_) => Value::Number(decimal),
    }
}

/// What two readings that do not both serve leave: nothing known, or nothing seen.
fn missing(left: &Reading, right: &Reading) -> Reading {
    let may_be = |one: &Reading| matches!(one, Reading::Unseen | Reading::Known(_));
    if may_be(left) && may_be(right) {
        Reading::Unseen
    } else {
        Reading::Unknown
    }
}

/// An operation on two readings. *At least* survives `+`, and `*` and `/` by a known positive value.
pub(crate) fn arithmetic(how: Arithmetic, left: &Reading, right: &Reading, ty: &Type) -> Reading {
    match (number(left), number(right)) {
        (Number::Known(left), Number::Known(right)) => operate(how, left, right)
            .map_or(Reading::Unknown, |result| Reading::Known(typed(result, ty))),
        (Number::AtLeast(least), Number::Known(other)) => match how {
            Arithmetic::Add => bounded(least.add(other)),
            Arithmetic::Multiply if other > Decimal::ZERO => bounded(least.mul(other)),
            Arithmetic::Divide if other > Decimal::ZERO => bounded(least.div(other)),
            Arithmetic::Subtract | Arithmetic::Multiply | Arithmetic::Divide => Reading::Unknown,
        },
        (Number::Known(other), Number::AtLeast(least)) => match how {
            Arithmetic::Add => bounded(least.add(other)),
            Arithmetic::Multiply if other > Decimal::ZERO => bounded(least.mul(other)),
            Arithmetic::Subtract | Arithmetic::Multiply | Arithmetic::Divide => Reading::Unknown,
        },
        (Number::AtLeast(left), Number::AtLeast(right)) => match how {
            Arithmetic::Add => bounded(left.add(right)),
            Arithmetic::Subtract | Arithmetic::Multiply | Arithmetic::Divide => Reading::Unknown,
        },
        (Number::None, Number::Known(_) | Number::AtLeast(_) | Number::None)
        | (Number::Known(_) | Number::AtLeast(_), Number::None) => missing(left, right),
    }
}

/// A reading as a number.
enum Number {
    Known(Decimal),
    AtLeast(Decimal),
    None,
}

fn number(reading: &Reading) -> Number {
    match reading {
        Reading::Known(value) => value.decimal().map_or(Number::None, Number::Known),
        Reading::AtLeast(least) => Number::AtLeast(*least),
        Reading::Unseen | Reading::Unknown => Number::None,
    }
}

/// At least so much, unless it is too large to say.
fn bounded(least: Option<Decimal>) -> Reading {
    least.map_or(Reading::Unknown, Reading::AtLeast)
}

fn operate(how: Arithmetic, left: Decimal, right: Decimal) -> Option<Decimal> {
    match how {
        Arithmetic::Add => left.add(right),
        Arithmetic::Subtract => left.sub(right),
        Arithmetic::Multiply => left.mul(right),
        Arithmetic::Divide => left.div(right),
    }
}

/// The smaller or larger of two readings, both known.
pub(crate) fn choose(left: &Reading, right: &Reading, wanted: Ordering) -> Reading {
    match (left, right) {
        (Reading::Known(first), Reading::Known(second)) => match order(left, right, None) {
            Order::Known(ordering) if ordering == wanted => Reading::Known(first.clone()),
            Order::Known(_) => Reading::Known(second.clone()),
            Order::Different | Order::LeftAtLeast(_) | Order::RightAtLeast(_) | Order::Unknown => {
                Reading::Unknown
            }
        },
        (
            Reading::Known(_) | Reading::AtLeast(_) | Reading::Unseen | Reading::Unknown,
            Reading::AtLeast(_) | Reading::Unseen | Reading::Unknown,
        )
        | (Reading::AtLeast(_) | Reading::Unseen | Reading::Unknown, Reading::Known(_)) => {
            missing(left, right)
        }
    }
}
