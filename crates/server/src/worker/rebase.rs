//! A new text takes over a shard's accounts: each before whatever is decided of it next, and all of them in committed
//! pages (engine.md, 6). Nothing of the position moves, so a page that is cut off is simply done again.

use super::batch::{context, engine_clock};
use super::draft::{About, Draft};
use super::poison::InputKey;
use super::state::State;
use super::{Round, Trouble, Worker};
use crate::active::Active;
use engine::Input;
use jiff::Timestamp;
use model::AccountId;
use std::sync::Arc;
use store::{Backfill, ClockMode};

impl Worker {
    /// Whether a page of accounts is to be brought over now. Live it takes turns with facts, so that neither starves; under
    /// the log clock it goes before them, so that a tick finds every wake-up of the new text.
    pub(super) fn is_rebase_turn(&self, active: &Active, state: &mut State) -> bool {
        if state.rebased == Some(active.id) {
            return false;
        }
        self.is_page_turn(state)
    }

    /// Whether it is the turn of a page that no fact asks for.
    pub(super) fn is_page_turn(&self, state: &mut State) -> bool {
        state.is_page_next = match self.shared.store.clock() {
            ClockMode::Live => !state.is_page_next,
            ClockMode::Log => true,
        };
        state.is_page_next
    }

    /// Brings a page of accounts over that another text decided last.
    pub(super) async fn rebase_page(
        &mut self,
        active: &Arc<Active>,
        state: &mut State,
    ) -> Result<Round, Trouble> {
        let page_max = self.shared.config.limits.wakes_max;
        let page = self
            .shared
            .store
            .accounts(
                self.shard,
                state.rebase_after.as_ref(),
                Some(active.id),
                page_max,
            )
            .await?;
        let accounts: Vec<AccountId> = page.into_iter().map(|row| row.account).collect();
        let is_last = accounts.len() < page_max as usize;
        state
            .fill(&self.shared, (self.shard, active), accounts.iter().cloned())
            .await?;
        let mut draft = self.draft(state);
        for account in &accounts {
            let key = InputKey::Rebase(account.clone());
            if self.strikes.is_poison(&key) {
                if let Some(cached) = state.cache.get_mut(account) {
                    draft.park_wake(self.shared.clock.now(), cached);
                }
                continue;
            }
            self.bring_over(active, state, &mut draft, (account, &key))?;
            if let Some(cached) = state.cache.get_mut(account) {
                draft.write_out(active, cached);
            }
        }
        draft.commit.is_rebased = is_last;
        let count = accounts.len();
        self.commit(state, draft).await?;
        self.shared.measures.rebased.inc_by(count as u64);
        state.rebase_after = accounts.into_iter().next_back();
        if is_last {
            state.rebased = Some(active.id);
            tracing::info!(
                shard = self.shard,
                "the new text has taken effect for every account of the shard"
            );
        }
        Ok(Round::Worked { is_full: true })
    }

    /// Brings one account over, if another text decided it last.
    pub(super) fn bring_over(
        &mut self,
        active: &Active,
        state: &mut State,
        draft: &mut Draft,
        (account, key): (&AccountId, &InputKey),
    ) -> Result<(), Trouble> {
        let Some(cached) = state.cache.get_mut(account) else {
            return Ok(());
        };
        let Some(from) = cached.revision.filter(|from| *from != active.id) else {
            return Ok(());
        };
        let Some(change) = state.changes.get(&from) else {
            let why = format!("what the new text changes for {account} was not worked out");
            return Err(Trouble::Failed(why.into()));
        };
        let clock = self.shared.store.clock();
        let applied_at = match clock {
            ClockMode::Live => change.applied_at,
            ClockMode::Log => None,
        };
        let at = cached.account.head.now.max(applied_at);
        let at = at.unwrap_or(Timestamp::UNIX_EPOCH);
        let context = context(active, &state.csms, engine_clock(clock));
        let inner = &mut cached.account;
        let decide = || engine::decide(&context, inner, Input::Rebase(change), at);
        let decision = self.strikes.guard(key, decide)?;
        cached.revision = Some(active.id);
        if cached.account.head.metrics.is_backfilling() {
            // Whoever was read for already knows what of the log is in; it is read again for this one.
            draft.commit.backfill = Some(Backfill::Reached(0));
            state.backfilled_after = None;
        }
        draft.commit.woken.push(account.clone());
        let about = About {
            account: &cached.account,
            fact: None,
            at,
        };
        draft.take(&self.shared, active, about, decision);
        Ok(())
    }
}
