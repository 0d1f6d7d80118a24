//! What a worker knows of its shard between two commits.

use super::Trouble;
use super::cache::Cache;
use crate::shared::Shared;
use engine::Csms;
use jiff::Timestamp;
use model::AccountId;
use std::collections::BTreeSet;
use store::{ShardMark, WakeMark};

/// The log's end as it was read, and the instant before that: wake-ups due by then may be decided once it is reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogEnd {
    pub(super) as_of: Timestamp,
    pub(super) position: u64,
}

/// What is known of the shard. Worth nothing after anything but a known success.
pub(super) struct State {
    pub(super) mark: ShardMark,
    /// The position from which the text decides: facts up to there tell how things stood before it.
    pub(super) revision_from: u64,
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
            revision_from: row.revision_from,
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

    /// Whether the history that the first text found has been decided, and is still to be closed. Once a later fact
    /// is decided it was closed before; at this very position closing again changes nothing.
    pub(super) fn must_close_first(&self) -> bool {
        self.revision_from > 0 && self.mark.position == self.revision_from && !self.is_first_closed
    }

    pub(super) fn closed_first(&mut self) {
        self.is_first_closed = true;
    }

    /// Where the log ends: read anew, once the end read before was reached. `now` was read before.
    pub(super) async fn read_end(
        &mut self,
        shared: &Shared,
        shard: u32,
        now: Timestamp,
    ) -> Result<u64, Trouble> {
        if let Some(end) = self.end.filter(|end| self.mark.position < end.position) {
            return Ok(end.position);
        }
        let position = shared.store.log_end(shard).await?;
        self.end = Some(LogEnd {
            as_of: now,
            position,
        });
        Ok(position)
    }

    /// Until when wake-ups may be decided, if the log is decided up to `position`.
    pub(super) fn wakes_until(&self, position: u64) -> Option<Timestamp> {
        self.end
            .filter(|end| position >= end.position)
            .map(|end| end.as_of)
    }

    /// Lowers the scan's mark to a wake-up that was written.
    pub(super) fn lower_wake_mark(&mut self, due_at: Option<Timestamp>) {
        let lower = due_at.map(WakeMark::before);
        if let (Some(mark), Some(lower)) = (self.wake_mark, lower) {
            self.wake_mark = Some(mark.min(lower));
        }
    }
}
