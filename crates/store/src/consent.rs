//! Consent: on which ground an address is written to. A ledger of proofs; rows are added and never changed.

use crate::{AddressKey, Failure, Store, store::Tables};
use jiff::Timestamp;
pub use model::Basis;

/// One proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The address.
    pub key: AddressKey,
    /// On which ground.
    pub basis: Basis,
    /// Who recorded it.
    pub who: Box<str>,
    /// How it was given: the id of a form, a contract, a page.
    pub how: Box<str>,
    /// The hash of the words that were agreed to; empty where there were none.
    pub wording: Box<str>,
    /// When it was given.
    pub at: Timestamp,
    /// Until when it holds; none: until it is withdrawn.
    pub until: Option<Timestamp>,
}

impl Store {
    /// Adds a proof. It opens nothing that is suppressed: after a "no" no consent counts.
    pub async fn add_consent(&self, consent: Consent) -> Result<(), Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.add_consent(consent).await,
            Tables::Postgres(postgres) => postgres.add_consent(consent).await,
        }
    }

    /// All proofs of an address, in order.
    pub async fn consents(&self, key: AddressKey) -> Result<Vec<Consent>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.consents(key).await,
            Tables::Postgres(postgres) => postgres.consents(key).await,
        }
    }
}
