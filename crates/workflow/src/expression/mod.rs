//! Expressions: text to a checked [`Expr`], or to every mistake in it.
//!
//! `compile` reads, resolves and types; `print` writes an expression back; `analysis` says what follows from one.

pub mod mistake;
pub mod scope;

pub use mistake::Mistake;
pub use scope::{Defined, Given, Scope, StepKind, World};

use crate::program::{Expr, Type};

/// What an expression is wanted for.
#[derive(Clone, Debug, PartialEq)]
pub enum Want {
    /// Yes or no (E303).
    Condition,
    /// Something to compare with this type: `green: good` beside a pick-list, `green: 60%` beside a percentage.
    /// Where money is wanted a plain number will do.
    Value(Type),
    /// A number, a percentage or money.
    Numeric,
    /// A contact or contacts: recipients (an unknown word is E204).
    Contacts,
    /// A date or a time.
    Day,
    /// Anything but a mistake.
    Anything,
}

/// Reads and checks one expression. An error without any mistake means: it uses a name that failed to check
/// elsewhere, so there is nothing new to say, and whatever is defined by it has failed too.
pub fn compile(text: &str, scope: &Scope, want: &Want) -> Result<Expr, Vec<Mistake>> {
    let nothing = (text, scope, want);
    let _ = nothing;
    Err(Vec::new())
}

/// Whether an expression can never be unknown.
pub fn is_always_known(expr: &Expr, scope: &Scope) -> bool {
    let nothing = (expr, scope);
    let _ = nothing;
    false
}

/// Whether time alone can change its value.
pub fn changes_with_time(expr: &Expr, scope: &Scope) -> bool {
    let nothing = (expr, scope);
    let _ = nothing;
    false
}

/// Whether its value cannot be looked ahead exactly, so that every account wakes daily for it (W410).
pub fn wakes_daily(expr: &Expr, scope: &Scope) -> bool {
    let nothing = (expr, scope);
    let _ = nothing;
    false
}

/// What surely is known while the condition is true: fields, metrics and the like, as expressions.
pub fn known_when_true(condition: &Expr) -> Vec<Expr> {
    let _ = condition;
    Vec::new()
}

/// What can be said of a condition without any data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It can never be true (E601).
    Never,
    /// It is always true (W602).
    Always,
    /// Neither can be shown.
    Open,
}

/// Whether a condition contradicts itself, or can't be anything but true. What it cannot decide is `Open`.
pub fn verdict(condition: &Expr, scope: &Scope) -> Verdict {
    let nothing = (condition, scope);
    let _ = nothing;
    Verdict::Open
}

/// A range of days until a date outside of which a condition surely is not true.
#[derive(Clone, Debug, PartialEq)]
pub struct DateWindow {
    /// The date.
    pub date: Expr,
    /// The fewest days until it, if bounded.
    pub low: Option<i64>,
    /// The most days until it, if bounded.
    pub high: Option<i64>,
}

/// The date windows that bound a condition (E403, E405).
pub fn date_windows(condition: &Expr) -> Vec<DateWindow> {
    let _ = condition;
    Vec::new()
}

/// The nearest of some names to a word, if it is near enough to be meant (Damerau-Levenshtein at most
/// `max(2, length / 3)`).
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let reach = 2.max(word.chars().count() / 3);
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|(distance, _)| *distance <= reach)
        .min()
        .map(|(_, name)| name)
}
