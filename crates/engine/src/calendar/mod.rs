//! Civil time: days, working days, windows and periods in the zone of whom they concern.

mod business;
mod day;
mod hour;
mod hours;
mod period;
mod schedule;
mod stretch;
mod window;

pub use business::{business_days_between, is_business_day, shift_business_days};
pub use day::{at_time, day_number, day_of, from_number, midnight_after, start_of, zone};
pub use hour::{hour_of, hour_reached};
pub use hours::{is_open, next_open, window_end};
pub use period::{add, at_window, period_bounds};
pub use schedule::{Occurrence, next_occurrence, occurrence_after};
pub use stretch::Stretches;
pub use window::leaves_window;
