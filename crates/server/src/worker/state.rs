//! What a worker knows of its shard between two commits.

use super::Trouble;
use super::cache::Cache;
use crate::active::{self, Active};
use crate::shared::Shared;
use crate::sources::copied_until;
use engine::{Change, Csms};
use jiff::Timestamp;
use model::AccountId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{RevisionId, ShardMark, WakeMark};

/// The log's end as it was read, and the instant before that: wake-ups due by then may be decided once it is reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogEnd {
    pub(super) as_of: Timestamp,
    pub(super) position: u64,
}

/// What is known of the shard. Worth nothing after anything but a known success.
pub(super) struct State {
    pub(super) mark: ShardMark,
    /// Facts up to here tell how things stood before the first text.
    pub(super) history_until: u64,
    /// The text by which every account has been decided.
    pub(super) rebased: Option<RevisionId>,
    /// How far the pass is that brings accounts over to a new text, and whether its next page is due.
    pub(super) rebase_after: Option<AccountId>,
    pub(super) is_page_next: bool,
    /// The facts behind this position are decided by the present text.
    pub(super) revision_from: u64,
    /// How far the log was read again for what the text counts anew, and, once it was, for which accounts that counts.
    pub(super) backfill: Option<u64>,
    pub(super) backfilled_after: Option<AccountId>,
    /// What the text changes, by the one that decided before.
    pub(super) changes: BTreeMap<RevisionId, Arc<Change>>,
    /// The shard's own clock (log clock: by ticks).
    pub(super) shard_now: Option<Timestamp>,
    /// The instant of the last commit, which never goes back.
    pub(super) last_now: Timestamp,
    pub(super) end: Option<LogEnd>,
    /// Behind this no wake-up is due that was not decided.
    pub(super) wake_mark: Option<WakeMark>,
    pub(super) csms: Csms,
    /// CSMs that the present batch changed.
    pub(super) changed_csms: BTreeSet<Box<str>>,
    pub(super) cache: Cache,
    /// How far a pass over all accounts is.
    pub(super) page: Option<AccountId>,
    is_first_closed: bool,
}

impl State {
    pub(super) async fn load(shared: &Shared, shard: u32) -> Result<Self, Trouble> {
        let row = shared.store.shard(shard).await?;
        let last = row.mark.commits.saturating_sub(1);
        let batches = shared.store.batches(shard, last, 1).await?;
        let mut csms = Csms::default();
        for csm in shared.store.csms(shard).await? {
            let read = csms.decode(&csm.csm, &csm.bytes);
            read.map_err(|why| Trouble::Failed(format!("a CSM can't be read: {why}").into()))?;
        }
        Ok(Self {
            mark: row.mark,
            history_until: row.history_until,
            rebased: row.rebased,
            rebase_after: None,
            is_page_next: false,
            revision_from: row.revision_from,
            backfill: row.backfill,
            backfilled_after: None,
            changes: BTreeMap::new(),
            shard_now: row.now,
            last_now: batches
                .last()
                .map_or(Timestamp::UNIX_EPOCH, |batch| batch.now),
            end: None,
            wake_mark: None,
            csms,
            changed_csms: BTreeSet::new(),
            cache: Cache::default(),
            page: None,
            is_first_closed: false,
        })
    }

    /// Loads accounts, and what is needed to bring those over that another text decided.
    pub(super) async fn fill(
        &mut self,
        shared: &Shared,
        (shard, active): (u32, &Arc<Active>),
        accounts: impl Iterator<Item = AccountId>,
    ) -> Result<(), Trouble> {
        let accounts: Vec<AccountId> = accounts.collect();
        let wanted = accounts.iter().cloned();
        self.cache.fill(&shared.store, shard, wanted).await?;
        let mut earlier: Vec<RevisionId> = self.cache.revisions(&accounts).collect();
        earlier.retain(|from| *from != active.id && !self.changes.contains_key(from));
        earlier.sort_unstable();
        earlier.dedup();
        for from in earlier {
            let change = active::change(shared, from, active).await?;
            self.changes.insert(from, change);
        }
        Ok(())
    }

    /// Whether the history that the first text found has been decided, and is still to be closed; `next` is the position
    /// of the fact that comes next, if there is one. At this place closing again changes nothing.
    pub(super) fn must_close_first(&self, next: Option<u64>) -> bool {
        !self.is_first_closed && ends_history(self.history_until, self.mark.position, next)
    }

    /// Whether the next facts are still history.
    pub(super) fn is_in_history(&self, next: Option<u64>) -> bool {
        next.is_some_and(|next| next <= self.history_until)
    }

    pub(super) fn closed_first(&mut self) {
        self.is_first_closed = true;
    }

    /// Where the log ends: read anew, once the end read before was reached. `now` was read before.
    pub(super) async fn read_end(
        &mut self,
        shared: &Shared,
        (shard, active): (u32, &Active),
        now: Timestamp,
    ) -> Result<u64, Trouble> {
        if let Some(end) = self.end.filter(|end| self.mark.position < end.position) {
            return Ok(end.position);
        }
        // What was copied by then is in the log: so this is asked first.
        let copied = copied_until(shared, &active.program).await?;
        let position = shared.store.log_end(shard).await?;
        self.end = Some(LogEnd {
            as_of: now.min(copied),
            position,
        });
        Ok(position)
    }

    /// The end that was read is none of a fact.
    pub(super) fn forget_end(&mut self) {
        if let Some(end) = &mut self.end {
            end.position = end.position.min(self.mark.position);
        }
    }

    /// Until when wake-ups may be decided, if the log is decided up to `position`.
    pub(super) fn wakes_until(&self, position: u64) -> Option<Timestamp> {
        self.end
            .filter(|end| position >= end.position)
            .map(|end| end.as_of)
    }

    /// Whether wake-ups wait for sources: then what is due already is no reason to hurry.
    pub(super) fn waits_for_sources(&self, now: Timestamp) -> bool {
        self.end.is_some_and(|end| end.as_of < now)
    }

    /// Lowers the scan's mark to a wake-up that was written.
    pub(super) fn lower_wake_mark(&mut self, due_at: Option<Timestamp>) {
        let lower = due_at.map(WakeMark::before);
        if let (Some(mark), Some(lower)) = (self.wake_mark, lower) {
            self.wake_mark = Some(mark.min(lower));
        }
    }
}

/// Whether a history ends between what is decided and what comes next. The end that was read when it was fixed need not be
/// the place of a fact: a log in Kafka has places that hold none. Once a later fact is decided it was closed before.
fn ends_history(until: u64, position: u64, next: Option<u64>) -> bool {
    until > 0 && position <= until && next.is_none_or(|next| next > until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_ends_before_the_first_fact_behind_it_also_where_its_last_places_hold_none() {
        for (until, position, next, ends) in [
            (0, 0, None, false),
            (5, 3, Some(4), false),
            (5, 4, Some(5), false),
            (5, 5, Some(6), true),
            (5, 5, None, true),
            (5, 3, Some(6), true),
            (5, 3, None, true),
            (5, 0, Some(9), true),
            (5, 6, Some(7), false),
            (5, 6, None, false),
        ] {
            assert_eq!(
                ends_history(until, position, next),
                ends,
                "{until} {position} {next:?}"
            );
        }
    }
}
