//! The blows: workers killed, stopped for longer than a lease lasts, sent away and called back; the database and the
//! brokers struck by a command of whoever has them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinSet;

use crate::stage::Workers;
use crate::takeover::{Instants, Look, Takeover, Takeovers, Watched};
use crate::{Dice, Failure, Serving, Signal, wait};

/// Longer than the 6 s of a lease.
const STOP: Duration = Duration::from_secs(10);
/// A killed or departed worker is back after this, at most.
const AWAY_MAX_MS: usize = 9_000;
/// Between two blows.
const BETWEEN_MS: (usize, usize) = (2_500, 5_000);
/// So long a worker is looked for that has claimed a message and not begun to send it.
const AIM_MAX: Duration = Duration::from_secs(4);
/// Between two looks.
const AIM_PAUSE: Duration = Duration::from_millis(10);
/// How long a command that strikes a server may take until that is back.
const STRIKE_MAX: Duration = Duration::from_secs(180);
/// Somebody is always there to be struck before this is over.
const FREE_MAX: Duration = Duration::from_secs(120);

/// Commands of the shell that kill a server and start it again; each returns once it takes clients.
#[derive(Debug, Clone, Default)]
pub struct Strikes {
    /// For the database.
    pub store: Option<String>,
    /// For the brokers.
    pub kafka: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// SIGKILL, and started again, at once or a little later.
    Kill,
    /// SIGSTOP for longer than a lease, then on: a zombie. Where that can be, between a claim and its attempt.
    Stop,
    /// SIGTERM, and another one a little later.
    Leave,
    Store,
    Kafka,
}

/// What was struck and seen.
#[derive(Debug, Clone, Default)]
pub struct Struck {
    /// Workers killed.
    pub kills: usize,
    /// Workers stopped and let go on.
    pub stops: usize,
    /// Leases that others took meanwhile.
    pub moved: usize,
    /// Workers that left and came back.
    pub leaves: usize,
    /// Blows to the database.
    pub stores: usize,
    /// Blows to the brokers.
    pub brokers: usize,
    /// Takeovers after a kill.
    pub takeovers: Takeovers,
    /// Takeovers after a worker left.
    pub hand_overs: Takeovers,
    /// What must not be.
    pub violations: Vec<String>,
}

/// What came of one blow.
#[derive(Debug, Default)]
struct Outcome {
    takeover: Option<Takeover>,
    hand_over: Option<Takeover>,
    moved: usize,
}

/// Strikes until the time is over; returns when all that was struck stands again.
#[derive(Debug)]
pub(crate) struct Blows<L> {
    pub(crate) workers: Workers,
    pub(crate) look: L,
    pub(crate) strikes: Strikes,
    pub(crate) time: Duration,
    pub(crate) dice: Dice,
}

