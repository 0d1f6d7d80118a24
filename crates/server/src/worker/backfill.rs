//! What a new text counts anew is counted again from the log, once every account is brought over: the log read in pages,
//! each committed with the heads that it changed, then the accounts. Heads know what of the log is in them, so a page that
//! is cut off, or read twice, counts once (engine.md, 6).

use super::batch::{self, ReadFact, context, engine_clock};
use super::draft::{About, Draft};
use super::poison::InputKey;
use super::state::State;
use super::{Round, Trouble, Worker};
use crate::active::Active;
use engine::Input;
use jiff::Timestamp;
use model::AccountId;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Backfill, StoredFact};

impl Worker {
    /// How far the log was read again, if its next page is to be read now: as for bringing accounts over, live it takes
    /// turns with facts, and under the log clock it goes before them.
    pub(super) fn backfill_turn(&self, active: &Active, state: &mut State) -> Option<u64> {
        let reached = state.backfill?;
        (state.rebased == Some(active.id) && self.is_page_turn(state)).then_some(reached)
    }

    /// Reads a page of the log again, or puts what it told in its place once all of it was read.
    pub(super) async fn backfill_page(
        &mut self,
        active: &Arc<Active>,
        state: &mut State,
        reached: u64,
    ) -> Result<Round, Trouble> {
        if reached >= state.revision_from {
            return self.backfilled_page(active, state).await;
        }
        let limits = &self.shared.config.limits;
        let (facts_max, bytes_max) = (limits.batch_facts_max, limits.batch_bytes_max);
        let store = &self.shared.store;
        let mut stored = store
            .read_back(self.shard, reached, facts_max, bytes_max)
            .await?;
        stored.retain(|fact| fact.position <= state.revision_from);
        let to = stored
            .last()
            .map_or(state.revision_from, |fact| fact.position);
        let facts = told(active, stored);
        let accounts: BTreeSet<AccountId> = facts.iter().filter_map(ReadFact::account).collect();
        state
            .fill(&self.shared, (self.shard, active), accounts.iter().cloned())
            .await?;
        let mut draft = self.draft(state);
        for fact in &facts {
            self.count_again(active, state, &mut draft, fact)?;
        }
        for account in &accounts {
            if let Some(cached) = state.cache.get_mut(account) {
                draft.write_out(active, cached);
            }
        }
        if draft.commit.heads.is_empty() {
            // Nothing hangs on it: read again after a cut, it tells nothing again.
            state.backfill = Some(to);
            return Ok(Round::Worked { is_full: true });
        }
        draft.commit.backfill = Some(Backfill::Reached(to));
        self.commit(state, draft).await?;
        Ok(Round::Worked { is_full: true })
    }

    fn count_again(
        &mut self,
        active: &Active,
        state: &mut State,
        draft: &mut Draft,
        fact: &ReadFact,
    ) -> Result<(), Trouble> {
        let key = InputKey::Fact(fact.stored.position);
        let (Ok(logged), Some(account)) = (&fact.logged, fact.account()) else {
            return Ok(());
        };
        if self.strikes.is_poison(&key) {
            return Ok(());
        }
        self.decide_again(
            active,
            state,
            draft,
            (&account, &key, Input::Backfill(logged)),
        )
    }

    /// Decides at the account's own latest instant, if the present text decided it last.
    fn decide_again(
        &mut self,
        active: &Active,
        state: &mut State,
        draft: &mut Draft,
        (account, key, input): (&AccountId, &InputKey, Input<'_>),
    ) -> Result<(), Trouble> {
        let Some(cached) = state.cache.get_mut(account) else {
            return Ok(());
        };
        if cached.revision != Some(active.id) || !cached.account.head.metrics.is_backfilling() {
            return Ok(());
        }
        let at = cached.account.head.now.unwrap_or(Timestamp::UNIX_EPOCH);
        let context = context(active, &state.csms, engine_clock(self.shared.store.clock()));
        let inner = &mut cached.account;
        let decide = || engine::decide(&context, inner, input, at);
        let decision = self.strikes.guard(key, decide)?;
        let about = About {
            account: &cached.account,
            fact: None,
            at,
        };
        draft.take(&self.shared, active, about, decision);
        Ok(())
    }

    /// Since when the log is kept, and since when all that tells of our own events is; none: from the beginning.
    async fn kept_from(&self) -> Result<(Option<Timestamp>, Option<Timestamp>), Trouble> {
        let store = &self.shared.store;
        let oldest = store.read_back(self.shard, 0, 1, usize::MAX).await?;
        let oldest = oldest.first().filter(|fact| fact.position > 1);
        let of_log = oldest.map(|fact| fact.arrived_at);
        let of_journal = self.journal_kept_from().await?;
        // The record of a mail says for whom it was only with its message.
        let of_messages = store.messages_kept_from().await?;
        Ok((of_log, of_log.max(of_journal).max(of_messages)))
    }

    /// Puts what the log told in its place for a page of accounts.
    async fn backfilled_page(
        &mut self,
        active: &Arc<Active>,
        state: &mut State,
    ) -> Result<Round, Trouble> {
        let page_max = self.shared.config.limits.wakes_max;
        let store = &self.shared.store;
        let (log_kept_from, own_kept_from) = self.kept_from().await?;
        let page = store
            .accounts(self.shard, state.backfilled_after.as_ref(), None, page_max)
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
                continue;
            }
            let own = self.own_records(active, state, account).await?;
            let kept_from = match &own {
                Some(_) => own_kept_from,
                None => log_kept_from,
            };
            let input = Input::Backfilled {
                kept_from,
                own: own.as_deref().unwrap_or_default(),
            };
            self.decide_again(active, state, &mut draft, (account, &key, input))?;
            if let Some(cached) = state.cache.get_mut(account) {
                draft.write_out(active, cached);
            }
        }
        let woken = draft.commit.heads.iter().map(|head| head.account.clone());
        draft.commit.woken = woken.collect();
        draft.commit.backfill = is_last.then_some(Backfill::Done);
        if is_last || !draft.commit.heads.is_empty() {
            self.commit(state, draft).await?;
        }
        state.backfilled_after = accounts.into_iter().next_back().filter(|_| !is_last);
        if is_last {
            tracing::info!(
                shard = self.shard,
                "what the new text counts anew has been counted from the log"
            );
        }
        Ok(Round::Worked { is_full: true })
    }
}

/// The facts of a page that tell the metrics of a text anything.
fn told(active: &Active, stored: Vec<StoredFact>) -> Vec<ReadFact> {
    let facts = stored.into_iter().map(batch::read_one);
    let is_told = |fact: &ReadFact| {
        let logged = fact.logged.as_ref();
        logged.is_ok_and(|logged| active.rules.is_read_again(&logged.fact.kind))
    };
    facts.filter(is_told).collect()
}
