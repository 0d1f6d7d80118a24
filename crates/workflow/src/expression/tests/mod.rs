//! Expressions, tested as data.

mod analysis;
mod brute;
pub(crate) mod fixture;
mod mistakes;
mod random;
mod right;
