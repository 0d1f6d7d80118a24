//! Accounts as they are stored: heads, parts, and each shard's copies of the CSMs.

use crate::{Failure, RevisionId, Store, store::Tables};
use jiff::Timestamp;
use model::AccountId;

/// Which parts of an account are wanted beside its head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Parts {
    /// Only the head.
    #[default]
    None,
    /// These.
    Named(Vec<Box<str>>),
    /// Every one.
    All,
}

/// An account to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The account.
    pub account: AccountId,
    /// What beside its head.
    pub parts: Parts,
}

/// An account as it was committed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The account.
    pub account: AccountId,
    /// The text it was decided by last.
    pub revision: RevisionId,
    /// Its wake-up.
    pub due_at: Option<Timestamp>,
    /// Its head.
    pub head: Vec<u8>,
    /// The parts that were wanted and exist, by name.
    pub parts: Vec<(Box<str>, Vec<u8>)>,
}

/// One account of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// The account.
    pub account: AccountId,
    /// The text it was decided by last.
    pub revision: RevisionId,
    /// Its wake-up.
    pub due_at: Option<Timestamp>,
}

/// A shard's copy of a CSM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsmRow {
    /// The CSM's id.
    pub csm: Box<str>,
    /// What is known of them.
    pub bytes: Vec<u8>,
}

impl Store {
    /// Loads accounts of one shard in two statements; those that are not stored are left out.
    pub async fn load(&self, shard: u32, wanted: Vec<Wanted>) -> Result<Vec<Loaded>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.load(shard, wanted).await,
            Tables::Postgres(postgres) => postgres.load(shard, wanted).await,
        }
    }

    /// A page of a shard's accounts in order of their ids; with `stale_for`, only those not decided by that text yet.
    pub async fn accounts(
        &self,
        shard: u32,
        after: Option<&AccountId>,
        stale_for: Option<RevisionId>,
        count_max: u32,
    ) -> Result<Vec<AccountRow>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.accounts(shard, after, stale_for, count_max).await,
            Tables::Postgres(postgres) => {
                postgres.accounts(shard, after, stale_for, count_max).await
            }
        }
    }

    /// How many of a shard's accounts were not decided by that text yet.
    pub async fn stale_count(&self, shard: u32, revision: RevisionId) -> Result<u64, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.stale_count(shard, revision).await,
            Tables::Postgres(postgres) => postgres.stale_count(shard, revision).await,
        }
    }

    /// How many accounts a shard has.
    pub async fn account_count(&self, shard: u32) -> Result<u64, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.account_count(shard).await,
            Tables::Postgres(postgres) => postgres.account_count(shard).await,
        }
    }

    /// A shard's copies of all CSMs, in order of their ids.
    pub async fn csms(&self, shard: u32) -> Result<Vec<CsmRow>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.csms(shard).await,
            Tables::Postgres(postgres) => postgres.csms(shard).await,
        }
    }
}
