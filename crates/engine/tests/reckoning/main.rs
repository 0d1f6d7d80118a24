//! Evaluation and look-ahead against slow evaluators that keep every raw event and know no buckets.
//!
//! Each of these was broken once on purpose, and seen to turn the tests red:
//!
//! | what was broken | what the tests said |
//! |---|---|
//! | the next midnight is 24 hours after the last | `flips`: seed 103, a condition over `days_until` is held after it flipped |
//! | windows that become covered are not looked ahead for | `flips`: seed 7, unknown where it is false |
//! | `stale_after` is not looked ahead for | `flips`: seed 5, the band is red where it is unknown |
//! | buckets leave their window a day late | `flips`: seed 3, true where it is unknown |
//! | what was worked out is not forgotten when the state changes | `flips`: seed 6, unknown where it is true |
//! | of `or` the later part is waited for | `flips`: seed 17, unknown where it is true |
//! | hours are reached a minute late | `flips`: seed 20, false where it is true |
//! | of hours that go neither way every other minute is passed over | `flips`: seed 91, false where it is unknown |
//! | the stretches of the old zone are kept | `flips`: seed 7, true where it is false |
//! | the end of a hold is not looked ahead for | `twin`: seed 0, the sleeper and the watcher part |
//! | the end of `goal.within` is not | `twin`: seed 1, likewise |
//! | what `wait` waits for is not | `twin`: seed 1, likewise |
//! | what is to stay true (`while`) is not | `twin`: seed 4, likewise |
//! | the end of an approval is not | `twin`: seed 0, likewise |
//! | holds are not followed while a history is open | `twin`: seed 8, a risk holds since another day |

mod civil;
mod dice;
mod flips;
mod journey;
mod kinds;
mod random;
mod rules;
mod slow;
mod sometimes;
mod twin;
mod workspace;
mod world;
