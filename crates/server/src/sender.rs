//! The sender: hands over one shard's messages under its lease. Claim, render, send, settle; no transaction is open
//! while anything is sent.

mod call;
mod deliver;
mod digest;
mod endpoint;
mod fate;
mod hand_over;
mod lanes;
mod lawful;
mod letter;
mod means;
mod pace;
mod people;
mod post;
mod refusal;
mod servers;
mod under_way;

pub(crate) use means::{Means, MeansError};
pub(crate) use servers::settings as smtp_settings;

use crate::shared::Shared;
use std::sync::Arc;
use std::time::Duration;
use store::{ClaimRequest, Claimed, Failure, Role};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use under_way::UnderWay;

/// Between two looks at the outbox of a busy shard; other processes' workers fill it too.
const POLL_MIN: Duration = Duration::from_millis(10);
/// The same for a quiet shard.
const POLL_MAX: Duration = Duration::from_millis(500);
/// While more waits than may be under way, claims are made for this share of what may be, since each is a commit …
const CLAIM_SHARE: u32 = 2;
/// … or after this time, where what is under way takes long.
const CLAIM_WAIT_MAX: Duration = Duration::from_millis(200);
/// The longest wait after something failed.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Sends for one shard under one epoch.
pub(crate) struct Sender {
    shared: Shared,
    shard: u32,
    epoch: u64,
    under_way: JoinSet<()>,
    /// When a claim last took as many as it could: more is likely to wait.
    is_more_since: Option<Instant>,
    /// What has not begun by then goes back.
    stop: CancellationToken,
}

impl Sender {
    pub(crate) fn new(shared: Shared, shard: u32, epoch: u64) -> Self {
        Self {
            shared,
            shard,
            epoch,
            under_way: JoinSet::new(),
            is_more_since: None,
            stop: CancellationToken::new(),
        }
    }

    /// Sends until it is told to stop; what has begun then may come to its end, and the rest goes back.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        self.stop = stop.clone();
        let mut is_recovered = false;
        let mut pause = POLL_MIN;
        let mut poll = POLL_MIN;
        while !stop.is_cancelled() {
            match self.round(&mut is_recovered).await {
                Ok(claimed) => {
                    pause = POLL_MIN;
                    self.shared.status.works(self.shard, Role::Send);
                    poll = if claimed > 0 || self.is_more_since.is_some() {
                        POLL_MIN
                    } else {
                        (poll * 2).min(POLL_MAX)
                    };
                    self.rest(poll, &stop).await;
                }
                Err(failure) => {
                    let (shard, why) = (self.shard, failure.to_string());
                    tracing::warn!(shard, %failure, "messages could not be claimed; trying again");
                    self.shared
                        .status
                        .fails(shard, Role::Send, self.shared.clock.now(), why);
                    tokio::select! {
                        () = sleep(pause) => {}
                        () = stop.cancelled() => {}
                    }
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
        self.finish().await;
        self.shared.status.works(self.shard, Role::Send);
    }

    /// Claims as many as may be under way beside those that are, and begins with them.
    async fn round(&mut self, is_recovered: &mut bool) -> Result<usize, Failure> {
        let now = self.shared.clock.now();
        if !*is_recovered {
            let found = self
                .shared
                .store
                .recover(self.shard, self.epoch, now)
                .await?;
            if found.unknown > 0 {
                let (shard, unknown) = (self.shard, found.unknown);
                tracing::error!(
                    shard,
                    unknown,
                    "messages were under way when their sender ended; nobody knows if they arrived"
                );
            }
            *is_recovered = true;
        }
        while self.under_way.try_join_next().is_some() {}
        let claims_max = self.shared.config.limits.claims_max;
        let busy = u32::try_from(self.under_way.len()).unwrap_or(u32::MAX);
        let count_max = claims_max.saturating_sub(busy);
        if count_max == 0 || self.waits_for_more(count_max) {
            return Ok(0);
        }
        let request = ClaimRequest {
            shard: self.shard,
            epoch: self.epoch,
            now,
            count_max,
            cap: self.shared.config.limits.cap(),
            jurisdiction: self.shared.config.jurisdiction,
        };
        let claimed = self.shared.store.claim(request).await?;
        let count = claimed.len();
        let is_full = u32::try_from(count).is_ok_and(|count| count == count_max);
        self.is_more_since = is_full.then(Instant::now);
        for one in claimed {
            self.begin(one);
        }
        Ok(count)
    }

    /// Whether a claim is put off until it can take several: one commit for each message would be most of the work.
    fn waits_for_more(&self, free: u32) -> bool {
        let is_little = free < (self.shared.config.limits.claims_max / CLAIM_SHARE).max(1);
        let since = self.is_more_since.filter(|_| is_little);
        since.is_some_and(|since| since.elapsed() < CLAIM_WAIT_MAX)
    }

    fn begin(&mut self, claimed: Claimed) {
        let (shared, claimed) = (self.shared.clone(), Arc::new(UnderWay::new(claimed)));
        self.under_way
            .spawn(deliver::deliver(shared, claimed, self.stop.clone()));
    }

    async fn rest(&mut self, poll: Duration, stop: &CancellationToken) {
        let is_busy = !self.under_way.is_empty();
        tokio::select! {
            () = sleep(poll) => {}
            () = self.shared.bells.wait(self.shard, Role::Send) => {}
            _ = self.under_way.join_next(), if is_busy => {}
            () = stop.cancelled() => {}
        }
    }

    /// Lets what is under way come to its end, within the time that a stop may take.
    async fn finish(&mut self) {
        let all = async { while self.under_way.join_next().await.is_some() {} };
        // A little less than the whole, so that this ends before it is cut off itself.
        let time_max = self.shared.config.limits.stop_time_max.mul_f32(0.8);
        if timeout(time_max, all).await.is_err() {
            let (shard, left) = (self.shard, self.under_way.len());
            tracing::warn!(
                shard,
                left,
                "messages under way were cut off; their next sender settles them"
            );
            self.under_way.abort_all();
        }
    }
}

#[cfg(test)]
mod tests;
