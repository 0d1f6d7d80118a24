//! So many mails may have their permit and wait for a connection. Places that become free are given out again several at a
//! time, so that as many permits are asked for together: one commit of the store gives them all.

use std::sync::{Mutex, PoisonError};
use tokio::sync::Semaphore;

/// There are no more places: enough that no connection stands still while the store commits the next permits.
const PLACES_MAX: usize = 96;
/// As many are given out at a time, or half of all where these are few.
const BUNCH: usize = 32;

/// The places.
pub(super) struct Ahead {
    free: Semaphore,
    count: Mutex<Count>,
}

struct Count {
    /// How many there may be now.
    allowed: usize,
    /// In use or free.
    given: usize,
}

/// A place; it is given back when dropped.
pub(super) struct Place<'a>(&'a Ahead);

impl Ahead {
    pub(super) fn new() -> Self {
        Self {
            free: Semaphore::new(PLACES_MAX),
            count: Mutex::new(Count {
                allowed: PLACES_MAX,
                given: PLACES_MAX,
            }),
        }
    }

    /// A place, as soon as there is one; none: it is closed.
    pub(super) async fn enter(&self) -> Option<Place<'_>> {
        let permit = self.free.acquire().await.ok()?;
        permit.forget();
        Some(Place(self))
    }

    /// Sets how many places there may be from now on: one at the least.
    pub(super) fn allow(&self, places: usize) {
        self.change(|count| count.allowed = places.clamp(1, PLACES_MAX));
    }

    pub(super) fn close(&self) {
        self.free.close();
    }

    /// Gives out as many as may be, once they are a bunch; those that are too many are taken away as far as they are free.
    fn change(&self, change: impl FnOnce(&mut Count)) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut count);
        let room = count.allowed.saturating_sub(count.given);
        if room >= (count.allowed / 2).clamp(1, BUNCH) {
            count.given += room;
            self.free.add_permits(room);
        }
        let over = count.given.saturating_sub(count.allowed);
        if over > 0 {
            count.given -= self.free.forget_permits(over);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.change(|count| count.given -= 1);
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

    async fn enter_all(ahead: &Ahead) -> Vec<Place<'_>> {
        let mut places = Vec::new();
        while let Some(place) = enter_at_once(ahead).await {
            places.push(place);
        }
        places
    }

    #[tokio::test]
    async fn places_come_back_in_bunches_and_none_is_lost() {
        let ahead = Ahead::new();
        for _ in 0..5 {
            let mut places = enter_all(&ahead).await;
            assert_eq!(places.len(), PLACES_MAX);
            for _ in 1..BUNCH {
                drop(places.pop());
                assert!(enter_at_once(&ahead).await.is_none());
            }
            drop(places.pop());
            places.extend(enter_all(&ahead).await);
            assert_eq!(places.len(), PLACES_MAX);
        }
        ahead.close();
        assert!(ahead.enter().await.is_none());
    }

    #[tokio::test]
    async fn there_are_as_many_as_are_allowed_whatever_was_before() {
        let ahead = Ahead::new();
        let mut before = enter_all(&ahead).await;
        for allowed in [0, 1, 2, 7, PLACES_MAX + 1, 3, BUNCH, 1, 40] {
            ahead.allow(allowed);
            let allowed = allowed.clamp(1, PLACES_MAX);
            // Those that went in when more were allowed leave one by one.
            while before.len() > allowed {
                assert!(enter_at_once(&ahead).await.is_none());
                drop(before.pop());
            }
            before.extend(enter_all(&ahead).await);
            assert!(before.len() <= allowed);
            before.clear();
            before = enter_all(&ahead).await;
            // What is less than a bunch is kept back.
            let kept_max = (allowed / 2).clamp(1, BUNCH) - 1;
            assert!(before.len() <= allowed && before.len() + kept_max >= allowed);
        }
    }
}
