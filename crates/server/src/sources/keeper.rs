//! The keeper of sources: takes the leases of those that the deciding text names, and runs a reader for each.

use super::reader::Reader;
use crate::active::{self, Active, Unusable};
use crate::share::owner_name;
use crate::shared::Shared;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;
use store::{Bid, Failure, NewSource};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use workflow::program::TopicSource;

/// How long a lease lasts.
const LEASE: Duration = Duration::from_secs(6);
/// How often it is renewed, and the text looked at.
const RENEW: Duration = Duration::from_secs(2);

/// One source of ours, and the task that reads it.
struct Held {
    epoch: u64,
    source: TopicSource,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Keeps this process's sources.
pub(crate) struct SourceKeeper {
    shared: Shared,
    owner: Box<str>,
    held: BTreeMap<Box<str>, Held>,
}

impl SourceKeeper {
    pub(crate) fn new(shared: Shared) -> Self {
        // The hasher's own random keys: no other start of any process draws the same.
        let draw = RandomState::new().build_hasher().finish();
        Self {
            shared,
            owner: owner_name(draw, &[]),
            held: BTreeMap::new(),
        }
    }

    /// Keeps sources until it is told to stop; then each is brought to its end and given back.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.round().await {
                Ok(()) => {}
                // Nothing is applied yet.
                Err(Unusable::Gone(0)) => {}
                Err(why) => tracing::warn!(%why, "sources could not be looked at; trying again"),
            }
            tokio::select! {
                () = sleep(RENEW) => {}
                () = stop.cancelled() => {}
            }
        }
        for name in self.held.keys().cloned().collect::<Vec<_>>() {
            self.give(&name).await;
        }
    }

    async fn round(&mut self) -> Result<(), Unusable> {
        let active = active::present(&self.shared, true).await?;
        let gone: Vec<Box<str>> = self
            .held
            .iter()
            .filter(|(name, held)| active.program.sources.get(*name) != Some(&held.source))
            .map(|(name, _)| name.clone())
            .collect();
        for name in gone {
            self.give(&name).await;
        }
        let sources = &active.program.sources;
        let is_reachable = sources.is_empty() || self.shared.config.source("").is_some();
        self.shared.status.sources_have_no_brokers(!is_reachable);
        if !is_reachable {
            return Ok(());
        }
        for (name, source) in sources {
            self.keep(&active, name, source).await?;
        }
        Ok(())
    }

    /// Takes or renews one lease, and sees to it that its reader runs.
    async fn keep(
        &mut self,
        active: &Active,
        name: &str,
        source: &TopicSource,
    ) -> Result<(), Failure> {
        let bid = Bid {
            owner: self.owner.clone(),
            now: self.shared.clock.now(),
            ttl: LEASE,
        };
        let wanted = NewSource {
            name: name.into(),
            topic: source.topic.clone(),
            topic_id: topic_id(),
        };
        let row = self.shared.store.take_source(&wanted, &bid).await?;
        let held = self.held.get(name);
        let is_read = match (&row, held) {
            (Some(row), Some(held)) => held.epoch == row.epoch && !held.task.is_finished(),
            (None, None) => return Ok(()),
            (Some(_), None) | (None, Some(_)) => false,
        };
        if is_read {
            return Ok(());
        }
        if let Some(held) = self.held.remove(name) {
            // Nothing that it writes counts any more, or it has ended by itself.
            held.stop.cancel();
        }
        let (Some(row), Some(settings)) = (row, self.shared.config.source(&source.topic)) else {
            return Ok(());
        };
        tracing::info!(source = name, topic = %source.topic, epoch = row.epoch, revision = active.id.0, "reads the source");
        let stop = CancellationToken::new();
        let reader = Reader {
            shared: self.shared.clone(),
            name: name.into(),
            source: source.clone(),
            settings,
            epoch: row.epoch,
        };
        let held = Held {
            epoch: row.epoch,
            source: source.clone(),
            task: tokio::spawn(reader.run(stop.clone())),
            stop,
        };
        self.held.insert(name.into(), held);
        Ok(())
    }

    /// Brings a reader to its end, and gives its lease back.
    async fn give(&mut self, name: &str) {
        let Some(mut held) = self.held.remove(name) else {
            return;
        };
        held.stop.cancel();
        let time_max = self.shared.config.limits.stop_time_max;
        if timeout(time_max, &mut held.task).await.is_err() {
            held.task.abort();
        }
        let released = self.shared.store.release_source(name, &self.owner);
        match timeout(time_max, released).await {
            Ok(Ok(_)) => tracing::info!(source = name, "gave the source back"),
            Ok(Err(failure)) => {
                tracing::warn!(source = name, %failure, "the source was not given back; its lease runs out by itself");
            }
            Err(_) => tracing::warn!(source = name, "the source was not given back in time"),
        }
    }
}

/// Whoever drops the keeper means it.
impl Drop for SourceKeeper {
    fn drop(&mut self) {
        for held in self.held.values() {
            held.task.abort();
        }
    }
}

/// Names a topic as it is now: drawn, so that no other has it.
pub(super) fn topic_id() -> Box<str> {
    let draw = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", draw(), draw()).into()
}
