//! Wake-ups under the live clock: never ahead of the log.

use super::batch::{context, engine_clock};
use super::draft::{About, Draft};
use super::poison::InputKey;
use super::state::State;
use super::{Trouble, Worker};
use crate::active::Active;
use engine::Input;
use jiff::{SignedDuration, Timestamp};
use model::AccountId;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::WakeMark;

/// How many times one account is woken in one batch; what is still due then waits for the next.
const TURNS_MAX: u32 = 100;

/// How long a wake-up that moves nothing waits: never lost, and never spinning.
const STUCK_WAIT: SignedDuration = SignedDuration::from_secs(1);

/// A page of wake-ups that was decided.
#[derive(Debug, Default)]
pub(super) struct Page {
    count: usize,
    /// Where the scan goes on.
    pub(super) mark: Option<WakeMark>,
    /// Whether more are surely due.
    pub(super) is_full: bool,
}

impl Page {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl Worker {
    /// Decides a page of the wake-ups due by the instant at which the log's end was read, if that end is reached.
    pub(super) async fn due_page(
        &mut self,
        active: &Arc<Active>,
        state: &mut State,
        draft: &mut Draft,
        (touched, now): (&mut BTreeSet<AccountId>, Timestamp),
    ) -> Result<Page, Trouble> {
        let Some(until) = state.wakes_until(draft.commit.to_position) else {
            return Ok(Page::default());
        };
        let wakes_max = self.shared.config.limits.wakes_max;
        let due = self
            .shared
            .store
            .due(self.shard, until, state.wake_mark, wakes_max)
            .await?;
        let mark = due.last().map(|wake| wake.mark);
        let is_full = due.len() >= wakes_max as usize;
        // What this batch touched has its wake-up in memory; the store's is older.
        let mut accounts: BTreeSet<AccountId> = touched
            .iter()
            .filter(|account| {
                let cached = state.cache.get_mut(account);
                cached
                    .is_some_and(|cached| cached.account.wake_at().is_some_and(|due| due <= until))
            })
            .cloned()
            .collect();
        accounts.extend(
            due.into_iter()
                .map(|wake| wake.account)
                .filter(|account| !touched.contains(account)),
        );
        state
            .fill(&self.shared, (self.shard, active), accounts.iter().cloned())
            .await?;
        for account in &accounts {
            self.wake(active, state, draft, (account, until, now))?;
        }
        let count = accounts.len();
        touched.extend(accounts);
        Ok(Page {
            count,
            mark,
            is_full,
        })
    }

    fn wake(
        &mut self,
        active: &Active,
        state: &mut State,
        draft: &mut Draft,
        (account, until, now): (&AccountId, Timestamp, Timestamp),
    ) -> Result<(), Trouble> {
        let key = InputKey::Rebase(account.clone());
        if !self.strikes.is_poison(&key) {
            self.bring_over(active, state, draft, (account, &key))?;
        }
        let Some(cached) = state.cache.get_mut(account) else {
            return Err(Trouble::Failed(
                format!("account {account} was not loaded").into(),
            ));
        };
        if cached.revision.is_some_and(|from| from != active.id) {
            // What can't be brought over is not decided by a text that it does not know.
            draft.park_wake(self.shared.clock.now(), cached);
            return Ok(());
        }
        let context = context(active, &state.csms, engine_clock(self.shared.store.clock()));
        for _ in 0..TURNS_MAX {
            let Some(due) = cached.account.wake_at().filter(|due| *due <= until) else {
                break;
            };
            let key = InputKey::Wake(account.clone(), Some(due));
            if self.strikes.is_poison(&key) {
                draft.park_wake(self.shared.clock.now(), cached);
                break;
            }
            let inner = &mut cached.account;
            let quiet_before = inner.quiet_wakes;
            let decide = || engine::decide(&context, inner, Input::Wake, now);
            let decision = self.strikes.guard(&key, decide)?;
            draft.wakes += 1;
            draft.quiet += cached.account.quiet_wakes.saturating_sub(quiet_before);
            draft.commit.woken.push(account.clone());
            let said_nothing = decision.records.is_empty() && decision.outbox.is_empty();
            let about = About {
                account: &cached.account,
                fact: None,
                at: now,
            };
            draft.take(&self.shared, active, about, decision);
            if said_nothing && cached.account.wake_at().is_some_and(|next| next <= due) {
                tracing::error!(%account, "a wake-up did not even move itself; it is looked at again in a second");
                cached.account.head.wake_at = now.saturating_add(STUCK_WAIT).ok();
                break;
            }
        }
        Ok(())
    }
}
