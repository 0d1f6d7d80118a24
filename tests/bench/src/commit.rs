//! Decide and commit: a log that is there already, decided by a worker; the floor writes the same heads, parts,
//! journal rows and messages, batch by batch, and decides nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use model::AccountId;
use server::{Clock, Config, Roles, Server};
use store::{
    Bid, ClockMode, Commit, DeliveryFilter, HeadWrite, Incoming, JournalFilter, JournalWrite,
    Loaded, NewFact, OpenOptions, OutboxWrite, PartWrite, Parts, Role, Store, WakeWrite, Wanted,
};

use crate::cpu::{Cost, Meter};
use crate::facts::{ACCOUNTS, Line, files};
use crate::told::Turns;

/// As the worker's own limit has it.
const BATCH: usize = 500;
const PAGE: u32 = 10_000;

pub(crate) async fn measure(lines: &[Line], rounds: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut turns = Turns::default();
    let mut written = None;
    for round in 0..rounds {
        let path = folder.path().join(format!("ours-{round}.db"));
        let (cost, store) = ours(&path, lines).await?;
        turns.ours(cost);
        let found = Written::of(&store).await?;
        store.close().await;
        let path = folder.path().join(format!("floor-{round}.db"));
        turns.floor(found.again(&path, lines).await?);
        written = Some(found);
    }
    println!("decide and commit, one shard");
    turns.print(("decide and commit", "the same writes alone"), lines.len());
    if let Some(written) = written {
        written.print_bytes();
    }
    Ok(())
}

/// A new store with one shard.
pub(crate) async fn open(path: &Path) -> anyhow::Result<Store> {
    let options = OpenOptions {
        shards: Some(1),
        clock: Some(ClockMode::Log),
        ..OpenOptions::default()
    };
    Ok(Store::open(path, options).await?)
}

/// Settings of a server in this process.
pub(crate) fn settings() -> anyhow::Result<Config> {
    let mut config = Config::load_with(None, &|_| None)?;
    config.listen = "127.0.0.1:0".parse()?;
    Ok(config)
}

async fn append(store: &Store, lines: &[Line]) -> anyhow::Result<()> {
    for page in lines.chunks(1_000) {
        let fact = |line: &Line| NewFact {
            shard: 0,
            arrived_at: Timestamp::UNIX_EPOCH,
            json: line.json.as_str().into(),
        };
        let facts = page.iter().map(fact).collect();
        store
            .append(Incoming {
                facts,
                parked: Vec::new(),
            })
            .await?;
    }
    Ok(())
}

async fn ours(path: &Path, lines: &[Line]) -> anyhow::Result<(Cost, Store)> {
    let store = open(path).await?;
    server::activate(&store, &files()?, Timestamp::UNIX_EPOCH).await?;
    append(&store, lines).await?;
    let roles = Roles {
        http: false,
        ingest: false,
        api: false,
        decide: true,
        send: false,
    };
    let meter = Meter::start();
    let server = Server::start(settings()?, store.clone(), Clock::wall(), roles).await?;
    let end = store.log_end(0).await?;
    let mut look = tokio::time::interval(Duration::from_millis(10));
    loop {
        look.tick().await;
        let states = store.shard_states().await?;
        if states.iter().all(|state| state.mark.position == end) {
            break;
        }
    }
    let cost = meter.stop();
    server.stop().await;
    Ok((cost, store))
}

/// What a run left in its store.
struct Written {
    accounts: BTreeMap<String, Loaded>,
    journal: Vec<JournalWrite>,
    outbox: Vec<OutboxWrite>,
}

impl Written {
    async fn of(store: &Store) -> anyhow::Result<Written> {
        let rows = store.accounts(0, None, None, PAGE).await?;
        let wanted = |account: AccountId| Wanted {
            account,
            parts: Parts::All,
        };
        let wanted = rows.into_iter().map(|row| wanted(row.account)).collect();
        let loaded = store.load(0, wanted).await?;
        let mut journal = Vec::new();
        let mut filter = JournalFilter {
            count_max: PAGE,
            ..JournalFilter::default()
        };
        loop {
            let page = store.journal(0, filter.clone()).await?;
            let Some(last) = page.last() else { break };
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
            accounts: loaded
                .into_iter()
                .map(|one| (one.account.as_str().to_owned(), one))
                .collect(),
            journal,
            outbox: outbox.collect(),
        })
    }

    /// Writes as much again into a new store: the accounts that each batch names, as they ended.
    async fn again(&self, path: &Path, lines: &[Line]) -> anyhow::Result<Cost> {
        let store = open(path).await?;
        server::activate(&store, &files()?, Timestamp::UNIX_EPOCH).await?;
        append(&store, lines).await?;
        let bid = Bid {
            owner: "floor".into(),
            now: Timestamp::now(),
            ttl: Duration::from_secs(3_600),
        };
        let lease = store
            .acquire(0, Role::Decide, &bid)
            .await?
            .context("nobody else has the lease")?;
        let states = store.shard_states().await?;
        let mut mark = states.first().context("there is a shard")?.mark;
        let batches = lines.len().div_ceil(BATCH).max(1);
        let mut journal = self
            .journal
            .chunks(self.journal.len().div_ceil(batches).max(1));
        let mut outbox = self
            .outbox
            .chunks(self.outbox.len().div_ceil(batches).max(1));
        let meter = Meter::start();
        for batch in lines.chunks(BATCH) {
            let mut commit = Commit::new(0, lease.epoch, mark, Timestamp::UNIX_EPOCH);
            commit.to_position += u64::try_from(batch.len())?;
            commit.journal = journal.next().unwrap_or_default().to_vec();
            commit.outbox = outbox.next().unwrap_or_default().to_vec();
            let mut named: BTreeMap<&str, &Loaded> = BTreeMap::new();
            for line in batch {
                if let Some(loaded) = self.accounts.get(&line.account) {
                    named.insert(&line.account, loaded);
                }
            }
            for loaded in named.into_values() {
                fill(&mut commit, loaded);
            }
            mark = store.commit(commit).await?.mark;
        }
        let cost = meter.stop();
        store.close().await;
        Ok(cost)
    }

    fn print_bytes(&self) {
        let heads: usize = self.accounts.values().map(|one| one.head.len()).sum();
        let parts: usize = self
            .accounts
            .values()
            .flat_map(|one| &one.parts)
            .map(|(_, bytes)| bytes.len())
            .sum();
        let accounts = self.accounts.len().max(1);
        println!(
            "bytes per account, of {} ({ACCOUNTS} told)",
            self.accounts.len()
        );
        println!(
            "  {} head + {} parts = {}",
            heads / accounts,
            parts / accounts,
            (heads + parts) / accounts
        );
    }
}

fn fill(commit: &mut Commit, loaded: &Loaded) {
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
