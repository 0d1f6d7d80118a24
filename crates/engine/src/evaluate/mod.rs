//! Expressions at one instant: total, three-valued, exact.
//!
//! Only *true* acts. A comparison with something unknown is unknown; `false and unknown` is false, `true or unknown`
//! is true. A label is the word of its first line that is **true**: a line that is unknown is passed over, as everywhere
//! what is not true does not act; a label none of whose lines is true is unknown, and `otherwise` always is true.
//! Inside a window that is not covered a count is [`Reading::AtLeast`]; a comparison with it is known only where more
//! events could not change it.

mod clock;
mod definition;
mod expression;
mod knowledge;
mod list;
mod memo;
mod number;
mod reading;
mod scene;

pub(crate) use clock::{hours_reached, minute_after};
pub(crate) use expression::words_of;
pub use knowledge::{Carrier, Knowledge, RiskCase, StepResults};
pub use list::Item;
pub(crate) use memo::Asked;
pub use memo::Memo;
pub(crate) use number::{Order, order, typed};
pub use reading::Reading;
pub use scene::{RunScope, Scene};