impl<L: Look + 'static> Blows<L> {
    /// Strikes one after the other. Runs on a local set.
    pub(crate) async fn strike(mut self) -> Result<Struck, Failure> {
        let began = Instant::now();
        let mut struck = Struck::default();
        let instants = Instants::default();
        let mut falling: JoinSet<Result<Outcome, Failure>> = JoinSet::new();
        let mut next: Vec<Blow> = Vec::new();
        loop {
            let between = BETWEEN_MS.0 + self.dice.below(BETWEEN_MS.1);
            let pause = Duration::from_millis(u64::try_from(between).unwrap_or(5_000));
            if began.elapsed() + pause >= self.time {
                break;
            }
            tokio::time::sleep(pause).await;
            if next.is_empty() {
                next = self.round();
            }
            let Some(blow) = next.pop() else { break };
            instants.note();
            self.fall(blow, &mut struck, &mut falling, &instants)
                .await?;
        }
        while let Some(fell) = falling.join_next().await {
            let fell = fell.map_err(|error| crate::broken("a blow", &error))?;
            match fell {
                Ok(outcome) => {
                    struck.moved += outcome.moved;
                    struck.takeovers.extend(outcome.takeover);
                    struck.hand_overs.extend(outcome.hand_over);
                }
                Err(failure) => struck.violations.push(failure.to_string()),
            }
        }
        struck.violations.extend(struck.takeovers.violations());
        Ok(struck)
    }

    /// Each kind, in an order of the dice.
    fn round(&mut self) -> Vec<Blow> {
        let mut round = vec![Blow::Kill, Blow::Kill, Blow::Stop, Blow::Stop, Blow::Leave];
        round.extend(self.strikes.store.is_some().then_some(Blow::Store));
        round.extend(self.strikes.kafka.is_some().then_some(Blow::Kafka));
        self.dice.shuffle(&mut round);
        round
    }

    async fn fall(
        &mut self,
        blow: Blow,
        struck: &mut Struck,
        falling: &mut JoinSet<Result<Outcome, Failure>>,
        instants: &Instants,
    ) -> Result<(), Failure> {
        let away = u64::try_from(self.dice.below(AWAY_MAX_MS)).unwrap_or(0);
        // Half of the killed are back at once.
        let away = Duration::from_millis(if self.dice.below(2) == 0 { 0 } else { away });
        let (look, instants) = (self.look.clone(), instants.clone());
        match blow {
            Blow::Kill => {
                struck.kills += 1;
                let victim = self.free().await?;
                falling.spawn_local(kill(victim, look, instants, away));
            }
            Blow::Stop => {
                struck.stops += 1;
                let victim = match self.stopped().await? {
                    Some(victim) => victim,
                    None => {
                        let victim = self.free().await?;
                        victim.signal(Signal::Stop).await?;
                        victim
                    }
                };
                falling.spawn_local(stop(victim, look));
            }
            Blow::Leave => {
                struck.leaves += 1;
                let victim = self.free().await?;
                falling.spawn_local(leave(victim, look, instants, away));
            }
            Blow::Store => {
                struck.stores += 1;
                shell(self.strikes.store.as_deref().unwrap_or_default()).await?;
            }
            Blow::Kafka => {
                struck.brokers += 1;
                shell(self.strikes.kafka.as_deref().unwrap_or_default()).await?;
            }
        }
        Ok(())
    }

    /// A worker that was stopped between a claim and its attempt, if one can be met there.
    async fn stopped(&self) -> Result<Option<OwnedMutexGuard<Serving>>, Failure> {
        let until = Instant::now() + AIM_MAX;
        while Instant::now() < until {
            for pid in self.look.unattempted().await.unwrap_or_default() {
                let workers = self.workers.iter();
                let mut free = workers.filter_map(|one| one.clone().try_lock_owned().ok());
                let Some(victim) = free.find(|victim| victim.pid() == pid) else {
                    continue;
                };
                victim.signal(Signal::Stop).await?;
                // It went on between the look and the blow, perhaps.
                let met = self.look.unattempted().await;
                if met.is_ok_and(|pids| pids.contains(&pid)) {
                    return Ok(Some(victim));
                }
                victim.signal(Signal::Continue).await?;
            }
            tokio::time::sleep(AIM_PAUSE).await;
        }
        Ok(None)
    }

    /// A worker that nothing befalls at the moment.
    async fn free(&mut self) -> Result<OwnedMutexGuard<Serving>, Failure> {
        let mut order: Vec<Arc<Mutex<Serving>>> = self.workers.clone();
        self.dice.shuffle(&mut order);
        wait::until("a worker is there to be struck", FREE_MAX, async || {
            order
                .iter()
                .find_map(|one| one.clone().try_lock_owned().ok())
        })
        .await
    }
}

/// What the process has; nothing where that can't be seen at the moment.
async fn watched(look: &impl Look, pid: u32) -> Option<Watched> {
    let watched = Watched::of(look, pid).await.ok()?;
    (!watched.leases.is_empty()).then_some(watched)
}

async fn kill(
    mut victim: OwnedMutexGuard<Serving>,
    look: impl Look,
    instants: Instants,
    away: Duration,
) -> Result<Outcome, Failure> {
    let watched = watched(&look, victim.pid()).await;
    victim.kill().await?;
    tokio::time::sleep(away).await;
    victim.start_again()?;
    drop(victim);
    let takeover = match watched {
        Some(watched) => Some(watched.taken_over(look, instants).await?),
        None => None,
    };
    Ok(Outcome {
        takeover,
        ..Outcome::default()
    })
}

/// Lets one that is stopped go on when its leases are long over.
async fn stop(victim: OwnedMutexGuard<Serving>, look: impl Look) -> Result<Outcome, Failure> {
    let watched = watched(&look, victim.pid()).await;
    tokio::time::sleep(STOP).await;
    let moved = match &watched {
        Some(watched) => watched.moved(&look).await.unwrap_or(0),
        None => 0,
    };
    victim.signal(Signal::Continue).await?;
    Ok(Outcome {
        moved,
        ..Outcome::default()
    })
}

async fn leave(
    mut victim: OwnedMutexGuard<Serving>,
    look: impl Look,
    instants: Instants,
    away: Duration,
) -> Result<Outcome, Failure> {
    let watched = watched(&look, victim.pid()).await;
    let code = victim.leave().await?;
    if code != Some(0) {
        let said = format!("it ended with {code:?}: {}", tail(&victim.said()));
        return Err(crate::broken("a worker that was asked to end", &said));
    }
    tokio::time::sleep(away).await;
    victim.start_again()?;
    drop(victim);
    let hand_over = match watched {
        Some(watched) => Some(watched.taken_over(look, instants).await?),
        None => None,
    };
    Ok(Outcome {
        hand_over,
        ..Outcome::default()
    })
}

/// The last lines of a log.
pub(crate) fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}

async fn shell(command: &str) -> Result<(), Failure> {
    let run = Command::new("sh")
        .args(["-c", command])
        .kill_on_drop(true)
        .output();
    let ended = tokio::time::timeout(STRIKE_MAX, run).await;
    let output = ended.map_err(|_| Failure::Late {
        what: format!("`{command}` ended"),
        seconds: STRIKE_MAX.as_secs(),
    })?;
    let output = output.map_err(Failure::io(format!("running `{command}`")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Failure::Program {
        program: command.to_owned(),
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
