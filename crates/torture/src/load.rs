//! The client: several connections; one account's facts over one of them, each answered before the next.
//! What was not answered by a 2xx is told again, to either server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::world::{Told, World};
use crate::{Client, Dice, Failure, wait};

const CONNECTIONS: usize = 64;
const PATIENCE: Duration = Duration::from_secs(3);
const FACT_TIME_MAX: Duration = Duration::from_secs(180);
/// A fact told twice later is told after so many others.
const LATER: usize = 100;

/// How far telling may go, and how far it is.
#[derive(Debug, Clone)]
pub struct Progress {
    allowed: watch::Sender<usize>,
    done: Arc<AtomicUsize>,
    whole: usize,
}

impl Progress {
    /// Lets telling go on up to the `count`-th fact.
    pub fn allow(&self, count: usize) {
        self.allowed.send_if_modified(|allowed| {
            let is_more = count > *allowed;
            *allowed = count.max(*allowed);
            is_more
        });
    }

    /// How many facts were accepted.
    pub fn done(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }

    /// Waits until `part` of `parts` may be told.
    pub async fn reaches(&self, part: usize, parts: usize) {
        let wanted = self.whole * part / parts.max(1);
        let mut allowed = self.allowed.subscribe();
        // The sender lives in `self`.
        drop(allowed.wait_for(|allowed| *allowed >= wanted).await);
    }
}

/// What the client knows afterwards.
#[derive(Debug, Default, Clone)]
pub struct Accounted {
    /// The key of every fact that was answered by a 2xx.
    pub accepted: Vec<Arc<str>>,
    /// How often something was told again since no answer came.
    pub resent: usize,
    /// How often something was told once more, on purpose.
    pub twice: usize,
    /// What was refused.
    pub violations: Vec<String>,
}

/// What the client is to tell.
#[derive(Debug)]
pub struct Load {
    lanes: Vec<Vec<(usize, Told)>>,
    progress: Progress,
    seeds: Vec<Dice>,
}

/// The client at work.
#[derive(Debug)]
pub struct Telling {
    lanes: JoinSet<Result<Accounted, Failure>>,
}

impl Load {
    /// Shares the world out among the connections.
    pub fn new(world: &World, dice: &mut Dice) -> Load {
        let mut lanes: Vec<Vec<(usize, Told)>> = vec![Vec::new(); CONNECTIONS];
        let mut whole = 0;
        for (index, told) in world.told_over_http().enumerate() {
            let number: usize = told
                .account
                .bytes()
                .map(usize::from)
                .fold(0, |sum, byte| sum * 31 % 9_973 + byte);
            lanes[number % CONNECTIONS].push((index, told.clone()));
            whole = index + 1;
        }
        let (allowed, _) = watch::channel(0);
        Load {
            lanes,
            progress: Progress {
                allowed,
                done: Arc::default(),
                whole,
            },
            seeds: (0..CONNECTIONS)
                .map(|_| Dice::new(u64::try_from(dice.below(usize::MAX)).unwrap_or(1)))
                .collect(),
        }
    }

    /// How telling is steered.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Begins to tell it to the servers at these addresses, as far as it is allowed. Runs on a local set.
    pub fn start(self, world: &World, addresses: &[SocketAddr]) -> Telling {
        let mut lanes = JoinSet::new();
        let csms = Arc::new(world.csms.clone());
        // Nobody tells of accounts before the CSMs are told.
        let (begun, begin) = watch::channel(false);
        let begun = Arc::new(begun);
        for (number, (facts, dice)) in self.lanes.into_iter().zip(self.seeds).enumerate() {
            let mut lane = Lane::new(addresses, number, dice);
            let (progress, csms) = (self.progress.clone(), csms.clone());
            let (begun, mut begin) = (begun.clone(), begin.clone());
            lanes.spawn_local(async move {
                if number == 0 {
                    for csm in csms.iter() {
                        lane.tell(csm).await?;
                    }
                    begun.send_replace(true);
                }
                drop(begin.wait_for(|begun| *begun).await);
                lane.run(facts, &progress).await?;
                Ok(lane.accounted)
            });
        }
        Telling { lanes }
    }
}

impl Telling {
    /// Waits until all is told.
    ///
    /// # Errors
    /// When a fact was not accepted in time.
    pub async fn end(mut self) -> Result<Accounted, Failure> {
        let mut all = Accounted::default();
        while let Some(lane) = self.lanes.join_next().await {
            let lane = lane.map_err(|error| crate::broken("a lane", &error))??;
            all.accepted.extend(lane.accepted);
            all.violations.extend(lane.violations);
            all.resent += lane.resent;
            all.twice += lane.twice;
        }
        Ok(all)
    }
}

/// One connection.
#[derive(Debug)]
struct Lane {
    clients: Vec<Client>,
    at: usize,
    dice: Dice,
    accounted: Accounted,
}

impl Lane {
    fn new(addresses: &[SocketAddr], number: usize, dice: Dice) -> Lane {
        Lane {
            clients: addresses
                .iter()
                .map(|address| Client::new(*address, PATIENCE))
                .collect(),
            at: number % addresses.len(),
            dice,
            accounted: Accounted::default(),
        }
    }

    async fn run(&mut self, facts: Vec<(usize, Told)>, progress: &Progress) -> Result<(), Failure> {
        let mut allowed = progress.allowed.subscribe();
        let mut again: Vec<(usize, Told)> = Vec::new();
        for (n, (index, told)) in facts.into_iter().enumerate() {
            drop(allowed.wait_for(|allowed| *allowed > index).await);
            self.tell(&told).await?;
            progress.done.fetch_add(1, Ordering::Relaxed);
            if told.is_twice {
                let later = if self.dice.below(2) == 0 {
                    n
                } else {
                    n + LATER
                };
                again.push((later, told));
            }
            let (due, later): (Vec<_>, Vec<_>) = again.into_iter().partition(|(at, _)| *at <= n);
            again = later;
            for (_, told) in due {
                self.tell_again(&told).await?;
            }
        }
        for (_, told) in again {
            self.tell_again(&told).await?;
        }
        Ok(())
    }

    async fn tell_again(&mut self, told: &Told) -> Result<(), Failure> {
        self.accounted.twice += 1;
        self.tell(told).await
    }

    async fn tell(&mut self, told: &Told) -> Result<(), Failure> {
        let mut times = 0;
        wait::until("a fact is accepted", FACT_TIME_MAX, async || {
            times += 1;
            let client = &mut self.clients[self.at];
            let answered = client
                .tell("application/cloudevents+json", told.line.as_bytes())
                .await;
            match answered {
                Ok(answer) if answer.status == 202 => {
                    if answer.json()["accepted"] != 1 {
                        let said = format!("{} was not accepted: {}", told.key, answer.body);
                        self.accounted.violations.push(said);
                    }
                    return Some(());
                }
                Ok(answer) if !matches!(answer.status, 429 | 503) => {
                    let said = format!("{} got {}: {}", told.key, answer.status, answer.body);
                    self.accounted.violations.push(said);
                    return Some(());
                }
                Ok(_) | Err(_) => self.at = (self.at + 1) % self.clients.len(),
            }
            None
        })
        .await?;
        self.accounted.resent += times - 1;
        self.accounted.accepted.push(told.key.clone());
        if self.dice.in_thousand(5) {
            self.at = (self.at + 1) % self.clients.len();
        }
        Ok(())
    }
}
