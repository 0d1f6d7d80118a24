//! The seal as this process knows it: read from the store, and again when another process may have made a new key.

use crate::Clock;
use jiff::{SignedDuration, Timestamp};
use outreach::seal::{Opened, Seal, Use};
use std::sync::{Arc, Mutex, PoisonError};
use store::{Failure, Store};

/// As long as this the newest key may stay unknown here.
const KNOWN_FOR: SignedDuration = SignedDuration::from_secs(30);
/// Made-up tokens make nobody read the keys more often than this.
const READ_AGAIN: SignedDuration = SignedDuration::from_secs(1);

/// A seal, and when its keys were read.
type Known = (Timestamp, Arc<Seal>);

/// Signs and opens by the keys of the store; cheap to clone.
#[derive(Clone)]
pub(crate) struct Seals {
    store: Store,
    clock: Clock,
    known: Arc<Mutex<Option<Known>>>,
    /// Held by whoever reads the keys: the others wait for what it finds.
    reading: Arc<tokio::sync::Mutex<()>>,
}

impl Seals {
    pub(crate) fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            known: Arc::default(),
            reading: Arc::default(),
        }
    }

    /// What signs now.
    pub(crate) async fn present(&self) -> Result<Arc<Seal>, Failure> {
        self.no_older_than(KNOWN_FOR).await
    }

    /// The payload of a token from a link; none if it is not ours, or not for this use.
    pub(crate) async fn open(&self, wanted: Use, token: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.opened(|seal| seal.open(wanted, token)).await
    }

    /// The same for a token from the local part of an address.
    pub(crate) async fn open_local(
        &self,
        wanted: Use,
        token: &str,
    ) -> Result<Option<Vec<u8>>, Failure> {
        self.opened(|seal| seal.open_local(wanted, token)).await
    }

    async fn opened(&self, open: impl Fn(&Seal) -> Opened) -> Result<Option<Vec<u8>>, Failure> {
        let mut opened = open(&*self.present().await?);
        if opened == Opened::OtherKey {
            opened = open(&*self.no_older_than(READ_AGAIN).await?);
        }
        Ok(match opened {
            Opened::Payload(payload) => Some(payload),
            Opened::OtherKey | Opened::Forged => None,
        })
    }

    /// The seal, if its keys were read so lately.
    fn known(&self, age: SignedDuration) -> Option<Arc<Seal>> {
        let known = self.known.lock();
        let known = known.unwrap_or_else(PoisonError::into_inner).clone();
        let now = self.clock.now();
        let (_, seal) = known.filter(|(at, _)| now.duration_since(*at) < age)?;
        Some(seal)
    }

    async fn no_older_than(&self, age: SignedDuration) -> Result<Arc<Seal>, Failure> {
        if let Some(seal) = self.known(age) {
            return Ok(seal);
        }
        let _reading = self.reading.lock().await;
        if let Some(seal) = self.known(age) {
            return Ok(seal);
        }
        let now = self.clock.now();
        let keys = self.store.seal_keys(now).await?;
        let keys = keys.into_iter().map(|key| (key.number, key.secret));
        let seal = Seal::new(keys).map_err(|why| Failure::Database(why.to_string().into()))?;
        let seal = Arc::new(seal);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((now, Arc::clone(&seal)));
        Ok(seal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Place, noon};
    use store::ClockMode;

    #[tokio::test]
    async fn a_token_of_a_key_that_was_made_elsewhere_opens_after_a_second() {
        let place = Place::new(ClockMode::Live);
        let clock = Clock::by_hand(noon());
        let here = Seals::new(place.open().await, clock.clone());
        let there = Seals::new(place.open().await, clock.clone());
        let old = here.present().await.expect("there is a seal");
        let old = old.sign(Use::Answer, b"x").expect("it fits");
        let rotated = there.store.rotate_seal(clock.now()).await;
        assert_eq!(rotated.expect("a new key"), 2);
        let new = there.present().await.expect("there is a seal");
        let new = new.sign(Use::Answer, b"x").expect("it fits");
        assert_ne!(old, new);
        let found = here.open(Use::Answer, &new).await.expect("keys are read");
        assert_eq!(found, None, "read again within a second");
        clock.turn(READ_AGAIN);
        let found = here.open(Use::Answer, &new).await.expect("keys are read");
        assert_eq!(found.as_deref(), Some(b"x".as_slice()));
        let found = there.open(Use::Answer, &old).await.expect("keys are read");
        assert_eq!(found.as_deref(), Some(b"x".as_slice()));
        let found = here.open(Use::Click, &new).await.expect("keys are read");
        assert_eq!(found, None);
    }
}
