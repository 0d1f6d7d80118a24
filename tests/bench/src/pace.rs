//! Keeps a pace: what is measured against comes at a steady rate, or takes its time.

use std::time::Duration;

/// Lets `time` pass on a thread that nobody wakes.
pub(crate) fn pass(time: Duration) {
    if !time.is_zero() {
        std::thread::park_timeout(time);
    }
}
