//! Deliveries: where each message stands, for people to read.

use crate::{Failure, RevisionId, Store, store::Tables};
use jiff::Timestamp;
use model::{AccountId, DeliveryState, MessageId, Outgoing};
use std::collections::BTreeMap;

/// A message and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Its number in the store, rising with the commits.
    pub number: u64,
    /// The message.
    pub outgoing: Outgoing,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Where it stands.
    pub state: DeliveryState,
    /// How many attempts there were.
    pub attempts: u32,
    /// The last answer or reason, in words.
    pub detail: Box<str>,
    /// Since when it stands there.
    pub updated_at: Timestamp,
    /// The text by which it was decided; none where an older program wrote it.
    pub revision: Option<RevisionId>,
}

/// One attempt to hand a message over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The how-many-th, from 1.
    pub n: u32,
    /// The sender's epoch.
    pub epoch: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// When its end was known.
    pub ended_at: Option<Timestamp>,
    /// How it ended; none while nobody knows.
    pub outcome: Option<DeliveryState>,
    /// The answer or reason, in words.
    pub detail: Box<str>,
}

/// Which deliveries to list.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Only of this account.
    pub account: Option<AccountId>,
    /// Only those that stand here.
    pub state: Option<DeliveryState>,
    /// Only those behind this number.
    pub after: u64,
    /// At most so many.
    pub count_max: u32,
}

impl Store {
    /// A page of deliveries in order of their numbers.
    pub async fn deliveries(&self, filter: DeliveryFilter) -> Result<Vec<Delivery>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.deliveries(filter).await,
            Tables::Postgres(postgres) => postgres.deliveries(filter).await,
        }
    }

    /// One delivery with its attempts.
    pub async fn delivery(
        &self,
        message: &MessageId,
    ) -> Result<Option<(Delivery, Vec<Attempt>)>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.delivery(message).await,
            Tables::Postgres(postgres) => postgres.delivery(message).await,
        }
    }

    /// Of each mail among these messages, the contact it is for.
    pub async fn contacts(
        &self,
        messages: Vec<MessageId>,
    ) -> Result<BTreeMap<MessageId, Box<str>>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.contacts(messages).await,
            Tables::Postgres(postgres) => postgres.contacts(messages).await,
        }
    }

    /// How many deliveries stand where, of all shards.
    pub async fn delivery_counts(&self) -> Result<Vec<(DeliveryState, u64)>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.delivery_counts().await,
            Tables::Postgres(postgres) => postgres.delivery_counts().await,
        }
    }

    /// The shards in which something is claimed under the lease that stands, and no attempt yet, the oldest claim first: what
    /// befalls their senders now meets them between the two.
    pub async fn unattempted(&self) -> Result<Vec<u32>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.unattempted().await,
            Tables::Postgres(postgres) => postgres.unattempted().await,
        }
    }
}
