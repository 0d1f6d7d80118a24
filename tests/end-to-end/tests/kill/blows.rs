//! The blows: servers killed, and stopped for longer than a lease lasts, at moments that dice choose; and what
//! was seen of taking over.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use end_to_end::{Dice, Failure, Peek, Signal, wait};
use tokio::task::JoinSet;
use torture::takeover::{Instants, Takeovers, Watched};
use torture::{Look as _, Progress, broken};

use super::stage::Stage;

/// Longer than the 6 s of a lease.
const STOP: Duration = Duration::from_secs(10);
const AIM_TIME_MAX: Duration = Duration::from_secs(45);
/// So many facts more are told whenever nothing is there to aim at.
const MORE: usize = 10;
/// So many of the stops may find no moment, where everything was told and decided before one came.
const MISSED_MAX: usize = 2;
const REACH_TIME_MAX: Duration = Duration::from_secs(120);
/// A server with so many undecided facts is deciding.
const BACKLOG: i64 = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    Kill,
    /// Stopped while it decides.
    StopDeciding,
    /// Stopped between the attempt row and the server's reply.
    StopSending,
    /// Stopped between the claim and the attempt row.
    StopClaimed,
}

/// The plan: what, and after how many facts.
#[derive(Debug)]
pub(super) struct Blows {
    plan: Vec<(usize, Blow, usize)>,
    slice: usize,
}

/// What was struck and seen.
#[derive(Debug, Default)]
pub(super) struct Struck {
    kills: usize,
    stops: Vec<String>,
    missed: Vec<String>,
    takeovers: Takeovers,
    pub(super) violations: Vec<String>,
}

impl Blows {
    pub(super) fn plan(kills: usize, facts: usize, dice: &mut Dice) -> Blows {
        let mut blows = vec![Blow::Kill; kills];
        blows.extend([Blow::StopDeciding; 3]);
        blows.extend([Blow::StopSending, Blow::StopClaimed]);
        dice.shuffle(&mut blows);
        let slice = facts / blows.len();
        let at = |n: usize, dice: &mut Dice| n * slice + dice.below(slice);
        let plan = blows.into_iter().enumerate();
        let plan = plan
            .map(|(n, blow)| (at(n, dice), blow, dice.below(2)))
            .collect();
        Blows { plan, slice }
    }

    /// Strikes one after the other, each when so many facts are told; telling never runs ahead by more than a slice.
    pub(super) async fn strike(
        self,
        stage: &mut Stage,
        progress: &Progress,
    ) -> Result<Struck, Failure> {
        let mut struck = Struck::default();
        let struck_at = Instants::default();
        let mut takeovers = JoinSet::new();
        for (n, (at, blow, victim)) in self.plan.iter().enumerate() {
            progress.allow((n + 1) * self.slice);
            wait::until("so many facts are told", REACH_TIME_MAX, async || {
                (progress.done() >= *at).then_some(())
            })
            .await?;
            struck_at.note();
            if *blow == Blow::Kill {
                let watched = Watched::of(&stage.peek, stage.servers[*victim].pid()).await?;
                stage.servers[*victim].kill_and_restart().await?;
                struck.kills += 1;
                if watched.leases.is_empty() {
                    continue;
                }
                takeovers.spawn_local(watched.taken_over(stage.peek.clone(), struck_at.clone()));
                continue;
            }
            match stop(stage, *blow, progress).await {
                Ok(seen) => struck.stops.push(seen),
                Err(failure) => struck.missed.push(format!("{blow:?}: {failure}")),
            }
        }
        progress.allow(usize::MAX);
        while let Some(takeover) = takeovers.join_next().await {
            match takeover.map_err(|error| broken("watching a takeover", &error))? {
                Ok(takeover) => struck.takeovers.push(takeover),
                Err(failure) => struck.violations.push(failure.to_string()),
            }
        }
        struck.judge();
        Ok(struck)
    }
}

impl Struck {
    fn judge(&mut self) {
        if self.missed.len() > MISSED_MAX {
            self.violations.append(&mut self.missed);
        }
        self.violations.extend(self.takeovers.violations());
    }

    /// What people want to know of it.
    pub(super) fn told(&self, stage: &Stage) -> String {
        let let_go = stage.said("let go of the shard");
        let late = stage.said("the claim was somebody else's") + stage.said("the shard moved");
        format!(
            "{} kills, {} stops of {} s ({}), missed {}\ntakeovers undisturbed: {}; struck again meanwhile: {}\nzombie writes refused: {} commits, {} fates and moves",
            self.kills,
            self.stops.len(),
            STOP.as_secs(),
            self.stops.join("; "),
            self.missed.len(),
            self.takeovers.quantiles(false),
            self.takeovers.quantiles(true),
            let_go,
            late,
        )
    }
}

/// Stops the server that does what is aimed at, lets the other take over, and lets it go on.
async fn stop(stage: &Stage, blow: Blow, progress: &Progress) -> Result<String, Failure> {
    let what = format!("a server could be stopped: {blow:?}");
    let victim = wait::until(&what, AIM_TIME_MAX, async || {
        let victim = aim(stage, blow).await.ok().flatten();
        if victim.is_none() {
            // What is aimed at comes only while facts come.
            progress.allow(progress.done() + MORE);
        }
        victim
    })
    .await?;
    let server = &stage.servers[victim];
    let before = Watched::of(&stage.peek, server.pid()).await?;
    let began = Instant::now();
    let passed = wait::until("the stop is over", STOP * 2, async || {
        (began.elapsed() >= STOP).then_some(())
    });
    passed.await?;
    let moved = before.moved(&stage.peek).await?;
    server.signal(Signal::Continue).await?;
    Ok(format!(
        "{blow:?}: {moved} of {} leases taken meanwhile",
        before.leases.len()
    ))
}

/// The server that was stopped at the right moment. Stopped with the store's lock in its hand it would only stop
/// everybody: then it goes on, and the next moment is waited for.
async fn aim(stage: &Stage, blow: Blow) -> Result<Option<usize>, Failure> {
    let Some(pid) = candidates(&stage.peek, blow).await?.first().copied() else {
        return Ok(None);
    };
    let Some(victim) = stage.servers.iter().position(|server| server.pid() == pid) else {
        return Ok(None);
    };
    let server = &stage.servers[victim];
    server.signal(Signal::Stop).await?;
    let is_there = candidates(&stage.peek, blow).await?.contains(&pid);
    if is_there && stage.peek.is_writable().await {
        return Ok(Some(victim));
    }
    server.signal(Signal::Continue).await?;
    Ok(None)
}

async fn candidates(peek: &Peek, blow: Blow) -> Result<Vec<u32>, Failure> {
    match blow {
        Blow::StopClaimed => peek.claimed_without_attempt().await,
        Blow::StopSending => peek.attempts_open().await,
        Blow::StopDeciding | Blow::Kill => {
            let reached = peek.logs().await?;
            let leases = peek.leases().await?;
            let mut backlog: BTreeMap<u32, i64> = BTreeMap::new();
            for (lease, shard) in leases
                .iter()
                .filter(|lease| lease.role == "decide")
                .zip(&reached)
            {
                if let Some(pid) = lease.pid {
                    *backlog.entry(pid).or_default() += shard.end - shard.position;
                }
            }
            let most = backlog
                .into_iter()
                .filter(|(_, facts)| *facts > BACKLOG)
                .max_by_key(|(_, facts)| *facts);
            Ok(most.map(|(pid, _)| pid).into_iter().collect())
        }
    }
}
