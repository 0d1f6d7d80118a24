//! The worker: decides one shard's log under its lease, batch by batch, each in one commit.
//!
//! A batch is only a unit of commit: every fact is decided by itself, in log order. Anything but a known success drops
//! all that is cached of the shard; what was interrupted is redone from the log, by the same path as normal work.

mod backfill;
mod batch;
mod cache;
mod control;
mod draft;
mod poison;
mod rebase;
mod recount;
mod relation;
mod state;
mod wakes;

use crate::active::{self, Active, Unusable};
use crate::shared::Shared;
use cache::{LoadError, Room};
use jiff::Timestamp;
use model::teeth;
use poison::{Panicked, Strikes};
use state::State;
use std::sync::Arc;
use std::time::Duration;
use store::{AppendError, ClockMode, CommitError, Failure, Role};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Between two looks at the log of a busy shard that has nothing new; other processes append too.
const POLL_MIN: Duration = Duration::from_millis(5);
/// The same for a quiet shard.
const POLL_MAX: Duration = Duration::from_millis(200);
/// The longest wait after something failed.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// What one round came to.
pub(super) enum Round {
    /// Something was committed; `is_full`: more is surely waiting.
    Worked { is_full: bool },
    /// Nothing is to be done before that instant, unless something arrives.
    Idle { due: Option<Timestamp> },
}

/// Why a round came to nothing. All that was cached is dropped.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("somebody else decides the shard now")]
    Fenced,
    #[error("the shard has moved")]
    Moved,
    #[error("a decision panicked")]
    Panicked,
    #[error("{0}")]
    Failed(Box<str>),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.to_string().into())
    }
}

impl From<LoadError> for Trouble {
    fn from(error: LoadError) -> Self {
        Self::Failed(error.to_string().into())
    }
}

impl From<Unusable> for Trouble {
    fn from(error: Unusable) -> Self {
        Self::Failed(error.to_string().into())
    }
}

impl From<Panicked> for Trouble {
    fn from(_: Panicked) -> Self {
        Self::Panicked
    }
}

impl From<CommitError> for Trouble {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Fenced { .. } => Self::Fenced,
            CommitError::Moved { .. } => Self::Moved,
            CommitError::NoHead(_) | CommitError::Failed(_) => {
                Self::Failed(error.to_string().into())
            }
        }
    }
}

/// Decides one shard under one epoch.
pub(crate) struct Worker {
    shared: Shared,
    shard: u32,
    epoch: u64,
    strikes: Strikes,
}

impl Worker {
    pub(crate) fn new(shared: Shared, shard: u32, epoch: u64) -> Self {
        Self {
            shared,
            shard,
            epoch,
            strikes: Strikes::default(),
        }
    }

