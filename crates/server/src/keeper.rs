//! The keeper: takes, renews and gives back this process's leases, and runs one task for each.

use crate::pruner::Pruner;
use crate::sender::Sender;
use crate::share::{owner_name, plan};
use crate::shared::Shared;
use crate::worker::Worker;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::Ordering;
use std::time::Duration;
use store::{Bid, Failure, Lease, Role};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long a lease lasts.
const LEASE: Duration = Duration::from_secs(6);
/// How often it is renewed.
const RENEW: Duration = Duration::from_secs(2);
/// How often a process that has less than its part looks for leases.
const SEEK: Duration = Duration::from_millis(300);

/// One lease of ours, and the task that works under it.
struct Held {
    epoch: u64,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Keeps this process's leases.
pub(crate) struct Keeper {
    shared: Shared,
    owner: Box<str>,
    held: BTreeMap<(u32, Role), Held>,
    /// Tasks whose lease is lost; they end by themselves, since nothing they write counts.
    fading: Vec<JoinHandle<()>>,
}

impl Keeper {
    pub(crate) fn new(shared: Shared, roles: &[Role]) -> Self {
        // The hasher's own random keys: no other start of any process draws the same.
        let draw = RandomState::new().build_hasher().finish();
        Self {
            shared,
            owner: owner_name(draw, roles),
            held: BTreeMap::new(),
            fading: Vec::new(),
        }
    }

    /// Keeps leases until it is told to stop; then everything is brought to an end and given back.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let wait = match self.round().await {
                Ok(wait) => {
                    self.shared.status.leases_work();
                    wait
                }
                Err(failure) => {
                    tracing::warn!(%failure, "leases could not be kept; trying again");
                    self.shared
                        .status
                        .leases_fail(self.shared.clock.now(), failure.to_string());
                    SEEK
                }
            };
            tokio::select! {
                () = sleep(wait) => {}
                () = stop.cancelled() => {}
            }
        }
        self.end().await;
    }

    /// Renews, gives back what is too much, takes what is missing. Says how long to wait.
    async fn round(&mut self) -> Result<Duration, Failure> {
        let bid = Bid {
            owner: self.owner.clone(),
            now: self.shared.clock.now(),
            ttl: LEASE,
        };
        let renewed = self.shared.store.renew(&bid).await?;
        self.drop_lost(&renewed);
        let owners = self.shared.store.attend(&bid).await?;
        let leases = self.shared.store.leases().await?;
        let plan = plan(&leases, &owners, &self.owner, bid.now);
        for (shard, role) in plan.give {
            self.give(shard, role).await?;
        }
        for (shard, role) in plan.take {
            if let Some(lease) = self.shared.store.acquire(shard, role, &bid).await? {
                self.begin(&lease);
            }
        }
        for role in Role::ALL {
            let count = self.held.keys().filter(|(_, held)| *held == role).count();
            let gauge = self
                .shared
                .measures
                .leases
                .get_or_create(&vec![("role", role.as_str())]);
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
            if role == Role::Send {
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                self.shared.sends_for.store(count, Ordering::Relaxed);
            }
        }
        Ok(if plan.is_short { SEEK } else { RENEW })
    }

    /// Stops what works without a lease, and begins again what ended by itself.
    fn drop_lost(&mut self, renewed: &[Lease]) {
        let lost: Vec<(u32, Role)> = self
            .held
            .iter()
            .filter(|((shard, role), held)| {
                let is_ours = renewed.iter().any(|lease| {
                    lease.shard == *shard && lease.role == *role && lease.epoch == held.epoch
                });
                !is_ours || held.task.is_finished()
            })
            .map(|(key, _)| *key)
            .collect();
        for key in lost {
            if let Some(held) = self.held.remove(&key) {
                held.stop.cancel();
                self.fading.push(held.task);
            }
        }
        self.fading.retain(|task| !task.is_finished());
        for lease in renewed {
            if !self.held.contains_key(&(lease.shard, lease.role)) {
                self.begin(lease);
            }
        }
    }

    fn begin(&mut self, lease: &Lease) {
        let (shard, role, epoch) = (lease.shard, lease.role, lease.epoch);
        tracing::info!(shard, role = role.as_str(), epoch, "took the shard");
        let stop = CancellationToken::new();
        let shared = self.shared.clone();
        let task = match role {
            Role::Decide => tokio::spawn(decide(shared, (shard, epoch), stop.clone())),
            Role::Send => tokio::spawn(Sender::new(shared, shard, epoch).run(stop.clone())),
        };
        if let Some(before) = self.held.insert((shard, role), Held { epoch, stop, task }) {
            before.stop.cancel();
            self.fading.push(before.task);
        }
    }

    /// Brings one task to its end, then gives its lease back: whoever takes it next finds nothing under way.
    async fn give(&mut self, shard: u32, role: Role) -> Result<(), Failure> {
        if let Some(held) = self.held.remove(&(shard, role)) {
            held.stop.cancel();
            end(held.task, self.shared.config.limits.stop_time_max).await;
        }
        self.shared.store.release(shard, role, &self.owner).await?;
        tracing::info!(shard, role = role.as_str(), "gave the shard back");
        Ok(())
    }

    async fn end(mut self) {
        let time_max = self.shared.config.limits.stop_time_max;
        for held in self.held.values() {
            held.stop.cancel();
        }
        for (_, held) in std::mem::take(&mut self.held) {
            end(held.task, time_max).await;
        }
        let released = async {
            for lease in self.shared.store.leases().await? {
                if lease.owner.as_deref() == Some(&*self.owner) {
                    self.shared
                        .store
                        .release(lease.shard, lease.role, &self.owner)
                        .await?;
                }
            }
            self.shared.store.leave(&self.owner).await
        };
        match timeout(time_max, released).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => {
                tracing::warn!(%failure, "leases were not given back; they run out by themselves")
            }
            Err(_) => {
                tracing::warn!("leases were not given back in time; they run out by themselves")
            }
        }
    }
}

/// Decides a shard, and beside that removes what is no longer kept of it.
async fn decide(shared: Shared, (shard, epoch): (u32, u64), stop: CancellationToken) {
    let over = stop.child_token();
    let pruning = Pruner::new(shared.clone(), shard, epoch).run(over.clone());
    let deciding = async move {
        Box::pin(Worker::new(shared, shard, epoch).run(stop)).await;
        over.cancel();
    };
    tokio::join!(deciding, pruning);
}

/// Whoever drops the keeper means it: nothing goes on under leases that nobody renews.
impl Drop for Keeper {
    fn drop(&mut self) {
        for held in self.held.values() {
            held.task.abort();
        }
        for task in &self.fading {
            task.abort();
        }
    }
}

/// Awaits a task's end, and cuts it off where that takes too long: recovering from that is ordinary.
async fn end(mut task: JoinHandle<()>, time_max: Duration) {
    if timeout(time_max, &mut task).await.is_err() {
        task.abort();
        tracing::warn!("a task did not end in time and was cut off");
    }
}
