//! Expressions: text to a checked [`Expr`], or to every mistake in it.
//!
//! `parse` reads, `check` resolves and types, `print` writes an expression back; `known`, `passing` and `verdict`
//! say what follows from one.

mod call;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "expressions have forty kinds, and each question is about a few of them"
)]
mod check;
mod directory;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "expressions have forty kinds, and each question is about a few of them"
)]
mod facts;
mod happened;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "expressions have forty kinds, and each question is about a few of them"
)]
mod known;
mod meeting;
mod membership;
mod misplaced;
pub mod mistake;
mod name;
mod naming;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "expressions have forty kinds, and each question is about a few of them"
)]
mod operation;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "expressions have forty kinds, and each question is about a few of them"
)]
mod parse;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "expressions have forty kinds, and each question is about a few of them"
)]
mod part;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "expressions have forty kinds, and each question is about a few of them"
)]
mod passing;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "expressions have forty kinds, and each question is about a few of them"
)]
mod print;
mod range;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "parts of expressions have twenty kinds, and this is about two of them"
)]
mod record;
pub mod scope;
mod syntax;
mod token;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "expressions have forty kinds, and each question is about a few of them"
)]
mod verdict;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "expressions have forty kinds, and each question is about a few of them"
)]
mod want;
mod words;

pub use directory::Directory;
pub use known::{
    is_always_known, is_known_beside, known_unless_false, known_when_true, lasts, surely,
};
pub use mistake::Mistake;
pub use naming::Naming;
pub use parse::{EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX};
pub use passing::{changes_with_time, wakes_daily};
pub use print::print;
pub use record::RecordNames;
pub(crate) use record::named;
pub use scope::{Defined, Given, Meanings, Scope, StepKind, World};
pub use verdict::{DateWindow, Verdict, can_hold, date_windows, verdict};
pub use want::{Want, compile};
pub(crate) use words::a_type;
pub use words::type_of;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::fixture;
