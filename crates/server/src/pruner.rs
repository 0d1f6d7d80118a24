//! Removes what is no longer kept of one shard, under the lease of whoever decides it: in small pages with rests between
//! them, so that decisions never wait long for one.

use crate::config::retention::days_before;
use crate::shared::Shared;
use jiff::Timestamp;
use std::time::Duration;
use store::{ClockMode, Failure, Kept, Prune, PruneError};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Between two looks at what has become old.
const PASS: Duration = Duration::from_secs(600);
/// Rows of one transaction.
const ROWS_MAX: u32 = 1_000;
/// The rest after a page: so many times as long as it took, and no less than that.
const RESTS: u32 = 4;
const REST_MIN: Duration = Duration::from_millis(20);

/// Removes what is old of one shard.
pub(crate) struct Pruner {
    shared: Shared,
    shard: u32,
    epoch: u64,
}

impl Pruner {
    pub(crate) fn new(shared: Shared, shard: u32, epoch: u64) -> Self {
        Self {
            shared,
            shard,
            epoch,
        }
    }

    /// Works until it is told to stop, or somebody else has the shard. Under the log clock everything is kept: what
    /// was decided by the facts' own time is proved by deciding the whole log again.
    pub(crate) async fn run(self, stop: CancellationToken) {
        if self.shared.store.clock() == ClockMode::Log
            || Kept::ALL.iter().all(|kind| self.days(*kind).is_none())
        {
            return;
        }
        while !stop.is_cancelled() {
            match self.pass(&stop).await {
                Ok(()) => {}
                Err(PruneError::Fenced { .. }) => return,
                Err(PruneError::Failed(failure)) => self.complain(&failure),
            }
            rest(PASS, &stop).await;
        }
    }

    fn complain(&self, failure: &Failure) {
        let shard = self.shard;
        tracing::warn!(shard, %failure, "what is old could not be removed; it is tried again in ten minutes");
    }

    /// So many days a kind is kept; none: for ever, or it is not this shard's to remove.
    fn days(&self, kind: Kept) -> Option<u32> {
        let retention = &self.shared.config.retention;
        match kind {
            Kept::Facts => retention.log_days,
            Kept::Records | Kept::Commits => retention.journal_days,
            Kept::Messages => retention.deliveries_days.filter(|_| self.shard == 0),
        }
    }

    async fn pass(&self, stop: &CancellationToken) -> Result<(), PruneError> {
        for kind in Kept::ALL {
            let Some(days) = self.days(kind) else {
                continue;
            };
            let before = days_before(self.shared.clock.now(), days);
            let removed = self.remove(kind, before, stop).await?;
            if removed > 0 {
                let (shard, kind) = (self.shard, kind.as_str());
                tracing::info!(
                    shard,
                    kind,
                    removed,
                    days,
                    "removed what was kept long enough"
                );
            }
        }
        Ok(())
    }

    /// Removes one kind, page by page; how many rows went.
    async fn remove(
        &self,
        kind: Kept,
        before: Timestamp,
        stop: &CancellationToken,
    ) -> Result<u64, PruneError> {
        let label = vec![("kind", kind.as_str())];
        let mut removed = 0;
        let mut next = Some(0);
        while let Some(after) = next.filter(|_| !stop.is_cancelled()) {
            let page = Prune {
                shard: self.shard,
                epoch: self.epoch,
                before,
                after,
                rows_max: ROWS_MAX,
            };
            let began = Instant::now();
            let pruned = self.shared.store.prune(kind, page).await?;
            removed += pruned.rows;
            self.shared
                .measures
                .removed
                .get_or_create(&label)
                .inc_by(pruned.rows);
            next = pruned.after;
            rest((began.elapsed() * RESTS).max(REST_MIN), stop).await;
        }
        Ok(removed)
    }
}

async fn rest(time: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = sleep(time) => {}
        () = stop.cancelled() => {}
    }
}
