//! The product from outside, against real servers; one binary, because a link is expensive.

mod kill;
mod office;
mod servers;
mod smtp;
