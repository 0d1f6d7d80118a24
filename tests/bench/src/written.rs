//! What a run left in its store, and the same writes once more without deciding anything: the floor of whoever decides
//! and commits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use model::AccountId;
use store::{
    Bid, Commit, DeliveryFilter, HeadWrite, JournalFilter, JournalWrite, Loaded, OutboxWrite,
    PartWrite, Parts, Role, ShardMark, Store, WakeWrite, Wanted,
};

use crate::cpu::{Cost, Meter};
use crate::facts::Line;

/// As the worker's own limit has it.
const BATCH: usize = 500;
const PAGE: u32 = 10_000;
/// Where a shard is, before anybody asked.
pub(crate) const UNKNOWN: ShardMark = ShardMark {
    position: 0,
    commits: 0,
    revision: None,
};

/// What a shard's part of a run is.
#[derive(Default)]
struct Share {
    lines: Vec<Line>,
    accounts: BTreeMap<String, Loaded>,
    journal: Vec<JournalWrite>,
}

/// What a run left in its store.
pub(crate) struct Written {
    shares: Vec<Arc<Share>>,
    /// Those of all shards: no message is anybody's share before it is written.
    outbox: Vec<OutboxWrite>,
}

/// A shard's journal from its beginning.
pub(crate) fn whole_journal() -> JournalFilter {
    JournalFilter {
        count_max: PAGE,
        ..JournalFilter::default()
    }
}

/// Where the journal of each shard ends.
#[cfg(feature = "kafka")]
pub(crate) async fn ends(store: &Store) -> anyhow::Result<Vec<JournalFilter>> {
    let mut ends = Vec::new();
    for shard in 0..store.shards() {
        let mut filter = whole_journal();
        while let Some(last) = store.journal(shard, filter.clone()).await?.pop() {
            filter.after = last.place;
        }
        ends.push(filter);
    }
    Ok(ends)
}

impl Written {
    /// Of these facts; the journal from where it stood.
    pub(crate) async fn of(
        store: &Store,
        lines: &[Line],
        since: Vec<JournalFilter>,
    ) -> anyhow::Result<Written> {
        let mut shares: Vec<Share> = since.iter().map(|_| Share::default()).collect();
        for line in lines {
            let share = shares.get_mut(store.shard_of(&line.account) as usize);
            share
                .context("a shard of the store")?
                .lines
                .push(line.clone());
        }
        for ((shard, share), filter) in (0..).zip(&mut shares).zip(since) {
            share.accounts = accounts(store, shard, &share.lines).await?;
            share.journal = journal(store, shard, filter).await?;
        }
        let filter = DeliveryFilter {
            count_max: PAGE,
            ..DeliveryFilter::default()
        };
        let deliveries = store.deliveries(filter).await?;
        let outbox = deliveries.into_iter().map(|one| OutboxWrite {
            outgoing: one.outgoing,
            addresses: Vec::new(),
            lane: None,
            related_until: None,
        });
        Ok(Written {
            shares: shares.into_iter().map(Arc::new).collect(),
            outbox: outbox.collect(),
        })
    }

    /// Writes as much again: the accounts that each batch names, as they ended. `is_log_there` says whether the store has
    /// these facts in its log, so that positions move over them; all shards write at once, as workers do.
    pub(crate) async fn again(&self, store: &Store, is_log_there: bool) -> anyhow::Result<Cost> {
        let meter = Meter::start();
        let each = self.outbox.len().div_ceil(self.shares.len().max(1));
        let mut outbox = self.outbox.chunks(each.max(1));
        let mut writing = tokio::task::JoinSet::new();
        for (shard, share) in (0..).zip(&self.shares) {
            let messages = outbox.next().unwrap_or_default();
            let (store, share) = (store.clone(), Arc::clone(share));
            let messages = messages.to_vec();
            writing.spawn(async move {
                write(&store, shard, share.commits(shard, &messages), is_log_there).await
            });
        }
        while let Some(ended) = writing.join_next().await {
            ended??;
        }
        Ok(meter.stop())
    }

    /// The accounts, as they ended.
    #[cfg(feature = "kafka")]
    pub(crate) fn into_accounts(self) -> Vec<Loaded> {
        let shares = self.shares.into_iter().filter_map(Arc::into_inner);
        shares
            .flat_map(|share| share.accounts.into_values())
            .collect()
    }

