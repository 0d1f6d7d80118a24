//! What must survive: one promise, kept by each backend behind the same methods.
//!
//! Knows the words of `model`; heads, parts, views and revisions are bytes to it. It reads no clock: every instant is
//! passed in. Each noun has a file with its types and its methods of [`Store`]; what the methods do in SQL lies in
//! `sqlite` and in `postgres`. The cases of `conformance` hold for every backend.

mod address;
mod answer;
mod batch;
mod brokers;
mod captured;
mod commit;
mod condition;
mod consent;
mod delivery;
mod erase;
mod failure;
mod import;
mod journal;
#[cfg(feature = "kafka")]
mod kafka;
mod lease;
mod log;
mod outbox;
mod parked;
mod postgres;
mod reject;
mod retention;
mod revision;
mod seal;
mod shard;
mod share;
mod source;
mod sqlite;
mod state;
mod store;
mod suppression;
mod switch;
mod task;
mod thread;
mod topic;
mod wake;

#[cfg(test)]
mod conformance;

pub use address::AddressKey;
pub use answer::{
    Answer, Answered, POLICY_BOUNCES_MAX, POLICY_BOUNCES_WITHIN, SOFT_BOUNCES_MAX,
    SOFT_BOUNCES_PAUSE, SOFT_BOUNCES_WITHIN, Said, Stopped,
};
pub use batch::Batch;
pub use brokers::KafkaSettings;
pub use captured::{Captured, CapturedRow};
pub use commit::{
    Backfill, Commit, CommitError, Committed, CsmWrite, HeadWrite, JournalWrite, OutboxWrite,
    PartWrite, WakeWrite,
};
pub use condition::{Condition, TopicCondition};
pub use consent::{Basis, Consent};
pub use delivery::{Attempt, Delivery, DeliveryFilter};
pub use erase::{ERASED, Erased, Erasure, Rewrite, Scrub};
pub use failure::Failure;
pub use import::ImportFile;
pub use journal::{ChainError, JournalFilter, JournalRow, Verified};
pub use lease::{Bid, Lease, Role};
pub use log::{AppendError, Appended, Incoming, NewFact, StoredFact};
pub use outbox::{Cap, Claim, ClaimRequest, Claimed, Outcome, Recovered, Settlement};
pub use parked::{NewParked, ParkedRow};
pub use postgres::Postgres;
pub use reject::RejectRow;
pub use retention::{Kept, Prune, PruneError, Pruned};
pub use revision::{Activation, Revision, RevisionId};
pub use seal::{SEAL_KEYS_MAX, SealKey};
pub use shard::{ShardMark, ShardState, shard_of};
pub use source::{NewSource, SourceError, SourcePosition, SourceRow, SourceStep};
pub use sqlite::{Sqlite, Tuning};
pub use state::{AccountRow, CsmRow, Loaded, Parts, Wanted};
pub use store::{ClockMode, Health, LogKind, Meta, OpenError, OpenOptions, SHARDS_MAX, Store};
pub use suppression::{LedgerRow, Lift, Person, Reason, Scope, Suppression};
pub use switch::Switch;
pub use task::{TaskFilter, TaskRow};
pub use topic::{PartitionEnds, PollMax, Polled, TopicError, TopicReader};
pub use wake::{Wake, WakeMark};
