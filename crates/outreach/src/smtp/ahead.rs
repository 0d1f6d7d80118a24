//! So many mails may have their permit and wait for a connection. Places that become free are given out again several at a
//! time, so that as many permits are asked for together: one commit of the store gives them all.

use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// As many may wait: one commit of the store gives several permits.
const PLACES: usize = 16;
/// As many are given out at a time.
const BUNCH: usize = 8;

/// The places.
pub(super) struct Ahead {
    free: Semaphore,
    /// Given back, and not given out again yet; fewer than a bunch, so there are always places that are in use or free.
    kept: AtomicUsize,
}

/// A place; it is given back when dropped.
pub(super) struct Place<'a>(&'a Ahead);

impl Ahead {
    pub(super) fn new() -> Self {
        Self {
            free: Semaphore::new(PLACES),
            kept: AtomicUsize::new(0),
        }
    }

    /// A place, as soon as there is one; none: it is closed.
    pub(super) async fn enter(&self) -> Option<Place<'_>> {
        let permit = self.free.acquire().await.ok()?;
        permit.forget();
        Some(Place(self))
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        let idle = self.free.available_permits() + self.kept.load(Ordering::Relaxed);
        PLACES.saturating_sub(idle)
    }

    pub(super) fn close(&self) {
        self.free.close();
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let before = self.0.kept.fetch_add(1, Ordering::AcqRel);
        if before + 1 >= BUNCH {
            let all = self.0.kept.swap(0, Ordering::AcqRel);
            self.0.free.add_permits(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn enter_at_once(ahead: &Ahead) -> Option<Place<'_>> {
        tokio::select! {
            biased;
            place = ahead.enter() => place,
            () = std::future::ready(()) => None,
        }
    }

    #[tokio::test]
    async fn places_come_back_in_bunches_and_none_is_lost() {
        let ahead = Ahead::new();
        for _ in 0..5 {
            let mut places = Vec::new();
            while let Some(place) = enter_at_once(&ahead).await {
                places.push(place);
            }
            assert!(places.len() > PLACES - BUNCH);
            assert_eq!(ahead.waiting(), places.len());
            // As many as make a bunch with those that are kept.
            while enter_at_once(&ahead).await.is_none() {
                drop(places.pop().expect("one comes before all are gone"));
            }
            assert!(ahead.waiting() < PLACES);
            drop(places.pop());
        }
        assert_eq!(ahead.waiting(), 0);
        ahead.close();
        assert!(ahead.enter().await.is_none());
    }
}
