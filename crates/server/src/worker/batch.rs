//! A batch: facts in log order, then the wake-ups that are allowed, in one commit.

use super::draft::{About, Draft};
use super::poison::{self, InputKey};
use super::state::State;
use super::{Round, Trouble, Worker};
use crate::active::Active;
use engine::log_clock::{self, Moment};
use engine::{Account, Context, Input};
use jiff::Timestamp;
use model::{AccountId, Decision, Fact, Logged, ParkCode, Parked};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;
use store::{Backfill, ClockMode, Commit, CsmWrite, Role, Store, StoredFact};

/// After so many decisions others get their turn on this thread.
const TURN: usize = 32;

/// When a batch is decided, and whether more facts are surely waiting.
#[derive(Clone, Copy)]
pub(super) struct Clocked {
    pub(super) now: Timestamp,
    pub(super) is_full: bool,
}

/// A fact of the log, and what it reads as.
pub(super) struct ReadFact {
    pub(super) stored: StoredFact,
    pub(super) logged: Result<Logged, Parked>,
}

impl ReadFact {
    pub(super) fn is_control(&self) -> bool {
        self.logged
            .as_ref()
            .is_ok_and(|logged| logged.fact.is_control())
    }

    /// The account, unless it is about a CSM or can't be read.
    pub(super) fn account(&self) -> Option<AccountId> {
        let logged = self
            .logged
            .as_ref()
            .ok()
            .filter(|logged| !logged.fact.is_csm())?;
        logged.fact.subject.clone().map(AccountId::new)
    }
}

/// Reads the facts of a run: up to the first control fact, or that one alone.
pub(super) fn read(stored: Vec<StoredFact>, store: &Store, shard: u32) -> Vec<ReadFact> {
    let mut facts: Vec<ReadFact> = Vec::with_capacity(stored.len());
    for stored in stored {
        let fact = read_one(stored).of_shard(store, shard);
        let is_control = fact.is_control();
        if is_control && !facts.is_empty() {
            break;
        }
        facts.push(fact);
        if is_control {
            break;
        }
    }
    facts
}

impl ReadFact {
    /// Puts aside what somebody else wrote into another partition than its account's.
    fn of_shard(mut self, store: &Store, shard: u32) -> Self {
        if let Ok(Logged { fact, .. }) = &self.logged
            && !fact.is_control()
            && !fact.is_csm()
            && let Some(account) = &fact.subject
            && store.shard_of(account) != shard
        {
            let belongs = store.shard_of(account);
            self.logged = Err(Parked {
                code: ParkCode::BadEnvelope,
                message: format!(
                    "it stands in shard {shard} of the log, and its account belongs to {belongs}"
                )
                .into(),
                field: Some("subject".into()),
            });
        }
        self
    }
}

/// Reads one fact.
pub(super) fn read_one(stored: StoredFact) -> ReadFact {
    let logged = serde_json::from_str::<Fact>(&stored.json)
        .map(|fact| Logged {
            position: stored.position,
            arrived_at: stored.arrived_at,
            fact,
        })
        .map_err(|error| Parked {
            code: ParkCode::BadEnvelope,
            message: format!("the log holds what is no fact: {error}").into(),
            field: None,
        });
    ReadFact { stored, logged }
}

impl Worker {
    /// Decides facts, then a page of wake-ups, and commits.
    pub(super) async fn batch(
        &mut self,
        active: &Arc<Active>,
        state: &mut State,
        mut facts: Vec<ReadFact>,
        clocked: Clocked,
    ) -> Result<Round, Trouble> {
        if state.is_in_history(facts.first().map(|fact| fact.stored.position)) {
            // What the first text found is history, and ends before anything newer is looked at.
            facts.retain(|fact| fact.stored.position <= state.history_until);
        }
        let mut draft = Draft::new(Commit::new(self.shard, self.epoch, state.mark, clocked.now));
        let mut touched = BTreeSet::new();
        let accounts = facts.iter().filter_map(ReadFact::account);
        state
            .fill(&self.shared, (self.shard, active), accounts)
            .await?;
        for (index, fact) in facts.iter().enumerate() {
            self.fact(active, state, &mut draft, (fact, clocked.now))?;
            touched.extend(fact.account());
            draft.commit.to_position = fact.stored.position;
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
        }
        let page = match self.shared.store.clock() {
            ClockMode::Live => {
                self.due_page(active, state, &mut draft, (&mut touched, clocked.now))
                    .await?
            }
            ClockMode::Log => super::wakes::Page::default(),
        };
        if facts.is_empty() && page.is_empty() {
            let due = match self.shared.store.clock() {
                ClockMode::Live => {
                    let due = self.shared.store.earliest(self.shard).await?;
                    let waits = state.waits_for_sources(clocked.now);
                    due.filter(|due| !waits || *due > clocked.now)
                }
                ClockMode::Log => None,
            };
            return Ok(Round::Idle { due });
        }
        let is_full = clocked.is_full || page.is_full;
        for account in &touched {
            if let Some(cached) = state.cache.get_mut(account) {
                draft.write_out(active, cached);
            }
        }
        if let Some(mark) = page.mark {
            state.wake_mark = Some(mark);
        }
        self.commit(state, draft).await?;
        Ok(Round::Worked { is_full })
    }

