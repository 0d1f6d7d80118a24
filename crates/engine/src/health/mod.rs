//! Health: two sides, one score, a band with margin and hold.

mod band;

pub use band::{State, Update, next_change, update};
