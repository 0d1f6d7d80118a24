//! The keys that sign what leaves in links and addresses.

use crate::{Failure, Store, store::Tables};
use jiff::Timestamp;

/// The most keys of a store.
pub const SEAL_KEYS_MAX: u16 = 10_000;

/// A key. Neither shown nor printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SealKey {
    /// Its number, from 1; tokens name it.
    pub number: u16,
    /// What signs.
    pub secret: [u8; 32],
    /// Since when.
    pub made_at: Timestamp,
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealKey({}, {})", self.number, self.made_at)
    }
}

impl Store {
    /// All keys, newest last; the first one is made when it is asked for.
    pub async fn seal_keys(&self, now: Timestamp) -> Result<Vec<SealKey>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.seal_keys(now).await,
            Tables::Postgres(postgres) => postgres.seal_keys(now).await,
        }
    }

    /// Makes a new key, which signs from now on; its number. Tokens of the others stay good.
    pub async fn rotate_seal(&self, now: Timestamp) -> Result<u16, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.rotate_seal(now).await,
            Tables::Postgres(postgres) => postgres.rotate_seal(now).await,
        }
    }
}
