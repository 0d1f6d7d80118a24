//! What something cost: by the clock on the wall, in seconds of one core, and in memory.

use std::time::{Duration, Instant};

/// The kernel counts processor time in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// A measurement under way.
pub(crate) struct Meter {
    wall: Instant,
    cores: f64,
}

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// Seconds of one core, over all threads.
    pub(crate) cores: f64,
}

impl Cost {
    /// The cost of one of a hundred equal turns.
    pub(crate) fn hundredth(self) -> Cost {
        Cost {
            wall: self.wall / 100,
            cores: self.cores / 100.0,
        }
    }
}

impl Meter {
    pub(crate) fn start() -> Meter {
        Meter {
            wall: Instant::now(),
            cores: core_seconds(),
        }
    }

    pub(crate) fn stop(self) -> Cost {
        Cost {
            wall: self.wall.elapsed(),
            cores: core_seconds() - self.cores,
        }
    }
}

/// Memory of this process that is in use, in MB.
pub(crate) fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    kib.and_then(|kib| kib.parse::<f64>().ok())
        .unwrap_or_default()
        / 1_024.0
}

/// Processor time of this process so far: fields 14 and 15 of its line, counted behind the name in brackets.
fn core_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = behind_name.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|field| field.parse::<f64>().ok())
        .sum::<f64>()
        / TICKS_PER_SECOND
}
