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
    /// About how many bytes it takes, and the round that asked for it last.
    weight: usize,
    round: u64,
}

impl Cached {
    fn new(account: Account, stored: Option<(Option<Timestamp>, RevisionId)>) -> Self {
        Self {
            account,
            due_at: stored.and_then(|(due_at, _)| due_at),
            revision: stored.map(|(_, revision)| revision),
            is_stored: stored.is_some(),
            weight: 0,
            round: 0,
        }
    }
}

/// How much a cache may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) accounts: usize,
    pub(super) bytes: usize,
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
pub(super) struct Cache {
    accounts: BTreeMap<AccountId, Cached>,
    /// What they weigh.
    bytes: usize,
    /// Which round it is: who was asked for lately stays.
    round: u64,
    /// Who was asked for in this round, and may weigh something else by now.
    asked: Vec<AccountId>,
}

impl Cache {
    /// Begins a round. Where it holds more than it may, those go that were asked for longest ago, half of all; only between
    /// batches.
    pub(super) fn trim(&mut self, room: Room) {
        self.round += 1;
        for account in std::mem::take(&mut self.asked) {
            self.weigh(&account);
        }
        if self.accounts.len() <= room.accounts && self.bytes <= room.bytes {
            return;
        }
        let mut rounds: Vec<u64> = self.accounts.values().map(|cached| cached.round).collect();
        let middle = rounds.len() / 2;
        let (_, middle, _) = rounds.select_nth_unstable(middle);
        let last = *middle;
        self.accounts.retain(|_, cached| cached.round > last);
        self.bytes = self.accounts.values().map(|cached| cached.weight).sum();
    }

    pub(super) fn get_mut(&mut self, account: &AccountId) -> Option<&mut Cached> {
        let cached = self.accounts.get_mut(account)?;
        if cached.round != self.round {
            cached.round = self.round;
            self.asked.push(account.clone());
        }
        Some(cached)
    }

    fn weigh(&mut self, account: &AccountId) {
        if let Some(cached) = self.accounts.get_mut(account) {
            let weight = cached.account.weight();
            self.bytes = self.bytes.saturating_sub(cached.weight) + weight;
            cached.weight = weight;
        }
    }

    /// The texts that decided these accounts last.
    pub(super) fn revisions<'c>(
        &'c self,
        accounts: &'c [AccountId],
    ) -> impl Iterator<Item = RevisionId> + 'c {
        let cached = accounts
            .iter()
            .filter_map(|account| self.accounts.get(account));
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
            .filter(|account| !self.accounts.contains_key(account))
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
            let stored = Some((loaded.due_at, loaded.revision));
            self.put(Cached::new(account, stored));
        }
        for id in missing {
            if !self.accounts.contains_key(&id) {
                self.put(Cached::new(Account::new(id), None));
            }
        }
        Ok(())
    }

    fn put(&mut self, mut cached: Cached) {
        cached.round = self.round;
        let id = cached.account.id.clone();
        self.asked.push(id.clone());
        self.accounts.insert(id, cached);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> AccountId {
        AccountId::new(format!("a-{n}"))
    }

    /// A cache in which a round asked for each of these accounts.
    fn asked(cache: &mut Cache, room: Room, accounts: std::ops::Range<usize>) {
        cache.trim(room);
        for n in accounts {
            if cache.get_mut(&id(n)).is_none() {
                cache.put(Cached::new(Account::new(id(n)), None));
            }
        }
    }

    fn held(cache: &Cache) -> Vec<usize> {
        (0..100)
            .filter(|n| cache.accounts.contains_key(&id(*n)))
            .collect()
    }

    #[test]
    fn those_asked_for_longest_ago_go_first_whether_they_are_many_or_heavy() {
        let one = Account::new(id(1)).weight();
        for room in [
            Room {
                accounts: 8,
                bytes: usize::MAX,
            },
            Room {
                accounts: usize::MAX,
                bytes: 8 * one + one / 2,
            },
        ] {
            let mut cache = Cache::default();
            asked(&mut cache, room, 0..4);
            asked(&mut cache, room, 4..8);
            asked(&mut cache, room, 0..2);
            assert_eq!(held(&cache), [0, 1, 2, 3, 4, 5, 6, 7], "{room:?}");
            asked(&mut cache, room, 8..9);
            // What is over the room is seen when the next round begins.
            asked(&mut cache, room, 0..1);
            assert_eq!(held(&cache), [0, 1, 8], "{room:?}");
            assert_eq!(cache.bytes, 3 * one, "{room:?}");
        }
    }

    #[test]
    fn an_account_that_grew_weighs_more() {
        let mut cache = Cache::default();
        let room = Room {
            accounts: 10,
            bytes: 1 << 20,
        };
        asked(&mut cache, room, 0..2);
        cache.trim(room);
        let before = cache.bytes;
        let grown = cache.get_mut(&id(1)).expect("it is there");
        for n in 0..10_000 {
            let day = jiff::civil::date(2026, 1, 1);
            grown.account.parts.insert_id(day, n);
        }
        cache.trim(room);
        assert!(cache.bytes > before + 10_000 * 8, "{}", cache.bytes);
    }
}
