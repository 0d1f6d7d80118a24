//! Expressions, tested as data.

mod analysis;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "expressions have forty kinds, and the small worlds hold a few of them"
)]
mod brute;
pub(crate) mod fixture;
mod mistakes;
mod random;
mod right;
