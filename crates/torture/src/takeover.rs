//! Takeovers: who has the shards of a process that was struck, and when they decide again.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::{Failure, wait};

/// Longer than this nobody waits for a takeover.
const TIME_MAX: Duration = Duration::from_secs(60);
/// What a takeover that nothing disturbs may take: 10 s are promised, and as much again for a machine that is busy.
const TOLERATED: Duration = Duration::from_secs(20);

/// A lease, as who looks sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The shard.
    pub shard: i64,
    /// `decide` or `send`.
    pub role: String,
    /// The process that has it, if any.
    pub pid: Option<u32>,
    /// Its epoch.
    pub epoch: i64,
}

/// How far a shard has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// What is decided.
    pub position: i64,
    /// Commits so far.
    pub commits: i64,
    /// The epoch of the last one.
    pub epoch: i64,
}

/// Looks at a running product from beside it: to strike at the right moment and to know when all is quiet. What is
/// proved is not proved by this.
pub trait Look: Clone {
    /// All leases.
    fn leases(&self) -> impl Future<Output = Result<Vec<Held>, Failure>>;
    /// How far each shard has come, in order.
    fn reached(&self) -> impl Future<Output = Result<Vec<Reached>, Failure>>;
    /// Where the log of a shard ends.
    fn end(&self, shard: i64) -> impl Future<Output = Result<i64, Failure>>;
    /// How many messages have no fate yet.
    fn unsettled(&self) -> impl Future<Output = Result<i64, Failure>>;
    /// The processes that have claimed a message for which no attempt stands yet.
    fn unattempted(&self) -> impl Future<Output = Result<Vec<u32>, Failure>>;
    /// What does not hold together in the store, in words.
    fn problems(&self) -> impl Future<Output = Result<Vec<String>, Failure>>;
}

/// The process in an owner's name, which is `PID-…`.
pub fn pid(owner: Option<&str>) -> Option<u32> {
    owner?.split('-').next()?.parse().ok()
}

/// The instants of all blows, so that it is known which takeovers were disturbed.
#[derive(Debug, Clone, Default)]
pub struct Instants(Arc<Mutex<Vec<Instant>>>);

impl Instants {
    fn all(&self) -> MutexGuard<'_, Vec<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A blow falls now.
    pub fn note(&self) {
        self.all().push(Instant::now());
    }

    fn is_any_after(&self, instant: Instant) -> bool {
        self.all().iter().any(|at| *at > instant)
    }
}

/// What a process held when it was struck.
#[derive(Debug)]
pub struct Watched {
    at: Instant,
    /// Its leases then.
    pub leases: Vec<Held>,
}

impl Watched {
    /// What the process has now.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn of(look: &impl Look, pid: u32) -> Result<Watched, Failure> {
        let mut leases = look.leases().await?;
        leases.retain(|lease| lease.pid == Some(pid));
        Ok(Watched {
            at: Instant::now(),
            leases,
        })
    }

    /// How many of them have another owner now.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn moved(&self, look: &impl Look) -> Result<usize, Failure> {
        let now = look.leases().await?;
        let is_moved = |held: &&Held| {
            now.iter().any(|lease| {
                (lease.shard, &lease.role) == (held.shard, &held.role)
                    && lease.epoch > held.epoch
                    && lease.pid.is_some()
            })
        };
        Ok(self.leases.iter().filter(is_moved).count())
    }

    /// Until all have another owner, and every shard with something to decide has a commit by it.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn taken_over(self, look: impl Look, struck: Instants) -> Result<Takeover, Failure> {
        wait::until("all leases are taken over", TIME_MAX, async || {
            (self.moved(&look).await.ok()? == self.leases.len()).then_some(())
        })
        .await?;
        wait::until("the first commit after a takeover", TIME_MAX, async || {
            self.is_decided(&look).await.ok()?.then_some(())
        })
        .await?;
        Ok(Takeover {
            took: self.at.elapsed(),
            is_disturbed: struck.is_any_after(self.at),
        })
    }

    async fn is_decided(&self, look: &impl Look) -> Result<bool, Failure> {
        let reached = look.reached().await?;
        for held in self.leases.iter().filter(|held| held.role == "decide") {
            let shard = usize::try_from(held.shard).unwrap_or(usize::MAX);
            let Some(shard) = reached.get(shard) else {
                continue;
            };
            if shard.epoch <= held.epoch && shard.position < look.end(held.shard).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// How long one took.
#[derive(Debug, Clone, Copy)]
pub struct Takeover {
    /// From the blow to the last shard's first commit.
    pub took: Duration,
    /// Whether something else was struck meanwhile.
    pub is_disturbed: bool,
}

/// All that were seen.
#[derive(Debug, Clone, Default)]
pub struct Takeovers(Vec<Takeover>);

impl Takeovers {
    /// One more.
    pub fn push(&mut self, takeover: Takeover) {
        self.0.push(takeover);
    }

    /// Some more.
    pub fn extend(&mut self, more: impl IntoIterator<Item = Takeover>) {
        self.0.extend(more);
    }

    /// Those that nothing disturbed and that took too long.
    pub fn violations(&self) -> Vec<String> {
        let late = |one: &&Takeover| !one.is_disturbed && one.took > TOLERATED;
        let all = self.0.iter().filter(late);
        all.map(|one| format!("a takeover took {:.1} s", one.took.as_secs_f64()))
            .collect()
    }

    /// How many there were, and how long half of them, 99 of 100 and all took at most, in seconds.
    pub fn quantiles(&self, is_disturbed: bool) -> Quantiles {
        let chosen = self.0.iter().filter(|one| one.is_disturbed == is_disturbed);
        let mut all: Vec<f64> = chosen.map(|one| one.took.as_secs_f64()).collect();
        all.sort_by(f64::total_cmp);
        let at = |hundredths: usize| {
            let place = (all.len() * hundredths).div_ceil(100).max(1) - 1;
            all.get(place).copied().unwrap_or_default()
        };
        Quantiles {
            count: all.len(),
            p50: at(50),
            p99: at(99),
            max: at(100),
        }
    }
}

/// How long some things took, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Quantiles {
    /// How many there were.
    pub count: usize,
    /// Half of them took at most so long.
    pub p50: f64,
    /// 99 of 100.
    pub p99: f64,
    /// All.
    pub max: f64,
}

impl std::fmt::Display for Quantiles {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.count == 0 {
            return write!(out, "none");
        }
        let Quantiles {
            count,
            p50,
            p99,
            max,
        } = self;
        write!(
            out,
            "{count} (p50 {p50:.1} s, p99 {p99:.1} s, longest {max:.1} s)"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_what_was_not_disturbed() {
        let mut all = Takeovers::default();
        for seconds in 1..=10 {
            all.push(Takeover {
                took: Duration::from_secs(seconds),
                is_disturbed: seconds > 8,
            });
        }
        let told = all.quantiles(false);
        assert_eq!(
            (told.count, told.p50, told.p99, told.max),
            (8, 4.0, 8.0, 8.0)
        );
        assert_eq!(Takeovers::default().quantiles(false).to_string(), "none");
        assert!(all.violations().is_empty());
        all.push(Takeover {
            took: TOLERATED * 2,
            is_disturbed: false,
        });
        assert_eq!(all.violations().len(), 1);
    }
}
