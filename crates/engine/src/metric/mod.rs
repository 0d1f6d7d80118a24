//! Metrics: what is kept of events, and what that gives at an instant.
//!
//! For each basis (event, field, condition) an account keeps one [`Tally`], small and needed at every decision, and, where
//! different values are counted, one [`Values`], big and touched only when such an event comes in.
//!
//! Folding is in two strokes, since the first reads the account and the second changes it:
//! `let told = tell(&scene, &plan, kind, at)` and then, for each, `one.fold(&mut metrics, &mut sets)`.

mod amount;
mod backfill;
mod coverage;
mod distinct;
mod plan;
mod read;
mod tally;
mod tell;
mod uses;

pub use backfill::Backfill;
pub use coverage::Coverage;
pub use distinct::{DISTINCT_VALUES_MAX, Sets, Values};
pub use plan::{Need, Plan};
pub(crate) use read::{Covered, Span};
pub use tally::{DAYS_KEPT_MAX, Metrics, Tally};
pub use tell::{Told, tell};
pub(crate) use uses::{children, read_in};
