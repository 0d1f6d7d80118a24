//! The log in Apache Kafka: one topic, a partition for each shard, a position one above the record's offset.

mod producing;
pub(crate) mod proof;
mod reading;
#[cfg(test)]
mod rig;
mod settings;
pub(crate) mod source;
#[cfg(test)]
mod tests;
pub(crate) mod topic;

use crate::{AppendError, Appended, Failure, KafkaSettings, NewFact, StoredFact};
use producing::Producing;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use reading::Reading;
use std::sync::Arc;

/// What is asked of one reading.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageMax {
    /// At most so many facts.
    pub(crate) count: u32,
    /// No more once so many bytes are passed.
    pub(crate) bytes: usize,
}

/// The log of all shards.
#[derive(Clone)]
pub(crate) struct Kafka {
    producing: Arc<Producing>,
    /// Follows the end, where the shards are decided.
    following: Arc<Reading>,
    /// Reads again what was read before, without moving the other.
    looking_back: Arc<Reading>,
    shards: u32,
    proofs: Arc<proof::Proofs>,
}

impl std::fmt::Debug for Kafka {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Kafka")
            .field("shards", &self.shards)
            .finish_non_exhaustive()
    }
}

impl Kafka {
    /// Connects, makes the topic if there is none, and refuses one with another number of partitions.
    pub(crate) async fn open(settings: KafkaSettings, shards: u32) -> Result<Self, Failure> {
        topic::ensure(&settings, shards).await?;
        let opening = tokio::task::spawn_blocking(move || {
            let producing = Producing::start(&settings)?;
            let following = Reading::start(&settings, "follow")?;
            let looking_back = Reading::start(&settings, "look-back")?;
            Ok(Self {
                producing: Arc::new(producing),
                following: Arc::new(following),
                looking_back: Arc::new(looking_back),
                shards,
                proofs: Arc::default(),
            })
        });
        opening.await.map_err(|why| refused(&why))?
    }

    /// Appends, and returns when every in-sync replica has all of it. After a failure some of it may be there.
    pub(crate) async fn append(&self, facts: &[NewFact]) -> Result<Appended, AppendError> {
        if let Some(fact) = facts.iter().find(|fact| fact.shard >= self.shards) {
            return Err(AppendError::NoShard(fact.shard));
        }
        let positions = self.producing.append(facts).await?;
        Ok(Appended { positions })
    }

    /// The facts after a position, in order. Waits for what [`Kafka::log_end`] saw; empty if that were no facts
    /// but marks of transactions.
    pub(crate) async fn read(
        &self,
        shard: u32,
        after: u64,
        max: PageMax,
    ) -> Result<Vec<StoredFact>, Failure> {
        self.following.read(shard, after, max).await
    }

    /// The same beside the one that decides, so that neither has to begin anew for the other.
    pub(crate) async fn read_again(
        &self,
        shard: u32,
        after: u64,
        max: PageMax,
    ) -> Result<Vec<StoredFact>, Failure> {
        let after = self.looking_back.kept(shard, after).await?;
        self.looking_back.read(shard, after, max).await
    }

    /// Refuses a topic that has another number of partitions by now.
    async fn is_as_wide(&self) -> Result<(), Failure> {
        let found = self.looking_back.partitions().await?;
        if found == self.shards {
            return Ok(());
        }
        let shards = self.shards;
        let why = format!(
            "the topic has {found} partitions now and the store {shards} shards; both are fixed when they are made"
        );
        Err(refused(&why))
    }

    /// Where a shard's log ends, asked of the broker now.
    pub(crate) async fn log_end(&self, shard: u32) -> Result<u64, Failure> {
        self.following.end(shard).await
    }

    /// Lets go of what was read ahead for a shard that others decide now.
    pub(crate) fn let_go(&self, shard: u32) {
        self.following.let_go(shard);
        self.proofs.forget(shard);
    }
}

/// A failure of the log, in words.
fn refused(why: &dyn std::fmt::Display) -> Failure {
    Failure::Database(format!("the log in Kafka: {why}").into())
}

/// The same for what the client says: no broker to be reached passes by itself.
fn refused_by(why: &KafkaError) -> Failure {
    match is_passing(why) {
        true => Failure::Away(format!("the log in Kafka: {why}").into()),
        false => refused(why),
    }
}

/// Whether nothing is wrong but that a broker can't be reached.
fn is_passing(why: &KafkaError) -> bool {
    use RDKafkaErrorCode::{
        AllBrokersDown, BrokerNotAvailable, BrokerTransportFailure, LeaderNotAvailable,
        NetworkException, NotLeaderForPartition, OperationTimedOut, RequestTimedOut, Resolve,
    };
    matches!(
        why.rdkafka_error_code(),
        Some(
            AllBrokersDown
                | BrokerNotAvailable
                | BrokerTransportFailure
                | LeaderNotAvailable
                | NetworkException
                | NotLeaderForPartition
                | OperationTimedOut
                | RequestTimedOut
                | Resolve
        )
    )
}

/// The partition of a shard.
fn partition(shard: u32) -> i32 {
    i32::try_from(shard).unwrap_or(i32::MAX)
}
