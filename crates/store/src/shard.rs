//! Shards: slices of accounts, each with its position in the log.

use crate::{Failure, RevisionId, Store, store::Tables};
use jiff::Timestamp;
use std::ops::Range;

/// The shard of an account: the hash that Kafka's default partitioner uses, so that a shard can become a partition.
pub fn shard_of(account: &str, shards: u32) -> u32 {
    (murmur2(account.as_bytes()) & 0x7fff_ffff) % shards.max(1)
}

/// How far a shard is; a commit names what it was decided from, and is refused if that has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardMark {
    /// How far the log has been decided.
    pub position: u64,
    /// How many commits there were.
    pub commits: u64,
    /// The text by which it decides.
    pub revision: Option<RevisionId>,
}

/// All that stands in a shard's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardState {
    /// The shard.
    pub shard: u32,
    /// How far it is.
    pub mark: ShardMark,
    /// The epoch of the last commit.
    pub commit_epoch: u64,
    /// The position from which the revision decides.
    pub revision_from: u64,
    /// Facts up to here tell how things stood before the first text.
    pub history_until: u64,
    /// The text by which every account has been decided: another one than the revision's while that is still taking effect.
    pub rebased: Option<RevisionId>,
    /// How far the log was read again for what the revision counts anew; none while there is nothing of that.
    pub backfill: Option<u64>,
    /// The latest instant that was decided for the whole shard (log clock: by ticks).
    pub now: Option<Timestamp>,
    /// How many journal rows there are.
    pub journal_end: u64,
}

impl Store {
    /// The shard of an account in this store.
    pub fn shard_of(&self, account: &str) -> u32 {
        shard_of(account, self.shards())
    }

    /// The shards that hear of an account; what has no account goes to every one.
    pub fn shards_of(&self, account: Option<&str>) -> Range<u32> {
        match account {
            Some(account) => {
                let shard = self.shard_of(account);
                shard..shard + 1
            }
            None => 0..self.shards(),
        }
    }

    /// A shard's row.
    pub async fn shard(&self, shard: u32) -> Result<ShardState, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.shard(shard).await,
            Tables::Postgres(postgres) => postgres.shard(shard).await,
        }
    }

    /// Every shard's row, in order.
    pub async fn shard_states(&self) -> Result<Vec<ShardState>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.shard_states().await,
            Tables::Postgres(postgres) => postgres.shard_states().await,
        }
    }

    /// Whether anything was ever decided here.
    pub async fn is_decided(&self) -> Result<bool, Failure> {
        let states = self.shard_states().await?;
        Ok(states.iter().any(|state| state.mark.commits > 0))
    }
}

/// `MurmurHash2` with the seed that Kafka's clients share.
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    let rest = words.remainder();
    for (index, byte) in rest.iter().enumerate() {
        hash ^= u32::from(*byte) << (8 * index);
    }
    if !rest.is_empty() {
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_of_kafkas_clients() {
        // The values of the test in Kafka's own client library.
        for (key, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            (
                "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
        }
    }

    #[test]
    fn every_shard_is_below_their_number() {
        for account in ["acme", "アクメ", "", "k-1"] {
            assert!(shard_of(account, 8) < 8);
            assert_eq!(shard_of(account, 1), 0);
        }
    }
}
