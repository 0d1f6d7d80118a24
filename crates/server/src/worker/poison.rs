//! Poison: inputs whose decision panics. The batch is undone and tried again; at the third strike the input is put
//! aside, its account untouched, and all others go on.

use jiff::Timestamp;
use model::{AccountId, ParkCode, Parked};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How often one input may panic before it is put aside.
pub(super) const STRIKES_MAX: u8 = 3;
/// How many inputs are remembered; beyond that the counting begins anew.
const INPUTS_MAX: usize = 10_000;

/// An input that may panic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum InputKey {
    /// A fact, by its position.
    Fact(u64),
    /// A wake-up, or the close of a history.
    Wake(AccountId, Option<Timestamp>),
    /// A new text that takes the account over.
    Rebase(AccountId),
}

/// A decision panicked: what was decided of the batch so far is worth nothing.
#[derive(Debug)]
pub(super) struct Panicked;

/// How often each input panicked.
#[derive(Debug, Default)]
pub(super) struct Strikes(BTreeMap<InputKey, u8>);

impl Strikes {
    /// Whether the input is to be put aside.
    pub(super) fn is_poison(&self, key: &InputKey) -> bool {
        self.0
            .get(key)
            .is_some_and(|strikes| *strikes >= STRIKES_MAX)
    }

    /// Runs a decision; a panic in it counts as a strike.
    pub(super) fn guard<T>(
        &mut self,
        key: &InputKey,
        decide: impl FnOnce() -> T,
    ) -> Result<T, Panicked> {
        // Whatever the decision left half done is dropped with the batch.
        catch_unwind(AssertUnwindSafe(decide)).map_err(|_| {
            if self.0.len() > INPUTS_MAX {
                self.0.clear();
            }
            let strikes = self.0.entry(key.clone()).or_default();
            *strikes = strikes.saturating_add(1);
            Panicked
        })
    }
}

/// Why a poisonous fact is parked.
pub(super) fn parked() -> Parked {
    Parked {
        code: ParkCode::Poison,
        message: "deciding it failed three times; the account is as it was before it".into(),
        field: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_panic_makes_poison_of_that_input_alone() {
        let mut strikes = Strikes::default();
        let (bad, good) = (InputKey::Fact(1), InputKey::Fact(2));
        for strike in 1..=STRIKES_MAX {
            assert!(!strikes.is_poison(&bad), "before strike {strike}");
            assert!(strikes.guard(&bad, || panic!("on purpose")).is_err());
            assert_eq!(strikes.guard(&good, || 7).ok(), Some(7));
        }
        assert!(strikes.is_poison(&bad));
        assert!(!strikes.is_poison(&good));
    }
}
