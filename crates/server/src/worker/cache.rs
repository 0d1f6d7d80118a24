//! Accounts in memory: those of one owned shard, as they were committed last or as the present batch has them.

use engine::Account;
use jiff::Timestamp;
use model::AccountId;
use std::collections::BTreeMap;
use store::{Failure, Parts, RevisionId, Store, Wanted};

/// An account in memory, and what the store knows of it.
#[derive(Debug)]
pub(super) struct Cached {
    pub(super) account: Account,
    /// The wake-up as it is stored.
    pub(super) due_at: Option<Timestamp>,
    /// The text that decided it last; none: it is new.
    pub(super) revision: Option<RevisionId>,
    /// Whether the store has a head of it.
    pub(super) is_stored: bool,
}

/// Why accounts could not be loaded.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error(transparent)]
    Failed(#[from] Failure),
    #[error("account {account} can't be read: {why}")]
    Unreadable {
        account: AccountId,
        why: engine::DecodeError,
    },
}

/// The accounts of a shard that are in memory. Dropped whole on anything but a known success.
#[derive(Debug, Default)]
pub(super) struct Cache(BTreeMap<AccountId, Cached>);

impl Cache {
    /// Forgets everything when it holds more than it may; only between batches.
    pub(super) fn trim(&mut self, accounts_max: usize) {
        if self.0.len() > accounts_max {
            self.0.clear();
        }
    }

    pub(super) fn get_mut(&mut self, account: &AccountId) -> Option<&mut Cached> {
        self.0.get_mut(account)
    }

    /// The texts that decided these accounts last.
    pub(super) fn revisions<'c>(
        &'c self,
        accounts: &'c [AccountId],
    ) -> impl Iterator<Item = RevisionId> + 'c {
        let cached = accounts.iter().filter_map(|account| self.0.get(account));
        cached.filter_map(|cached| cached.revision)
    }

    /// Loads those accounts that are not here yet; those that are not stored begin new.
    pub(super) async fn fill(
        &mut self,
        store: &Store,
        shard: u32,
        accounts: impl Iterator<Item = AccountId>,
    ) -> Result<(), LoadError> {
        let mut missing: Vec<AccountId> = accounts
            .filter(|account| !self.0.contains_key(account))
            .collect();
        missing.sort_unstable();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        let wanted = missing.iter().map(|account| Wanted {
            account: account.clone(),
            parts: Parts::All,
        });
        for loaded in store.load(shard, wanted.collect()).await? {
            let id = loaded.account.clone();
            let account =
                Account::decode(id.clone(), Some(&loaded.head), loaded.parts).map_err(|why| {
                    LoadError::Unreadable {
                        account: id.clone(),
                        why,
                    }
                })?;
            self.0.insert(
                id,
                Cached {
                    account,
                    due_at: loaded.due_at,
                    revision: Some(loaded.revision),
                    is_stored: true,
                },
            );
        }
        for id in missing {
            self.0.entry(id.clone()).or_insert_with(|| Cached {
                account: Account::new(id),
                due_at: None,
                revision: None,
                is_stored: false,
            });
        }
        Ok(())
    }
}
