//! Leases: the right to write a shard, with the epoch that fences.

use crate::{Failure, Store, store::Tables};
use jiff::Timestamp;
use std::time::Duration;

/// What a lease is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Decides the log.
    Decide,
    /// Hands messages over.
    Send,
}

impl Role {
    /// Both, in order.
    pub const ALL: [Self; 2] = [Self::Decide, Self::Send];

    /// The word in tables and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decide => "decide",
            Self::Send => "send",
        }
    }
}

/// Who asks, when, and for how long. An owner's name belongs to one start of one process.
#[derive(Clone, Debug)]
pub struct Bid {
    /// Who.
    pub owner: Box<str>,
    /// The wall clock.
    pub now: Timestamp,
    /// For how long.
    pub ttl: Duration,
}

/// One shard's lease for one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The shard.
    pub shard: u32,
    /// What for.
    pub role: Role,
    /// Who has it; none if it is free.
    pub owner: Option<Box<str>>,
    /// Rises at each change of owner.
    pub epoch: u64,
    /// Until when nobody else may take it.
    pub lease_until: Timestamp,
}

impl Store {
    /// Takes a lease that is free, expired or already the bidder's; none if somebody else has it.
    pub async fn acquire(
        &self,
        shard: u32,
        role: Role,
        bid: &Bid,
    ) -> Result<Option<Lease>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.acquire(shard, role, bid).await,
            Tables::Postgres(postgres) => postgres.acquire(shard, role, bid).await,
        }
    }

    /// Prolongs all that the bidder has, and says what that is.
    pub async fn renew(&self, bid: &Bid) -> Result<Vec<Lease>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.renew(bid).await,
            Tables::Postgres(postgres) => postgres.renew(bid).await,
        }
    }

    /// Gives one lease back; from then on its old epoch writes nothing. False if it was no longer the owner's.
    pub async fn release(&self, shard: u32, role: Role, owner: &str) -> Result<bool, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.release(shard, role, owner).await,
            Tables::Postgres(postgres) => postgres.release(shard, role, owner).await,
        }
    }

    /// Says that the bidder is there for as long as its bid lasts, and who else is, in order.
    pub async fn attend(&self, bid: &Bid) -> Result<Vec<Box<str>>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.attend(bid).await,
            Tables::Postgres(postgres) => postgres.attend(bid).await,
        }
    }

    /// Says that an owner is there no longer.
    pub async fn leave(&self, owner: &str) -> Result<(), Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.leave(owner).await,
            Tables::Postgres(postgres) => postgres.leave(owner).await,
        }
    }

    /// Every lease, in order of shard and role.
    pub async fn leases(&self) -> Result<Vec<Lease>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.leases().await,
            Tables::Postgres(postgres) => postgres.leases().await,
        }
    }
}
