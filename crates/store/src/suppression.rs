//! Suppressions: what stops messages to an address, from the moment at which it is committed.

use crate::{AddressKey, Failure, Store, store::Tables};
use jiff::Timestamp;
use model::AccountId;
pub use model::{Reason, Scope};

/// Something that stops messages to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The address.
    pub key: AddressKey,
    /// What is stopped.
    pub scope: Scope,
    /// Why.
    pub reason: Reason,
    /// How that is known, in words; no address and no name in it.
    pub proof: Box<str>,
    /// Since when.
    pub at: Timestamp,
    /// Until when; none: for ever.
    pub until: Option<Timestamp>,
}

/// Something that stops messages no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lift {
    /// The address.
    pub key: AddressKey,
    /// What was stopped.
    pub scope: Scope,
    /// Only what was stopped for this reason; none: for whatever reason.
    pub reason: Option<Reason>,
    /// Who lifts it and why.
    pub proof: Box<str>,
    /// When.
    pub at: Timestamp,
}

/// Somebody at an account, whose log is told of what happens to their address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Person {
    /// The account.
    pub account: AccountId,
    /// The contact.
    pub contact: Box<str>,
}

/// A row of the ledger: something was stopped, or lifted. Rows are never changed and never taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// Its number, rising.
    pub number: u64,
    /// What was said.
    pub said: Suppression,
    /// Whether it lifts what was stopped.
    pub is_lifted: bool,
    /// Whether it stops anything now.
    pub is_in_force: bool,
}

impl Store {
    /// Stops messages to an address: once this returns, no claim of a message in scope succeeds, and what is claimed
    /// finds out before its bytes leave. In the same transaction the logs of `person`, and of whoever was told of this
    /// address before, get the fact `contact.suppressed`. False: the same was in force already, at least as long.
    pub async fn suppress(
        &self,
        suppression: Suppression,
        person: Option<Person>,
    ) -> Result<bool, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.suppress(suppression, person).await,
            Tables::Postgres(postgres) => postgres.suppress(suppression, person).await,
        }
    }

    /// Lifts what was stopped; the ledger keeps both. False: nothing of that was in force.
    pub async fn unsuppress(&self, lift: Lift, person: Option<Person>) -> Result<bool, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.unsuppress(lift, person).await,
            Tables::Postgres(postgres) => postgres.unsuppress(lift, person).await,
        }
    }

    /// All that was ever said about an address, in order.
    pub async fn suppressions(
        &self,
        key: AddressKey,
        now: Timestamp,
    ) -> Result<Vec<LedgerRow>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.suppressions(key, now).await,
            Tables::Postgres(postgres) => postgres.suppressions(key, now).await,
        }
    }

    /// What an address's row says is in force, and how often it changed.
    pub async fn standing(&self, key: AddressKey) -> Result<(Vec<(Scope, Reason)>, u64), Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.standing(key).await,
            Tables::Postgres(postgres) => postgres.standing(key).await,
        }
    }
}
