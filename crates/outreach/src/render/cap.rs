//! A writer that stops a template which prints too much or loops too long.

use super::{OUTPUT_BYTES_MAX, OUTPUT_STEPS_MAX};
use handlebars::Output;
use std::io;

/// Which limit was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overrun {
    /// Too many bytes.
    Bytes,
    /// Too many writes.
    Steps,
}

/// Text that stays within its limits. Each write is a step, empty ones too: that is how loops are counted.
#[derive(Default)]
pub(super) struct Capped {
    pub(super) text: String,
    steps: usize,
    pub(super) overrun: Option<Overrun>,
}

impl Capped {
    fn stop(&mut self, overrun: Overrun) -> io::Error {
        self.overrun = Some(overrun);
        io::Error::other("stopped at a limit")
    }
}

impl Output for Capped {
    fn write(&mut self, segment: &str) -> Result<(), io::Error> {
        self.steps += 1;
        if self.steps > OUTPUT_STEPS_MAX {
            return Err(self.stop(Overrun::Steps));
        }
        if self.text.len() + segment.len() > OUTPUT_BYTES_MAX {
            return Err(self.stop(Overrun::Bytes));
        }
        self.text.push_str(segment);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_byte_fits_and_the_next_does_not() {
        let mut capped = Capped::default();
        assert!(capped.write(&"x".repeat(OUTPUT_BYTES_MAX)).is_ok());
        assert!(capped.write("x").is_err());
        assert_eq!(capped.overrun, Some(Overrun::Bytes));
    }

    #[test]
    fn the_last_step_is_taken_and_the_next_is_not() {
        let mut capped = Capped::default();
        assert!((0..OUTPUT_STEPS_MAX).all(|_| capped.write("").is_ok()));
        assert!(capped.write("").is_err());
        assert_eq!(capped.overrun, Some(Overrun::Steps));
    }
}