    /// Prints how large an account is.
    pub(crate) fn print_bytes(&self) {
        let accounts: Vec<&Loaded> = self
            .shares
            .iter()
            .flat_map(|share| share.accounts.values())
            .collect();
        let heads: usize = accounts.iter().map(|one| one.head.len()).sum();
        let parts = accounts.iter().flat_map(|one| &one.parts);
        let parts: usize = parts.map(|(_, bytes)| bytes.len()).sum();
        let count = accounts.len().max(1);
        println!("bytes per account, of {count}");
        println!(
            "  {} head + {} parts = {}",
            heads / count,
            parts / count,
            (heads + parts) / count
        );
    }
}

impl Share {
    /// Its commits, each made when it is its turn, and by how many facts each moves the position.
    fn commits(&self, shard: u32, messages: &[OutboxWrite]) -> impl Iterator<Item = (Commit, u64)> {
        let batches = self.lines.len().div_ceil(BATCH).max(1);
        let each = |count: usize| count.div_ceil(batches).max(1);
        let mut journal = self.journal.chunks(each(self.journal.len()));
        let mut outbox = messages.chunks(each(messages.len()));
        let commit = move |batch: &[Line]| {
            let mut commit = Commit::new(shard, 0, UNKNOWN, Timestamp::now());
            commit.journal = journal.next().unwrap_or_default().to_vec();
            commit.outbox = outbox.next().unwrap_or_default().to_vec();
            let named: BTreeSet<&str> = batch.iter().map(|line| &*line.account).collect();
            for loaded in named.iter().filter_map(|name| self.accounts.get(*name)) {
                fill(&mut commit, loaded);
            }
            (commit, u64::try_from(batch.len()).unwrap_or(0))
        };
        self.lines.chunks(BATCH).map(commit)
    }
}

/// Commits one after the other, under a lease of its own.
pub(crate) async fn write(
    store: &Store,
    shard: u32,
    commits: impl Iterator<Item = (Commit, u64)>,
    is_log_there: bool,
) -> anyhow::Result<()> {
    const OWNER: &str = "floor";
    let bid = Bid {
        owner: OWNER.into(),
        now: Timestamp::now(),
        ttl: Duration::from_secs(3_600),
    };
    let lease = store.acquire(shard, Role::Decide, &bid).await?;
    let lease = lease.context("nobody else has the lease")?;
    let mut mark = store.shard(shard).await?.mark;
    for (mut commit, facts) in commits {
        commit.epoch = lease.epoch;
        commit.from = mark;
        commit.to_position = mark.position + if is_log_there { facts } else { 0 };
        mark = store.commit(commit).await?.mark;
    }
    store.release(shard, Role::Decide, OWNER).await?;
    Ok(())
}

async fn accounts(
    store: &Store,
    shard: u32,
    lines: &[Line],
) -> anyhow::Result<BTreeMap<String, Loaded>> {
    let names: BTreeSet<&str> = lines.iter().map(|line| &*line.account).collect();
    let mut wanted = Vec::new();
    for name in names {
        wanted.push(Wanted {
            account: AccountId::new(name),
            parts: Parts::All,
        });
    }
    let mut accounts = BTreeMap::new();
    for page in wanted.chunks(1_000) {
        let loaded = store.load(shard, page.to_vec()).await?;
        accounts.extend(
            loaded
                .into_iter()
                .map(|one| (one.account.as_str().to_owned(), one)),
        );
    }
    Ok(accounts)
}

async fn journal(
    store: &Store,
    shard: u32,
    mut filter: JournalFilter,
) -> anyhow::Result<Vec<JournalWrite>> {
    let mut journal = Vec::new();
    loop {
        let page = store.journal(shard, filter.clone()).await?;
        let Some(last) = page.last() else {
            return Ok(journal);
        };
        filter.after = last.place;
        for row in page {
            let record = serde_json::from_str(&row.record)?;
            journal.push(JournalWrite {
                at: row.at,
                revision: row.revision,
                record,
            });
        }
    }
}

/// Writes an account as it was loaded.
pub(crate) fn fill(commit: &mut Commit, loaded: &Loaded) {
    commit.heads.push(HeadWrite {
        account: loaded.account.clone(),
        revision: loaded.revision,
        bytes: loaded.head.clone(),
    });
    commit.wakes.push(WakeWrite {
        account: loaded.account.clone(),
        due_at: loaded.due_at,
    });
    for (part, bytes) in &loaded.parts {
        commit.parts.push(PartWrite {
            account: loaded.account.clone(),
            part: part.clone(),
            bytes: Some(bytes.clone()),
        });
    }
}
