//! Expressions, tested as data.

mod analysis;
pub(crate) mod fixture;
mod mistakes;
mod random;
mod right;
