//! A claimed message on its way. Either its hand-over begins, or it is put back untried: whoever is first has the say.

use std::ops::Deref;
use std::sync::atomic::{AtomicU8, Ordering};
use store::Claimed;

/// A claimed message, and how far it is.
#[derive(Debug)]
pub(super) struct UnderWay {
    claimed: Claimed,
    step: AtomicU8,
}

/// Nothing has begun.
const READY: u8 = 0;
/// Its attempt was asked for.
const BEGUN: u8 = 1;
/// It goes back into the queue.
const BACK: u8 = 2;

impl UnderWay {
    pub(super) fn new(claimed: Claimed) -> Self {
        let step = AtomicU8::new(READY);
        Self { claimed, step }
    }

    /// Says that its hand-over begins; false if it was put back.
    pub(super) fn begin(&self) -> bool {
        self.step(BEGUN) != BACK
    }

    /// Whether its hand-over has begun.
    pub(super) fn has_begun(&self) -> bool {
        self.step.load(Ordering::SeqCst) == BEGUN
    }

    /// Says that it goes back; false if its hand-over has begun.
    pub(super) fn put_back(&self) -> bool {
        self.step(BACK) != BEGUN
    }

    /// Takes a step if none was taken; the one that was taken first.
    fn step(&self, step: u8) -> u8 {
        let taken = self
            .step
            .compare_exchange(READY, step, Ordering::SeqCst, Ordering::SeqCst);
        taken.map_or_else(|before| before, |_| step)
    }
}

impl Deref for UnderWay {
    type Target = Claimed;

    fn deref(&self) -> &Claimed {
        &self.claimed
    }
}
