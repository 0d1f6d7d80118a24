//! An account as it stands, for those who only look.

use engine::{Account, Csms};
use jiff::Timestamp;
use model::AccountId;
use store::{Failure, Parts, Store, Wanted};

/// Why an account can't be looked at.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// What is stored can't be read.
    #[error("what is stored can't be read: {0}")]
    Unreadable(#[from] engine::DecodeError),
}

/// An account with what a decision on it would be given.
#[derive(Debug)]
pub struct Looked {
    /// The account.
    pub account: Account,
    /// The CSMs as its shard knows them.
    pub csms: Csms,
    /// The time of its shard under the log clock, as ticks have raised it.
    pub shard_now: Option<Timestamp>,
}

/// Reads an account; none if nothing of it was decided yet.
pub async fn look(store: &Store, id: &AccountId) -> Result<Option<Looked>, LookError> {
    for shard in store.shards_of(Some(id.as_str())) {
        let wanted = Wanted {
            account: id.clone(),
            parts: Parts::All,
        };
        let Some(loaded) = store.load(shard, vec![wanted]).await?.into_iter().next() else {
            continue;
        };
        let mut csms = Csms::default();
        for csm in store.csms(shard).await? {
            csms.decode(&csm.csm, &csm.bytes)?;
        }
        return Ok(Some(Looked {
            account: Account::decode(id.clone(), Some(&loaded.head), loaded.parts)?,
            csms,
            shard_now: store.shard(shard).await?.now,
        }));
    }
    Ok(None)
}
