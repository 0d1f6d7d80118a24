//! Facts: one CloudEvent each, and a fact as it stands in the log.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A fact in its stored form, which is the public one: a CloudEvent 1.0 in JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Always `1.0`.
    pub specversion: Box<str>,
    /// With `source`, names the fact.
    pub id: Box<str>,
    /// The system that tells it.
    pub source: Box<str>,
    /// An event of the schema, `account.updated` and its like, or a control fact.
    #[serde(rename = "type")]
    pub kind: Box<str>,
    /// The account's id (the CSM's for `csm.*`); control facts have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Box<str>>,
    /// When it happened, as the source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// Whether it tells how things stood before Sottaku watched.
    #[serde(
        default,
        rename = "sottakuhistory",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub is_history: bool,
    /// When it came in, in an exported log; read back by `simulate`.
    #[serde(
        default,
        rename = "sottakuarrived",
        skip_serializing_if = "Option::is_none"
    )]
    pub arrived_at: Option<Timestamp>,
    /// What it says.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub data: serde_json::Map<String, serde_json::Value>,
}

/// Prefix of the types that only Sottaku's own commands and the log clock write.
pub const CONTROL_PREFIX: &str = "sottaku.";
/// Raises the log clock: its `time` is the new `now` of every shard.
pub const TICK: &str = "sottaku.tick";
/// Closes the imported history of every account of the shard.
pub const HISTORY_ENDED: &str = "sottaku.history_ended";
/// Messages to a contact's address are stopped; told by the store with the suppression itself.
pub const SUPPRESSED: &str = "contact.suppressed";
/// What stopped them is lifted.
pub const UNSUPPRESSED: &str = "contact.unsuppressed";

impl Fact {
    /// Whether this is a control fact, which has no subject and goes to every shard.
    pub fn is_control(&self) -> bool {
        self.kind.starts_with(CONTROL_PREFIX)
    }

    /// Whether this is about a CSM, which goes to every shard.
    pub fn is_csm(&self) -> bool {
        matches!(&*self.kind, "csm.updated" | "csm.deleted")
    }

    /// The name under which a second telling of the same fact is recognised.
    pub fn fingerprint(&self) -> u64 {
        let digest = crate::id::digest(&[&self.source, &self.id]);
        let mut head = [0; 8];
        head.copy_from_slice(&digest[..8]);
        u64::from_be_bytes(head)
    }
}

/// A fact at its place in a shard's log.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    /// Its place, from 1, without gaps.
    pub position: u64,
    /// When it came in, by the wall clock, written once.
    pub arrived_at: Timestamp,
    /// The fact.
    pub fact: Fact,
}
