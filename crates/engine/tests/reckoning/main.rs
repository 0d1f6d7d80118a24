//! Evaluation and look-ahead against slow evaluators that keep every raw event and know no buckets.

mod civil;
mod dice;
mod flips;
mod journey;
mod random;
mod rules;
mod slow;
mod sometimes;
mod twin;
mod workspace;
mod world;
