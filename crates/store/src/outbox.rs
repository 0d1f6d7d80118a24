//! The outbox: what the sender claims, tries and settles.

use crate::{AddressKey, Captured, Failure, RevisionId, Store, store::Tables};
use jiff::Timestamp;
use model::{Demand, Jurisdiction, MessageId, Outgoing, Purpose};
use std::sync::Arc;
use std::time::Duration;

/// How many messages one address may get, whichever accounts they are of. It only defers; contractual messages count
/// and are never held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// So many.
    pub at_most: u32,
    /// Within this time.
    pub within: Duration,
}

/// What a sender asks for.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRequest {
    /// The shard.
    pub shard: u32,
    /// The epoch of the sender's lease.
    pub epoch: u64,
    /// The wall clock.
    pub now: Timestamp,
    /// At most so many.
    pub count_max: u32,
    /// The cap of each address, if there is one.
    pub cap: Option<Cap>,
    /// Whose law says on which ground somebody may be written to.
    pub jurisdiction: Jurisdiction,
}

/// The right to hand over one message, once. Whoever claims the message later has another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The message.
    pub message: MessageId,
    /// The shard.
    pub shard: u32,
    /// The sender's epoch.
    pub epoch: u64,
    /// The row inside the store.
    pub(crate) row: i64,
    /// The how-many-th claim of the message.
    pub(crate) id: i64,
    /// What the gate asks about.
    pub(crate) about: Arc<About>,
}

/// What the gate must know of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct About {
    pub(crate) workflow: Box<str>,
    pub(crate) topic: Option<Box<str>>,
    pub(crate) purpose: Option<Purpose>,
    /// The domains of its mailboxes, in small letters.
    pub(crate) domains: Vec<Box<str>>,
    /// The recipient first.
    pub(crate) addresses: Vec<AddressKey>,
    /// What the law asks for before it may leave.
    pub(crate) demand: Demand,
    /// Until when its account does business with us.
    pub(crate) related_until: Option<Timestamp>,
}

/// A message that is claimed.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// The right.
    pub claim: Claim,
    /// The message.
    pub outgoing: Outgoing,
    /// The recipient's address first, then those of the copies; who is suppressed gets no copy.
    pub addresses: Vec<AddressKey>,
    /// How many attempts there were; the next is one more.
    pub attempts: u32,
    /// The text by which it was decided; none where an older program wrote it.
    pub revision: Option<RevisionId>,
}

/// How a hand-over ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server took it.
    Sent,
    /// The server said no for good.
    Refused,
    /// To be tried again, not before then, by the wall clock.
    Deferred(Timestamp),
    /// Nobody can know whether the server took it.
    Unknown,
    /// The gate said no.
    Suppressed,
    /// Its window closed before it left.
    Expired,
}

/// How a claim ended.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The right.
    pub claim: Claim,
    /// How.
    pub outcome: Outcome,
    /// In words: the server's answer, or the reason.
    pub detail: Box<str>,
    /// In captured mode, what is kept instead of sending, in the same transaction; such a claim needs no attempt.
    pub captured: Option<Captured>,
    /// The wall clock.
    pub now: Timestamp,
}

/// What was found of earlier senders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Nothing had begun: back in the queue.
    pub queued: u32,
    /// Begun, and no result: unknown.
    pub unknown: u32,
    /// Begun, and no result, on a topic that is sent again, or a call: back in the queue.
    pub resent: u32,
}

impl Store {
    /// Claims what is ready, most urgent first; what expired meanwhile is settled as that. Nothing under another
    /// epoch or while the switch `send` is off. What is suppressed, or has no ground, ends as that; what another switch or a
    /// cap holds back is deferred. Under the log clock neither windows, expiry nor caps apply. After
    /// [`Failure::Unknown`], which is rare, give the lease back: only another epoch takes over what may be claimed.
    pub async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claimed>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.claim(request).await,
            Tables::Postgres(postgres) => postgres.claim(request).await,
        }
    }

    /// Writes the attempt row after dialling: false if the claim no longer holds, has expired, or the gate says no by now.
    /// Then nothing must leave. Safe to call again with the same number after a failure.
    pub async fn attempt(&self, claim: &Claim, n: u32, now: Timestamp) -> Result<bool, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.attempt(claim, n, now).await,
            Tables::Postgres(postgres) => postgres.attempt(claim, n, now).await,
        }
    }

    /// The last question before the bytes leave: whether the claim still holds and the gate is open.
    pub async fn may_send(&self, claim: &Claim, now: Timestamp) -> Result<bool, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.may_send(claim, now).await,
            Tables::Postgres(postgres) => postgres.may_send(claim, now).await,
        }
    }

    /// Writes what came of a claim, its fate, and (live clock) the fact that tells it: false if the claim no longer
    /// holds. Safe to call again after a failure.
    pub async fn settle(&self, settlement: Settlement) -> Result<bool, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.settle(settlement).await,
            Tables::Postgres(postgres) => postgres.settle(settlement).await,
        }
    }

    /// Takes over what senders of older epochs of this shard left claimed; nothing under another epoch.
    pub async fn recover(
        &self,
        shard: u32,
        epoch: u64,
        now: Timestamp,
    ) -> Result<Recovered, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.recover(shard, epoch, now).await,
            Tables::Postgres(postgres) => postgres.recover(shard, epoch, now).await,
        }
    }
}
