//! Evaluation and look-ahead against slow evaluators that keep every raw event and know no buckets.

mod civil;
mod dice;
mod flips;
mod random;
mod slow;
mod world;
