//! Folds a fact into state, decides, simulates, runs scenarios.
//!
//! Knows no tokio, SQL, clock or file system; no stores, no channels, no template texts' meaning.

pub mod account;
pub mod calendar;
pub mod context;
pub mod decide;
mod draw;
pub mod entity;
pub mod erase;
pub mod evaluate;
pub mod fold;
pub mod head;
pub mod health;
mod known;
pub mod log_clock;
pub mod lookahead;
pub mod memory;
pub mod metric;
pub mod named;
mod packed;
pub mod parts;
pub mod plan;
pub mod preview;
pub mod rebase;
pub mod rules;
pub mod run;
pub mod scenario;
pub mod sends;
pub mod simulate;
pub mod source;
pub mod stop;
pub mod stored;
mod turn;
mod weight;
pub mod why;

pub use account::Account;
pub use context::{Clock, Context, Csms, Input, OwnRecord, PartsNeeded, Pins, parts_needed};
pub use decide::decide;
pub use rebase::{Change, Resting};
pub use rules::Rules;
pub use stored::DecodeError;
