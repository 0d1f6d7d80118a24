//! Control facts: a tick of the log clock, the end of an imported history. Decided in committed pages; the position
//! moves past the fact with the last one, and facts behind it wait for that.

use super::batch::{ReadFact, context, engine_clock};
use super::draft::{About, Draft};
use super::poison::InputKey;
use super::state::State;
use super::{Round, Trouble, Worker};
use crate::active::Active;
use engine::Input;
use engine::log_clock::{self, Moment};
use jiff::Timestamp;
use model::fact::{HISTORY_ENDED, TICK};
use model::{AccountId, Decision, ParkCode, Parked};
use std::sync::Arc;
use store::{ClockMode, Commit, StoredFact};

impl Worker {
    pub(super) async fn control(
        &mut self,
        active: &Arc<Active>,
        state: &mut State,
        fact: &ReadFact,
    ) -> Result<Round, Trouble> {
        let Ok(logged) = &fact.logged else {
            return Err(Trouble::Failed("a control fact can't be read".into()));
        };
        match (&*logged.fact.kind, logged.fact.time) {
            (TICK, Some(to)) if self.shared.store.clock() == ClockMode::Log => {
                self.tick_page(active, state, (&fact.stored, to)).await
            }
            (HISTORY_ENDED, _) => self.close_page(active, state, Some(&fact.stored)).await,
            (kind, _) => {
                let parked = Parked {
                    code: if kind == TICK {
                        ParkCode::NoTime
                    } else {
                        ParkCode::ReservedType
                    },
                    message: "this control fact has no meaning here".into(),
                    field: None,
                };
                let mut draft = self.draft(state);
                draft.park(self.shared.clock.now(), None, &fact.stored, parked);
                draft.commit.to_position = fact.stored.position;
                self.commit(state, draft).await?;
                Ok(Round::Worked { is_full: true })
            }
        }
    }

    /// A draft of a page: by the wall clock, or by the shard's own.
    pub(super) fn draft(&self, state: &State) -> Draft {
        let now = match self.shared.store.clock() {
            ClockMode::Live => self.shared.clock.now().max(state.last_now),
            ClockMode::Log => state.shard_now.unwrap_or(state.last_now),
        };
        Draft::new(Commit::new(self.shard, self.epoch, state.mark, now))
    }

    /// Decides a page of the wake-ups due by a tick.
    async fn tick_page(
        &mut self,
        active: &Arc<Active>,
        state: &mut State,
        (fact, to): (&StoredFact, Timestamp),
    ) -> Result<Round, Trouble> {
        let to = state.shard_now.map_or(to, |now| now.max(to));
        let wakes_max = self.shared.config.limits.wakes_max;
        let due = self
            .shared
            .store
            .due(self.shard, to, None, wakes_max)
            .await?;
        let mut draft = self.draft(state);
        draft.commit.now = to;
        let accounts: Vec<AccountId> = due.into_iter().map(|wake| wake.account).collect();
        let is_last = accounts.len() < wakes_max as usize;
        self.pass(
            active,
            state,
            &mut draft,
            (&accounts, Moment::Tick, Some(to)),
        )
        .await?;
        if is_last {
            draft.commit.to_position = fact.position;
            draft.commit.shard_now = Some(to);
        }
        self.commit(state, draft).await?;
        Ok(Round::Worked { is_full: true })
    }

    /// Closes the imported history of a page of accounts. Without a fact it is the history that the first text found.
    pub(super) async fn close_page(
        &mut self,
        active: &Arc<Active>,
        state: &mut State,
        fact: Option<&StoredFact>,
    ) -> Result<Round, Trouble> {
        let page_max = self.shared.config.limits.wakes_max;
        let page = self
            .shared
            .store
            .accounts(self.shard, state.page.as_ref(), None, page_max)
            .await?;
        let accounts: Vec<AccountId> = page.into_iter().map(|row| row.account).collect();
        let is_last = accounts.len() < page_max as usize;
        let mut draft = self.draft(state);
        let shard_now = state.shard_now;
        self.pass(
            active,
            state,
            &mut draft,
            (&accounts, Moment::CloseHistory, shard_now),
        )
        .await?;
        match fact.filter(|_| is_last) {
            Some(fact) => {
                draft.commit.to_position = fact.position;
                self.commit(state, draft).await?;
            }
            // A page that changes nothing needs no commit: closing is found done when it is done again.
            None if draft.commit.heads.is_empty() => {}
            None => self.commit(state, draft).await?,
        }
        state.page = accounts.last().filter(|_| !is_last).cloned();
        if is_last && fact.is_none() {
            state.closed_first();
        }
        Ok(Round::Worked { is_full: true })
    }

    /// Decides one moment for each of some accounts.
    async fn pass(
        &mut self,
        active: &Arc<Active>,
        state: &mut State,
        draft: &mut Draft,
        (accounts, moment, shard_now): (&[AccountId], Moment<'_>, Option<Timestamp>),
    ) -> Result<(), Trouble> {
        state
            .fill(&self.shared, (self.shard, active), accounts.iter().cloned())
            .await?;
        let clock = engine_clock(self.shared.store.clock());
        let now = draft.commit.now;
        for account in accounts {
            let key = InputKey::Wake(account.clone(), None);
            if !self.strikes.is_poison(&key) {
                self.bring_over(active, state, draft, (account, &key))?;
            }
            let Some(cached) = state.cache.get_mut(account) else {
                return Err(Trouble::Failed(
                    format!("account {account} was not loaded").into(),
                ));
            };
            if self.strikes.is_poison(&key) {
                draft.park_wake(self.shared.clock.now(), cached);
                continue;
            }
            let context = context(active, &state.csms, clock);
            let inner = &mut cached.account;
            let decisions: Vec<(Timestamp, Decision)> =
                self.strikes.guard(&key, || match clock {
                    engine::Clock::Log => log_clock::step(&context, inner, moment, shard_now),
                    engine::Clock::Live => vec![(
                        now,
                        engine::decide(&context, inner, Input::CloseHistory, now),
                    )],
                })?;
            draft.commit.woken.push(account.clone());
            for (at, decision) in decisions {
                draft.wakes += 1;
                draft.take(
                    &self.shared,
                    active,
                    About {
                        account: &cached.account,
                        fact: None,
                        at,
                    },
                    decision,
                );
            }
            draft.write_out(active, cached);
        }
        Ok(())
    }
}
