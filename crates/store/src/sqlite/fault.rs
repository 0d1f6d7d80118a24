//! Answers to COMMIT that get lost, in tests; in the product there is nothing here.

use crate::Failure;

/// What to lose next.
#[derive(Debug, Default)]
pub(crate) struct Fault {
    #[cfg(test)]
    next: std::sync::atomic::AtomicU8,
}

/// The next COMMIT is not done.
const COMMIT: u8 = 1;
/// The next COMMIT is done.
const ANSWER: u8 = 2;

impl Fault {
    pub(crate) fn before_commit(&self) -> Result<(), Failure> {
        self.take(COMMIT)
    }

    pub(crate) fn after_commit(&self) -> Result<(), Failure> {
        self.take(ANSWER)
    }

    #[cfg(not(test))]
    fn take(&self, _which: u8) -> Result<(), Failure> {
        Ok(())
    }

    #[cfg(test)]
    fn take(&self, which: u8) -> Result<(), Failure> {
        use std::sync::atomic::Ordering::SeqCst;
        let taken = self.next.compare_exchange(which, 0, SeqCst, SeqCst);
        taken.map_or(Ok(()), |_| Err(Failure::Late))
    }

    /// The next COMMIT is not done, and nobody is told.
    #[cfg(test)]
    pub(crate) fn lose_next_commit(&self) {
        self.next.store(COMMIT, std::sync::atomic::Ordering::SeqCst);
    }

    /// The next COMMIT is done, and nobody is told.
    #[cfg(test)]
    pub(crate) fn lose_next_answer(&self) {
        self.next.store(ANSWER, std::sync::atomic::Ordering::SeqCst);
    }
}
