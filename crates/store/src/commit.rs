//! A commit: all that a batch of decisions changes, written at once or not at all.

use crate::{AddressKey, Failure, NewParked, RevisionId, ShardMark, Store, store::Tables};
use jiff::Timestamp;
use model::decision::Rejected;
use model::{AccountId, MessageId, Outgoing, Record, TaskChange};

/// An account's new head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadWrite {
    /// The account.
    pub account: AccountId,
    /// The text it was decided by.
    pub revision: RevisionId,
    /// The head.
    pub bytes: Vec<u8>,
}

/// An account's new part, or its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartWrite {
    /// The account; its head is stored, or comes with the same commit.
    pub account: AccountId,
    /// The part's name.
    pub part: Box<str>,
    /// The part; none takes it away.
    pub bytes: Option<Vec<u8>>,
}

/// An account's wake-up, as it is after the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WakeWrite {
    /// The account; its head is stored, or comes with the same commit.
    pub account: AccountId,
    /// When; none: it sleeps until a fact arrives.
    pub due_at: Option<Timestamp>,
}

/// A message to hand over. One that is already there, under whatever state, is left as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxWrite {
    /// The message.
    pub outgoing: Outgoing,
    /// The recipient's address first, then those of the copies.
    pub addresses: Vec<AddressKey>,
    /// Messages of one lane go one after the other: it is not claimed while an earlier one is not settled.
    pub lane: Option<Box<str>>,
    /// Until when its account does business with us, as the decision saw it; none: it does not.
    pub related_until: Option<Timestamp>,
}

/// A record for the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalWrite {
    /// When it was decided for.
    pub at: Timestamp,
    /// The hash of the workflow's checked form; empty for the account's own records.
    pub revision: Box<str>,
    /// The record.
    pub record: Record,
}

/// A shard's copy of a CSM, or its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsmWrite {
    /// The CSM's id.
    pub csm: Box<str>,
    /// What is known of them; none takes it away.
    pub bytes: Option<Vec<u8>>,
}

/// How far the log was read again for what a later text counts anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backfill {
    /// Facts up to this position are counted.
    Reached(u64),
    /// All of them are, for every account.
    Done,
}

/// All that a batch of decisions changes in one shard.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// The shard.
    pub shard: u32,
    /// The epoch of the decider's lease.
    pub epoch: u64,
    /// What it was decided from.
    pub from: ShardMark,
    /// How far the log is decided with it.
    pub to_position: u64,
    /// The instant it was decided at.
    pub now: Timestamp,
    /// Raises the shard's own clock (log clock: by ticks).
    pub shard_now: Option<Timestamp>,
    /// Heads.
    pub heads: Vec<HeadWrite>,
    /// Parts.
    pub parts: Vec<PartWrite>,
    /// Wake-ups, those that did not change included or not.
    pub wakes: Vec<WakeWrite>,
    /// Messages.
    pub outbox: Vec<OutboxWrite>,
    /// Messages taken back, as far as they still wait.
    pub withdrawn: Vec<MessageId>,
    /// Tasks.
    pub tasks: Vec<TaskChange>,
    /// CSMs.
    pub csms: Vec<CsmWrite>,
    /// Facts put aside.
    pub parked: Vec<NewParked>,
    /// Pieces of facts that were not taken.
    pub rejects: Vec<Rejected>,
    /// Records, in order.
    pub journal: Vec<JournalWrite>,
    /// Accounts woken or re-based, in order.
    pub woken: Vec<AccountId>,
    /// Whether with it every account has been decided by the present text.
    pub is_rebased: bool,
    /// How far the log was read again; none: as far as before.
    pub backfill: Option<Backfill>,
}

impl Commit {
    /// A commit that changes nothing yet and moves nothing.
    pub fn new(shard: u32, epoch: u64, from: ShardMark, now: Timestamp) -> Self {
        Self {
            shard,
            epoch,
            from,
            to_position: from.position,
            now,
            shard_now: None,
            heads: Vec::new(),
            parts: Vec::new(),
            wakes: Vec::new(),
            outbox: Vec::new(),
            withdrawn: Vec::new(),
            tasks: Vec::new(),
            csms: Vec::new(),
            parked: Vec::new(),
            rejects: Vec::new(),
            journal: Vec::new(),
            woken: Vec::new(),
            is_rebased: false,
            backfill: None,
        }
    }
}

/// A commit that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// What the next commit is decided from.
    pub mark: ShardMark,
    /// How many messages were new.
    pub queued: u32,
}

/// Why a commit was refused, or failed. After any of these, drop all that is cached of the shard.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommitError {
    /// The lease has another epoch now: somebody else decides this shard. Let go of it.
    #[error("the lease of shard {shard} has epoch {epoch} now")]
    Fenced {
        /// The shard.
        shard: u32,
        /// Its epoch now.
        epoch: u64,
    },
    /// Position, commits or revision are not what it was decided from: load again and decide anew.
    #[error("shard {shard} has moved to {mark:?}")]
    Moved {
        /// The shard.
        shard: u32,
        /// Where it is.
        mark: ShardMark,
    },
    /// It names an account that has no head.
    #[error("account {0} has a part or wake-up, and no head")]
    NoHead(AccountId),
    /// The database failed; only after [`Failure::Unknown`] it may have been written.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl Store {
    /// Writes a batch: epoch, position, commits and revision are compared in the same transaction. A lost answer is
    /// settled here, so `Ok` and every error but `Unknown` are certain.
    pub async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.commit(commit).await,
            Tables::Postgres(postgres) => postgres.commit(commit).await,
        }
    }
}