    /// Works until it is told to stop, or somebody else has the shard.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut state = None;
        let mut poll = POLL_MIN;
        let mut pause = POLL_MIN;
        while !stop.is_cancelled() {
            let started = Instant::now();
            match self.round(&mut state).await {
                Ok(Round::Worked { is_full }) => {
                    (poll, pause) = (POLL_MIN, POLL_MIN);
                    self.shared.status.works(self.shard, Role::Decide);
                    if !is_full {
                        self.gather(started, &stop).await;
                    }
                }
                Ok(Round::Idle { due }) => {
                    pause = POLL_MIN;
                    self.shared.status.works(self.shard, Role::Decide);
                    self.rest(due, poll, &stop).await;
                    poll = (poll * 2).min(POLL_MAX);
                }
                Err(Trouble::Fenced) => {
                    tracing::info!(
                        shard = self.shard,
                        epoch = self.epoch,
                        "let go of the shard: somebody else decides it"
                    );
                    break;
                }
                Err(trouble) => {
                    self.forget(&mut state).await;
                    self.complain(&trouble);
                    if matches!(trouble, Trouble::Failed(_)) {
                        rest(pause, &stop).await;
                        pause = (pause * 2).min(PAUSE_MAX);
                    }
                }
            }
        }
        self.shared.store.let_go(self.shard);
        self.shared.status.works(self.shard, Role::Decide);
    }

    fn complain(&self, trouble: &Trouble) {
        let shard = self.shard;
        match trouble {
            Trouble::Panicked => {
                self.shared.measures.panics.inc();
                tracing::error!(
                    shard,
                    "a decision panicked; the batch is undone and tried again"
                );
            }
            Trouble::Moved | Trouble::Fenced => {
                tracing::info!(shard, "the shard moved; it is loaded again")
            }
            Trouble::Failed(why) => {
                self.shared
                    .status
                    .fails(shard, Role::Decide, self.shared.clock.now(), why.clone());
                tracing::warn!(shard, %why, "the shard could not be decided; trying again");
            }
        }
    }

    /// One round: at most one batch of facts and one page of wake-ups, in one commit.
    async fn round(&mut self, slot: &mut Option<State>) -> Result<Round, Trouble> {
        let mut state = match slot.take() {
            Some(state) if state.mark.revision.is_some() => state,
            // Without a text it is read anew each time: somebody may apply one.
            Some(_) | None => State::load(&self.shared, self.shard).await?,
        };
        let round = self.work(&mut state).await;
        if round.is_ok() || teeth::is_out("cache") {
            *slot = Some(state);
        }
        round
    }

    async fn work(&mut self, state: &mut State) -> Result<Round, Trouble> {
        let Some(revision) = state.mark.revision else {
            // Facts are accepted and not decided.
            return Ok(Round::Idle { due: None });
        };
        self.tell_log().await?;
        let active = active::load(&self.shared, revision).await?;
        let limits = &self.shared.config.limits;
        state.cache.trim(Room {
            accounts: limits.accounts_cached_max,
            bytes: limits.cache_bytes_max,
        });
        let round = self.decide(&active, state).await?;
        if matches!(round, Round::Idle { .. }) {
            // Nothing is committed, so nothing else would tell that somebody applied another text.
            let row = self.shared.store.shard(self.shard).await?;
            if row.mark.revision != state.mark.revision {
                return Err(Trouble::Moved);
            }
        }
        Ok(round)
    }

    /// What was not surely committed is worth nothing.
    async fn forget(&self, slot: &mut Option<State>) {
        let state = slot.take();
        // A negative control: the accounts stay as they were decided, though that may not have been committed.
        let Some(mut kept) = state.filter(|_| teeth::is_out("cache")) else {
            return;
        };
        if let Ok(read) = State::load(&self.shared, self.shard).await {
            let cache = std::mem::replace(&mut kept, read).cache;
            kept.cache = cache;
        }
        *slot = Some(kept);
    }

    /// What was told together with other rows goes to the log, if that is elsewhere.
    async fn tell_log(&self) -> Result<(), Trouble> {
        match self.shared.store.tell_log(self.shard).await {
            Ok(_) => Ok(()),
            Err(AppendError::Failed(why)) => Err(why.into()),
            // The log takes no more at the moment; it is told in a later round.
            Err(AppendError::QueueFull | AppendError::NoShard(_)) => Ok(()),
        }
    }

    async fn decide(&mut self, active: &Arc<Active>, state: &mut State) -> Result<Round, Trouble> {
        if self.is_rebase_turn(active, state) {
            return self.rebase_page(active, state).await;
        }
        if let Some(reached) = self.backfill_turn(active, state) {
            return self.backfill_page(active, state, reached).await;
        }
        let limits = &self.shared.config.limits;
        let (facts_max, bytes_max) = (limits.batch_facts_max, limits.batch_bytes_max);
        let now = self.shared.clock.now().max(state.last_now);
        let position = state.mark.position;
        let has_more = match self.shared.store.clock() {
            ClockMode::Live => {
                state
                    .read_end(&self.shared, (self.shard, active), now)
                    .await?
                    > position
            }
            // No wake-up waits for the log's end under this clock, so nobody asks for it.
            ClockMode::Log => true,
        };
        let stored = if has_more {
            self.shared
                .store
                .read_log(self.shard, position, facts_max, bytes_max)
                .await?
        } else {
            Vec::new()
        };
        if state.must_close_first(stored.first().map(|fact| fact.position)) {
            return self.close_page(active, state, None).await;
        }
        if stored.is_empty() {
            // What the log ended with were no facts: the end is asked for anew.
            state.forget_end();
        }
        let is_full = stored.len() >= facts_max as usize;
        let facts = batch::read(stored, &self.shared.store, self.shard);
        if let Some(control) = facts.first().filter(|fact| fact.is_control()) {
            return self.control(active, state, control).await;
        }
        self.batch(active, state, facts, batch::Clocked { now, is_full })
            .await
    }

    /// Lets facts that come one by one share a commit.
    async fn gather(&self, started: Instant, stop: &CancellationToken) {
        let wait_max = self.shared.config.limits.batch_wait_max;
        rest(wait_max.saturating_sub(started.elapsed()), stop).await;
    }

    async fn rest(&self, due: Option<Timestamp>, poll: Duration, stop: &CancellationToken) {
        let until_due = due.map(|due| {
            let wait = due.duration_since(self.shared.clock.now());
            Duration::try_from(wait).unwrap_or_default()
        });
        let wait = until_due.map_or(poll, |until_due| until_due.min(poll));
        tokio::select! {
            () = sleep(wait) => {}
            () = self.shared.bells.wait(self.shard, Role::Decide) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn rest(wait: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = sleep(wait) => {}
        () = stop.cancelled() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activate;
    use crate::trial::{Place, example, noon, three_facts};
    use jiff::SignedDuration;
    use store::{Bid, Incoming, NewFact};

    #[tokio::test]
    async fn a_zombie_writes_nothing_and_lets_go() {
        let place = Place::new(ClockMode::Log);
        let shared = place.shared(&[]).await;
        let store = &shared.store;
        activate(store, &example(), noon())
            .await
            .expect("the example is taken");
        let shard = store.shard_of("acme");
        let bid = |owner: &str, now| Bid {
            owner: owner.into(),
            now,
            ttl: Duration::from_secs(6),
        };
        let later = noon()
            .checked_add(SignedDuration::from_secs(7))
            .expect("in range");
        let old = store
            .acquire(shard, Role::Decide, &bid("a", noon()))
            .await
            .expect("the store writes")
            .expect("free");
        let new = store
            .acquire(shard, Role::Decide, &bid("b", later))
            .await
            .expect("the store writes")
            .expect("expired");
        let facts = three_facts("acme", "2026-01-13T09:00:00+09:00");
        let facts = facts.map(|json| NewFact {
            shard,
            arrived_at: noon(),
            json: json.into(),
        });
        store
            .append(Incoming {
                facts: facts.into(),
                parked: Vec::new(),
            })
            .await
            .expect("they are durable");
        // It ends by itself: nobody has to stop it.
        Worker::new(shared.clone(), shard, old.epoch)
            .run(CancellationToken::new())
            .await;
        let state = store.shard(shard).await.expect("the store reads");
        assert_eq!((state.mark.position, state.mark.commits), (0, 0));
        let stop = CancellationToken::new();
        let mut records = shared.records.subscribe();
        let task = tokio::spawn(Worker::new(shared.clone(), shard, new.epoch).run(stop.clone()));
        records.recv().await.expect("the rightful one decides");
        stop.cancel();
        task.await.expect("it ends when told to");
        assert_eq!(
            store
                .shard(shard)
                .await
                .expect("the store reads")
                .mark
                .position,
            3
        );
    }
}
