//! Expressions in their places: one text, or lists under `all:` and `any:`.

use super::Notes;
use super::keys::{Keys, items};
use super::notation::PERIOD_DAYS_MAX;
use super::value::{scalar, short};
use crate::diagnostic::Span;
use crate::expression::{Mistake, Scope, Want, compile};
use crate::program::{AtWindow, Expr, ExprKind, Type};
use crate::yaml::{Node, NodeKind, Scalar};

/// Keys of a condition that is a map.
pub(crate) const CONDITION_KEYS: [&str; 2] = ["all", "any"];

/// An expression; every mistake in it is noted where it stands in the file.
pub(crate) fn expression(
    notes: &mut Notes,
    node: &Node,
    scope: &Scope,
    want: &Want,
) -> Option<Expr> {
    let scalar = scalar(notes, node, "an expression")?;
    part(notes, scalar, 0, scope, want)
}

/// The expression that begins at byte `from` of a scalar.
fn part(
    notes: &mut Notes,
    scalar: &Scalar,
    from: usize,
    scope: &Scope,
    want: &Want,
) -> Option<Expr> {
    match compile(&scalar.text[from..], scope, want) {
        Ok(expr) => Some(expr),
        Err(mistakes) => {
            for mistake in mistakes {
                note(notes, scalar, from, mistake);
            }
            None
        }
    }
}

fn note(notes: &mut Notes, scalar: &Scalar, from: usize, mistake: Mistake) {
    let range = from + mistake.at.start..from + mistake.at.end;
    let span = scalar.offsets.span(&range);
    notes.error_help(mistake.code, span, mistake.message, mistake.help);
}

/// A condition: one text, or `all: [ … ]`, or `any: [ … ]`.
pub(crate) fn condition(notes: &mut Notes, node: &Node, scope: &Scope) -> Option<Expr> {
    let NodeKind::Map(_) = &node.kind else {
        return expression(notes, node, scope, &Want::Condition);
    };
    let keys = Keys::of(notes, node, "a condition", &CONDITION_KEYS)?;
    if keys.has("all") && keys.has("any") {
        let help = "put one of them inside the other";
        let message = "a condition has either `all` or `any`";
        notes.error_help("E103", keys.place(), message, help.to_owned());
        return None;
    }
    if let Some(list) = keys.get(notes, "all") {
        return conditions(notes, list, scope).map(|all| joined(ExprKind::And(all)));
    }
    let list = keys.get(notes, "any")?;
    conditions(notes, list, scope).map(|any| joined(ExprKind::Or(any)))
}

fn joined(kind: ExprKind) -> Expr {
    Expr {
        kind,
        ty: Type::Bool,
    }
}

fn conditions(notes: &mut Notes, list: &Node, scope: &Scope) -> Option<Vec<Expr>> {
    let items = items(notes, list, "a list of conditions")?;
    if items.is_empty() {
        notes.error("E103", list.span, "this list of conditions is empty");
        return None;
    }
    let read: Vec<Option<Expr>> = items
        .iter()
        .map(|item| condition(notes, item, scope))
        .collect();
    read.into_iter().collect()
}

/// A window around a date: `120..106 days before contract.renewal_date`.
pub(crate) fn window(notes: &mut Notes, node: &Node, scope: &Scope) -> Option<AtWindow> {
    let scalar = scalar(notes, node, "a window")?;
    let Some(shape) = Shape::of(&scalar.text) else {
        let message = format!("`{}` is not a window around a date", short(&scalar.text));
        let help = "for example `120..106 days before contract.renewal_date` or `7 days after contract.start_date`";
        notes.error_help("E103", node.span, message, help.to_owned());
        return None;
    };
    let is_in_order = shape.check_order(notes, scalar);
    let date = part(notes, scalar, shape.date_at, scope, &Want::Day)?;
    let (first, last) = if shape.is_before {
        (-shape.first, -shape.last)
    } else {
        (shape.first, shape.last)
    };
    is_in_order.then_some(AtWindow {
        date,
        opens: first,
        closes: last,
        is_business: shape.is_business,
    })
}

/// The words of a window before its date.
struct Shape {
    first: i32,
    last: i32,
    is_before: bool,
    is_business: bool,
    /// Length of the numbers.
    numbers: usize,
    date_at: usize,
}

impl Shape {
    fn of(text: &str) -> Option<Self> {
        let (numbers, rest) = text.split_once(' ')?;
        let (first, last) = numbers.split_once("..").unwrap_or((numbers, numbers));
        let days = |digits: &str| {
            let days: i32 = digits.parse().ok()?;
            (0..=i32::try_from(PERIOD_DAYS_MAX).ok()?)
                .contains(&days)
                .then_some(days)
        };
        let (is_business, rest) = match rest.strip_prefix("business ") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let rest = rest
            .strip_prefix("days ")
            .or_else(|| rest.strip_prefix("day "))?;
        let (side, date) = rest.split_once(' ')?;
        Some(Self {
            first: days(first)?,
            last: days(last)?,
            is_before: match side {
                "before" => true,
                "after" => false,
                _ => return None,
            },
            is_business,
            numbers: numbers.len(),
            date_at: text.len() - date.len(),
        })
    }

    /// Before a date one counts down, after it up; E401 otherwise.
    fn check_order(&self, notes: &mut Notes, scalar: &Scalar) -> bool {
        let (early, late, side) = if self.is_before {
            (self.last, self.first, "before")
        } else {
            (self.first, self.last, "after")
        };
        if early <= late {
            return true;
        }
        let span: Span = scalar.offsets.span(&(0..self.numbers));
        let message = format!(
            "this window is empty: it closes before it opens, {} days {side} the date",
            self.first
        );
        let help = format!("write {}..{}", self.last, self.first);
        notes.error_help("E401", span, message, help);
        false
    }
}
