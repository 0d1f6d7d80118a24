//! Revisions: the checked workspaces that were stored, and which one decides.

use crate::{Failure, Store, store::Tables};
use jiff::Timestamp;

/// A stored workspace's number in this store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RevisionId(pub u32);

/// A stored workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its number.
    pub id: RevisionId,
    /// The hash of its bytes, which names it.
    pub hash: Box<str>,
    /// What was stored.
    pub bytes: Vec<u8>,
    /// When it was stored first.
    pub stored_at: Timestamp,
    /// When it was activated last.
    pub applied_at: Option<Timestamp>,
    /// Whether runs that rest at a step which it does not have end; else they go on with the step after it.
    pub ends_resting: bool,
}

/// A text that took effect in a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activation {
    /// The shard.
    pub shard: u32,
    /// The text.
    pub revision: RevisionId,
    /// The facts behind this position are decided by it.
    pub position: u64,
    /// When it was applied.
    pub at: Timestamp,
}

impl Store {
    /// Stores a workspace; the same bytes get the same number.
    pub async fn put_revision(
        &self,
        bytes: Vec<u8>,
        now: Timestamp,
    ) -> Result<RevisionId, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.put_revision(bytes, now).await,
            Tables::Postgres(postgres) => postgres.put_revision(bytes, now).await,
        }
    }

    /// One stored workspace.
    pub async fn revision(&self, id: RevisionId) -> Result<Option<Revision>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.revision(id).await,
            Tables::Postgres(postgres) => postgres.revision(id).await,
        }
    }

    /// The workspace that decides, the same in every shard; none before the first activation.
    pub async fn applied(&self) -> Result<Option<Revision>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.applied().await,
            Tables::Postgres(postgres) => postgres.applied().await,
        }
    }

    /// Makes a stored workspace decide in every shard from its present position on, in one transaction; the first one
    /// from the end of its log on, since what is there already tells how things stood before. Says those positions;
    /// none if there is no such revision.
    pub async fn activate(
        &self,
        id: RevisionId,
        now: Timestamp,
        ends_resting: bool,
    ) -> Result<Option<Vec<u64>>, Failure> {
        let ends = self.ends_elsewhere().await?;
        self.activate_from(id, now, ends_resting, ends).await
    }

    /// The same where the shards' logs end at these positions, if their facts don't stand in the tables.
    pub(crate) async fn activate_from(
        &self,
        id: RevisionId,
        now: Timestamp,
        ends_resting: bool,
        ends: Option<Vec<u64>>,
    ) -> Result<Option<Vec<u64>>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.activate(id, now, ends_resting, ends).await,
            Tables::Postgres(postgres) => postgres.activate(id, now, ends_resting, ends).await,
        }
    }

    /// Which texts took effect where, oldest first.
    pub async fn activations(&self) -> Result<Vec<Activation>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.activations().await,
            Tables::Postgres(postgres) => postgres.activations().await,
        }
    }
}
