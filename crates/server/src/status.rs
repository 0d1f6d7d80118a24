//! Status: how this process's shards are doing, for `/healthz`.

use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::Role;

/// What went wrong on a shard, and since when it has not gone right again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) since: Timestamp,
    pub(crate) why: Box<str>,
}

/// The troubles of this process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    troubles: BTreeMap<(u32, Role), Trouble>,
    /// What is missing, in words, with the number of messages that wait for it.
    meansless: BTreeMap<Box<str>, u64>,
    /// Why mails that can be left do not leave.
    unlawful: BTreeMap<Box<str>, u64>,
    lease_trouble: Option<Trouble>,
    sources: BTreeMap<Box<str>, Trouble>,
    /// Whether sources are declared, and nobody said where their brokers are.
    lacks_brokers: bool,
}

impl Status {
    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn fails(&self, shard: u32, role: Role, now: Timestamp, why: impl Into<Box<str>>) {
        let why: Box<str> = why.into();
        self.with(|inner| {
            let since = inner
                .troubles
                .get(&(shard, role))
                .map_or(now, |trouble| trouble.since);
            inner.troubles.insert((shard, role), Trouble { since, why });
        });
    }

    pub(crate) fn works(&self, shard: u32, role: Role) {
        self.with(|inner| inner.troubles.remove(&(shard, role)));
    }

    pub(crate) fn leases_fail(&self, now: Timestamp, why: impl Into<Box<str>>) {
        let why = why.into();
        self.with(|inner| {
            let since = inner
                .lease_trouble
                .as_ref()
                .map_or(now, |trouble| trouble.since);
            inner.lease_trouble = Some(Trouble { since, why });
        });
    }

    pub(crate) fn leases_work(&self) {
        self.with(|inner| inner.lease_trouble = None);
    }

    pub(crate) fn source_fails(&self, name: &str, now: Timestamp, why: impl Into<Box<str>>) {
        let why = why.into();
        self.with(|inner| {
            let before = inner.sources.get(name);
            let since = before.map_or(now, |trouble| trouble.since);
            inner.sources.insert(name.into(), Trouble { since, why });
        });
    }

    pub(crate) fn source_works(&self, name: &str) {
        self.with(|inner| inner.sources.remove(name));
    }

    pub(crate) fn sources_have_no_brokers(&self, is_so: bool) {
        self.with(|inner| inner.lacks_brokers = is_so);
    }

    /// A message waits, and why: what it should go by is not there.
    pub(crate) fn without_means(&self, why: &str) {
        self.with(|inner| *inner.meansless.entry(why.into()).or_default() += 1);
    }

    /// What was said to be missing is there.
    pub(crate) fn with_means(&self, why: &str) {
        self.with(|inner| inner.meansless.remove(why));
    }

    /// A mail of a topic that can be left may not leave. Both ways out need a restart or a new text.
    pub(crate) fn unlawful(&self, why: &str) {
        self.with(|inner| *inner.unlawful.entry(why.into()).or_default() += 1);
    }

    /// What is wrong so badly that a shard can't make progress.
    pub(crate) fn troubles(&self) -> Vec<String> {
        self.with(|inner| {
            let shards = inner.troubles.iter().map(|((shard, role), trouble)| {
                format!(
                    "shard {shard} can't {} since {}: {}",
                    role.as_str(),
                    trouble.since,
                    trouble.why
                )
            });
            let leases = inner.lease_trouble.iter();
            let sources = inner.sources.iter().map(|(name, trouble)| {
                let Trouble { since, why } = trouble;
                format!("the source {name} can't be read since {since}: {why}")
            });
            shards
                .chain(sources)
                .chain(
                    leases.map(|trouble| {
                        format!("leases fail since {}: {}", trouble.since, trouble.why)
                    }),
                )
                .collect()
        })
    }

    /// What people should see, though all shards move.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.with(|inner| {
            let meansless = inner.meansless.keys();
            let meansless = meansless.map(|why| format!("{why}; its messages wait"));
            let unlawful = inner.unlawful.iter();
            let unlawful =
                unlawful.map(|(why, count)| format!("{why}: {count} messages were not sent"));
            let brokers = inner.lacks_brokers.then(|| {
                "sources are declared and not read: no brokers are set (`sources.kafka.brokers`)".to_owned()
            });
            meansless.chain(unlawful).chain(brokers).collect()
        })
    }
}
