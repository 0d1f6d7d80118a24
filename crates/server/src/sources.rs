//! Sources: other topics whose records become facts, each read by one process, from where it was left.
//!
//! What a record became and how far its partition is are one commit, so a cut loses nothing; what is told twice all the
//! same has the same id. What can't be used is put aside. What may be another topic is not read on.

mod again;
mod copied;
mod keeper;
mod look;
mod proof;
mod reader;
mod turn;

pub use again::again;
pub(crate) use copied::{CopiedUntil, copied_until};
pub(crate) use keeper::SourceKeeper;
pub use look::{From, Tried, TryError, Wanted, look, resume, try_source};
pub use proof::Lag;
pub(crate) use proof::{Doubt, lags, prove};
