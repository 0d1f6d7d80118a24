//! Decide and commit: a log that is there already, decided by a worker; the floor writes the same heads, parts,
//! journal rows and messages, batch by batch, and decides nothing.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use server::{Clock, Config, Roles, Server};
use store::{ClockMode, Incoming, NewFact, OpenOptions, Store};

use crate::cpu::{Cost, Meter};
use crate::facts::{Line, files};
use crate::told::Turns;
use crate::written::{Written, whole_journal};

pub(crate) async fn measure(lines: &[Line], rounds: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut turns = Turns::default();
    let mut written = None;
    for round in 0..rounds {
        let path = folder.path().join(format!("ours-{round}.db"));
        let (cost, store) = ours(&path, lines).await?;
        turns.ours(cost);
        let found = Written::of(&store, lines, vec![whole_journal()]).await?;
        store.close().await;
        turns.floor(
            floor(
                &folder.path().join(format!("floor-{round}.db")),
                lines,
                &found,
            )
            .await?,
        );
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

/// Puts facts into the log.
pub(crate) async fn append(store: &Store, lines: &[Line]) -> anyhow::Result<()> {
    for page in lines.chunks(1_000) {
        let fact = |line: &Line| NewFact {
            shard: store.shard_of(&line.account),
            arrived_at: Timestamp::UNIX_EPOCH,
            json: line.json.as_str().into(),
        };
        let incoming = Incoming {
            facts: page.iter().map(fact).collect(),
            parked: Vec::new(),
        };
        store.append(incoming).await?;
    }
    Ok(())
}

/// The same writes, into a store with the same log.
async fn floor(path: &Path, lines: &[Line], found: &Written) -> anyhow::Result<Cost> {
    let store = open(path).await?;
    server::activate(&store, &files()?, Timestamp::UNIX_EPOCH).await?;
    append(&store, lines).await?;
    let cost = found.again(&store, true).await?;
    store.close().await;
    Ok(cost)
}

async fn ours(path: &Path, lines: &[Line]) -> anyhow::Result<(Cost, Store)> {
    let store = open(path).await?;
    server::activate(&store, &files()?, Timestamp::UNIX_EPOCH).await?;
    append(&store, lines).await?;
    Ok((decided(&store).await?, store))
}

/// Decides all that stands in the log, by a server of this process.
pub(crate) async fn decided(store: &Store) -> anyhow::Result<Cost> {
    let roles = Roles {
        http: false,
        ingest: false,
        api: false,
        decide: true,
        send: false,
    };
    let mut ends = Vec::new();
    for shard in 0..store.shards() {
        ends.push(store.log_end(shard).await?);
    }
    let meter = Meter::start();
    let server = Server::start(settings()?, store.clone(), Clock::wall(), roles).await?;
    let mut look = tokio::time::interval(Duration::from_millis(10));
    loop {
        look.tick().await;
        let states = store.shard_states().await?;
        let mut places = states.iter().map(|state| state.mark.position).zip(&ends);
        if places.all(|(position, end)| position == *end) {
            break;
        }
    }
    let cost = meter.stop();
    server.stop().await;
    Ok(cost)
}
