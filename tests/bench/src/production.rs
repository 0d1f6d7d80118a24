//! The production shape: state in a real Postgres, the log in a real Kafka, and as many accounts as are wanted.

use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;
use model::AccountId;
use servers::{Kafka, Postgres};
use store::{ClockMode, Commit, KafkaSettings, Loaded, LogKind, OpenOptions, Store};
use workflow::Files;

use crate::commit::{append, decided, open};
use crate::facts::Line;
use crate::written::{UNKNOWN, Written, fill, whole_journal, write};

const SHARDS: u32 = 8;
/// Accounts of one commit.
const COMMIT: usize = 1_000;

/// A store on real servers, which end with it.
pub(crate) struct Production {
    pub(crate) store: Store,
    _postgres: Postgres,
}

/// Account number `n`.
pub(crate) fn name(n: usize) -> String {
    format!("a-{n:07}")
}

impl Production {
    /// A new one by a text, with its log in Kafka or in its own tables.
    pub(crate) async fn new(
        files: &Files,
        kafka: Option<(&Kafka, &str)>,
    ) -> anyhow::Result<Production> {
        let postgres = Postgres::start().map_err(|why| anyhow::anyhow!("Postgres: {why}"))?;
        let options = OpenOptions {
            shards: Some(SHARDS),
            clock: Some(ClockMode::Log),
            log: Some(match kafka {
                Some(_) => LogKind::Kafka,
                None => LogKind::Tables,
            }),
            ..OpenOptions::default()
        };
        let mut store = Store::connect(&postgres.url(), options).await?;
        if let Some((kafka, topic)) = kafka {
            let settings = KafkaSettings::new(kafka.address(), topic);
            store = store.with_log(&settings).await?;
        }
        server::activate(&store, files, Timestamp::UNIX_EPOCH).await?;
        Ok(Production {
            store,
            _postgres: postgres,
        })
    }

    /// Fills it with accounts, each as one of the patterns is.
    pub(crate) async fn populate(
        &self,
        patterns: &[Loaded],
        accounts: usize,
    ) -> anyhow::Result<()> {
        let mut shards: Vec<Vec<usize>> = vec![Vec::new(); self.store.shards() as usize];
        for n in 0..accounts {
            let shard = self.store.shard_of(&name(n)) as usize;
            shards
                .get_mut(shard)
                .context("a shard of the store")?
                .push(n);
        }
        let mut writing = tokio::task::JoinSet::new();
        for (shard, numbers) in (0..).zip(shards) {
            let (store, patterns) = (self.store.clone(), patterns.to_vec());
            writing.spawn(async move {
                let commits = numbers.chunks(COMMIT);
                let commits = commits.map(|numbers| (born(shard, numbers, &patterns), 0));
                write(&store, shard, commits, false).await
            });
        }
        while let Some(ended) = writing.join_next().await {
            ended??;
        }
        Ok(())
    }
}

fn born(shard: u32, numbers: &[usize], patterns: &[Loaded]) -> Commit {
    let mut commit = Commit::new(shard, 0, UNKNOWN, Timestamp::now());
    for n in numbers {
        if let Some(pattern) = patterns.get(n % patterns.len().max(1)) {
            let account = AccountId::new(name(*n));
            let born = Loaded {
                account,
                ..pattern.clone()
            };
            fill(&mut commit, &born);
        }
    }
    commit
}

/// Accounts as these facts leave them: decided in a small store of their own.
pub(crate) async fn patterns(files: &Files, lines: &[Line]) -> anyhow::Result<Vec<Loaded>> {
    let folder = tempfile::tempdir()?;
    let path: &Path = folder.path();
    let store = open(&path.join("patterns.db")).await?;
    server::activate(&store, files, Timestamp::UNIX_EPOCH).await?;
    append(&store, lines).await?;
    decided(&store).await?;
    let written = Written::of(&store, lines, vec![whole_journal()]).await?;
    store.close().await;
    Ok(written.into_accounts())
}
