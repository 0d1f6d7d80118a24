//! The keeper of sources: takes the leases of those that the deciding text names, and runs a reader for each.

use super::reader::Reader;
use crate::active::{self, Active, Unusable};
use crate::share::{Held as Lease, plan_sources, reader_name};
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
            owner: reader_name(draw),
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
        if let Err(failure) = self.shared.store.leave(&self.owner).await {
            tracing::debug!(%failure, "others see that nobody is there by its silence");
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
        if sources.is_empty() {
            return Ok(());
        }
        let mine = self.mine(sources).await?;
        self.held.retain(|name, held| {
            let is_mine = mine.contains(name);
            if !is_mine {
                // Somebody else has it by now: nothing that is written here counts any more.
                held.stop.cancel();
            }
            is_mine
        });
        for name in mine {
            if let Some(source) = sources.get(&name) {
                self.keep(&active, &name, source).await?;
            }
        }
        Ok(())
    }

    fn bid(&self) -> Bid {
        Bid {
            owner: self.owner.clone(),
            now: self.shared.clock.now(),
            ttl: LEASE,
        }
    }

    /// The sources that this process should read, once it has given back what is more than its part of them.
    async fn mine(
        &mut self,
        sources: &BTreeMap<Box<str>, TopicSource>,
    ) -> Result<Vec<Box<str>>, Failure> {
        let bid = self.bid();
        let owners = self.shared.store.attend(&bid).await?;
        let rows = self.shared.store.sources().await?;
        let row = |name: &str| rows.iter().find(|row| *row.source.name == *name);
        let leases = sources.keys().map(|name| Lease {
            of: &**name,
            owner: row(name).and_then(|row| row.owner.as_deref()),
            is_over: row(name).is_some_and(|row| row.lease_until <= bid.now),
        });
        let leases: Vec<Lease<'_, &str>> = leases.collect();
        let (take, give) = plan_sources(&leases, &owners, &self.owner);
        let own = leases
            .iter()
            .filter(|lease| lease.owner == Some(&*self.owner) && !give.contains(&lease.of));
        let mine = own.map(|lease| lease.of).chain(take);
        let mine = mine.map(Box::from).collect();
        for name in give {
            self.give(name).await;
        }
        Ok(mine)
    }

    /// Takes or renews one lease, and sees to it that its reader runs.
    async fn keep(
        &mut self,
        active: &Active,
        name: &str,
        source: &TopicSource,
    ) -> Result<(), Failure> {
        let bid = self.bid();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activate;
    use crate::trial::{Place, example, noon};
    use store::ClockMode;

    const SOURCES: &str = "sources:
  a: {topic: a, format: json, account: key, type: account.updated, fields: {name: record.name}}
  b: {topic: b, format: json, account: key, type: account.updated, fields: {name: record.name}}
  c: {topic: c, format: json, account: key, type: account.updated, fields: {name: record.name}}
  d: {topic: d, format: json, account: key, type: account.updated, fields: {name: record.name}}
";

    /// Who has each source, as the store says.
    async fn owners(keeper: &SourceKeeper) -> Vec<Option<Box<str>>> {
        let rows = keeper.shared.store.sources().await;
        let rows = rows.expect("the store reads").into_iter();
        rows.map(|row| row.owner).collect()
    }

    async fn rounds(keepers: &mut [SourceKeeper], count: usize) {
        for _ in 0..count {
            for keeper in &mut *keepers {
                keeper.round().await.expect("the store answers");
            }
        }
    }

    #[tokio::test]
    async fn sources_are_spread_over_all_who_are_there() {
        let place = Place::new(ClockMode::Live);
        // Nobody listens there: who has a source is said by its lease, whether or not it can be read.
        let brokers = [("SOTTAKU_SOURCES_KAFKA_BROKERS", "127.0.0.1:9")];
        let mut files = example();
        let file = "workflows/definitions/sources.yaml";
        files.insert(file.into(), SOURCES.into());
        let first = place.shared(&brokers).await;
        let taken = activate(&first.store, &files, noon()).await;
        taken.expect("the sources are right");
        let mut keepers = vec![SourceKeeper::new(first.clone())];
        rounds(&mut keepers, 1).await;
        let alone = owners(&keepers[0]).await;
        assert!(
            alone
                .iter()
                .all(|owner| owner.as_ref() == Some(&keepers[0].owner))
        );
        let mut second = place.shared(&brokers).await;
        second.clock = first.clock.clone();
        keepers.push(SourceKeeper::new(second));
        rounds(&mut keepers, 3).await;
        for keeper in &keepers {
            let all = owners(keeper).await;
            let mine = all
                .iter()
                .filter(|owner| owner.as_ref() == Some(&keeper.owner));
            assert_eq!(mine.count(), 2, "{all:?}");
            assert_eq!(keeper.held.len(), 2);
        }
        // One dies: when its leases have run out, the other has all again.
        keepers.pop();
        first.clock.turn(jiff::SignedDuration::from_secs(7));
        rounds(&mut keepers, 1).await;
        assert_eq!(keepers[0].held.len(), 4);
    }
}
