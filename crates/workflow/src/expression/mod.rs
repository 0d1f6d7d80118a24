//! Expressions: text to a checked [`Expr`], or to every mistake in it.
//!
//! `parse` reads, `check` resolves and types, `print` writes an expression back; `known`, `passing` and `verdict`
//! say what follows from one.

mod call;
mod check;
mod known;
pub mod mistake;
mod name;
mod operation;
mod parse;
mod parts;
mod passing;
mod print;
pub mod scope;
mod syntax;
mod token;
mod verdict;
mod want;
mod words;

pub use known::{is_always_known, known_when_true};
pub use mistake::Mistake;
pub use parse::{EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX};
pub use passing::{changes_with_time, wakes_daily};
pub use print::{Naming, print};
pub use scope::{Defined, Given, Scope, StepKind, World};
pub use verdict::{DateWindow, Verdict, date_windows, verdict};
pub use want::{Want, compile};
pub(crate) use words::a_type;
pub use words::type_of;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::fixture;