    /// Decides one fact.
    fn fact(
        &mut self,
        active: &Active,
        state: &mut State,
        draft: &mut Draft,
        (fact, now): (&ReadFact, Timestamp),
    ) -> Result<(), Trouble> {
        draft.facts += 1;
        let stored = &fact.stored;
        let wall = self.shared.clock.now();
        let logged = match &fact.logged {
            Ok(logged) => logged,
            Err(parked) => {
                draft.park(wall, None, stored, parked.clone());
                return Ok(());
            }
        };
        let key = InputKey::Fact(stored.position);
        if self.strikes.is_poison(&key) {
            draft.park(wall, fact.account().as_ref(), stored, poison::parked());
            return Ok(());
        }
        if logged.fact.is_csm() {
            let csms = &mut state.csms;
            let rejected = self
                .strikes
                .guard(&key, || engine::fold::csm(&active.program, csms, logged))?;
            draft.commit.rejects.extend(rejected);
            state.changed_csms.extend(logged.fact.subject.clone());
            return Ok(());
        }
        let Some(account) = fact.account() else {
            draft.park(wall, None, stored, engine::fold::bad_subject());
            return Ok(());
        };
        self.bring_over(active, state, draft, (&account, &key))?;
        let Some(cached) = state.cache.get_mut(&account) else {
            return Err(Trouble::Failed(
                format!("account {account} was not loaded").into(),
            ));
        };
        let placed = Placed {
            logged,
            is_history: stored.position <= state.history_until,
            now,
            shard_now: state.shard_now,
        };
        let context = context(active, &state.csms, engine_clock(self.shared.store.clock()));
        let decisions = self
            .strikes
            .guard(&key, || step(&context, &mut cached.account, placed))?;
        draft.wakes += u64::try_from(decisions.len().saturating_sub(1)).unwrap_or(u64::MAX);
        for (at, decision) in decisions {
            let about = About {
                account: &cached.account,
                fact: Some(stored),
                at,
            };
            draft.take(&self.shared, active, about, decision);
        }
        Ok(())
    }

    /// Commits a draft, and moves on from where it leads.
    pub(super) async fn commit(
        &mut self,
        state: &mut State,
        mut draft: Draft,
    ) -> Result<(), Trouble> {
        for csm in std::mem::take(&mut state.changed_csms) {
            let bytes = state.csms.encode(&csm);
            draft.commit.csms.push(CsmWrite { csm, bytes });
        }
        let earliest = draft.earliest_wake();
        let (now, shard_now) = (draft.commit.now, draft.commit.shard_now);
        let backfill = draft.commit.backfill;
        let started = Instant::now();
        let committed = self.shared.store.commit(draft.commit).await;
        let measures = &self.shared.measures;
        measures
            .commit_seconds
            .observe(started.elapsed().as_secs_f64());
        let outcome = if committed.is_ok() { "done" } else { "refused" };
        measures
            .commits
            .get_or_create(&vec![("outcome", outcome)])
            .inc();
        let committed = committed?;
        measures.decided.inc_by(draft.facts);
        measures.woken.inc_by(draft.wakes);
        measures.quiet.inc_by(draft.quiet);
        state.mark = committed.mark;
        match backfill {
            Some(Backfill::Reached(position)) => state.backfill = Some(position),
            Some(Backfill::Done) => state.backfill = None,
            None => {}
        }
        state.last_now = state.last_now.max(now);
        state.shard_now = state.shard_now.max(shard_now);
        state.lower_wake_mark(earliest);
        for record in draft.told {
            // Nobody listening is no error.
            drop(self.shared.records.send(record));
        }
        if committed.queued > 0 {
            self.shared.bells.ring(self.shard, Role::Send);
        }
        Ok(())
    }
}

/// A fact with all that its place says.
#[derive(Clone, Copy)]
struct Placed<'a> {
    logged: &'a Logged,
    /// Whether the first text found it in the log.
    is_history: bool,
    /// The batch's instant (live clock).
    now: Timestamp,
    /// The shard's own clock (log clock).
    shard_now: Option<Timestamp>,
}

/// Decides a fact; under the log clock with the wake-ups around it.
fn step(
    context: &Context<'_>,
    account: &mut Account,
    placed: Placed<'_>,
) -> Vec<(Timestamp, Decision)> {
    let Placed {
        logged,
        is_history,
        now,
        shard_now,
    } = placed;
    match (context.clock, is_history) {
        (engine::Clock::Live, false) => vec![(
            now,
            engine::decide(context, account, Input::Fact(logged), now),
        )],
        (engine::Clock::Live, true) => vec![(
            now,
            engine::decide(context, account, Input::History(logged), now),
        )],
        (engine::Clock::Log, false) => {
            log_clock::step(context, account, Moment::Fact(logged), shard_now)
        }
        (engine::Clock::Log, true) => {
            log_clock::step(context, account, Moment::History(logged), shard_now)
        }
    }
}

pub(super) fn engine_clock(clock: ClockMode) -> engine::Clock {
    match clock {
        ClockMode::Live => engine::Clock::Live,
        ClockMode::Log => engine::Clock::Log,
    }
}

pub(super) fn context<'a>(
    active: &'a Active,
    csms: &'a engine::Csms,
    clock: engine::Clock,
) -> Context<'a> {
    Context {
        program: &active.program,
        rules: &active.rules,
        csms,
        pins: None,
        clock,
    }
}
