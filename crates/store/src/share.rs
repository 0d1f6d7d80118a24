//! Attempts and fates of many messages share one durable commit, and few statements: what costs is the disk and the way to
//! the database, not the row.
//!
//! Each caller is told what it came to when the commit is known. An error of one is an error of all: nothing of the group is
//! written, so what goes this way can be asked for again.

use crate::{Claim, Failure, Settlement};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Sleep, sleep};

/// As many wait; more wait in their caller.
const WAITING_MAX: usize = 1_024;
/// As many share one commit.
const SHARED_MAX: usize = 256;
/// From the end of one group to the next one, where that would be of fates alone: nobody waits for these but other fates.
const FATES_PAUSE: Duration = Duration::from_millis(1);

/// A hand-over that is about to begin.
#[derive(Clone, Debug)]
pub(crate) struct Beginning {
    pub(crate) claim: Claim,
    /// The how-many-th.
    pub(crate) n: u32,
    pub(crate) now: Timestamp,
}

/// What shares a commit.
#[derive(Clone, Debug)]
pub(crate) enum Small {
    Attempt(Beginning),
    Settlement(Settlement),
}

impl Small {
    fn row(&self) -> i64 {
        match self {
            Self::Attempt(attempt) => attempt.claim.row,
            Self::Settlement(settlement) => settlement.claim.row,
        }
    }
}

/// One caller that waits.
pub(crate) struct Waiting {
    small: Small,
    reply: Reply,
}

/// The way back to a caller: whether the claim still held.
type Reply = oneshot::Sender<Result<bool, Failure>>;

/// The bounded queue before a writer.
#[derive(Debug)]
pub(crate) struct Sharing(mpsc::Sender<Waiting>);

/// The writer's end of the queue.
pub(crate) struct Shared {
    queue: mpsc::Receiver<Waiting>,
    /// Taken from the queue, not written yet.
    held: Vec<Waiting>,
    /// While it lasts no group of fates alone is written.
    pausing: Option<Pin<Box<Sleep>>>,
    pause: Duration,
}

impl Shared {
    /// Waits until there is a group to write; false if there will be none any more. It may be dropped and asked again.
    pub(crate) async fn is_ready(&mut self) -> bool {
        let is_fate = |waiting: &Waiting| matches!(waiting.small, Small::Settlement(_));
        loop {
            let is_urgent = self.held.len() >= SHARED_MAX || !self.held.iter().all(is_fate);
            if is_urgent {
                return true;
            }
            let next = match &mut self.pausing {
                _ if self.held.is_empty() => self.queue.recv().await,
                None => return true,
                Some(pausing) => tokio::select! {
                    biased;
                    () = pausing.as_mut() => {
                        self.pausing = None;
                        return true;
                    }
                    next = self.queue.recv() => next,
                },
            };
            match next {
                Some(waiting) => self.held.push(waiting),
                None => return !self.held.is_empty(),
            }
        }
    }

    /// Takes what waits, as far as it fits one group.
    pub(crate) fn gather(&mut self) -> (Vec<Small>, Callers) {
        while self.held.len() < SHARED_MAX
            && let Ok(waiting) = self.queue.try_recv()
        {
            self.held.push(waiting);
        }
        let all = self.held.drain(..);
        let (smalls, replies) = all.map(|one| (one.small, one.reply)).unzip();
        (smalls, Callers(replies))
    }

    /// Notes that a group was written.
    pub(crate) fn has_written(&mut self) {
        self.pausing = Some(Box::pin(sleep(self.pause)));
    }
}

impl Sharing {
    pub(crate) fn new() -> (Self, Shared) {
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        let shared = Shared {
            queue: waiting,
            held: Vec::new(),
            pausing: None,
            pause: FATES_PAUSE,
        };
        (Self(queue), shared)
    }

    /// One write, committed with others; false if the claim no longer held, and nothing was written for it.
    pub(crate) async fn write(&self, small: Small) -> Result<bool, Failure> {
        let (reply, answer) = oneshot::channel();
        let sent = self.0.send(Waiting { small, reply }).await;
        sent.map_err(|_| Failure::Closed)?;
        answer.await.map_err(|_| Failure::Closed)?
    }
}

/// Callers of one group that wait for its end.
pub(crate) struct Callers(Vec<Reply>);

impl Callers {
    /// Answers each caller; one that went away does not undo the write.
    pub(crate) fn tell(self, ended: Result<Vec<bool>, Failure>) {
        match ended {
            Ok(answers) => {
                for (reply, answer) in self.0.into_iter().zip(answers) {
                    drop(reply.send(Ok(answer)));
                }
            }
            Err(failure) => {
                for reply in self.0 {
                    drop(reply.send(Err(failure.clone())));
                }
            }
        }
    }
}

/// Part of a group in which each message stands once, so that its statements may be written in any order.
#[derive(Debug, Default)]
pub(crate) struct Round<'a> {
    /// With their places in the group.
    pub(crate) attempts: Vec<(usize, &'a Beginning)>,
    /// With their places in the group.
    pub(crate) settlements: Vec<(usize, &'a Settlement)>,
}

/// A group in rounds: what is asked of a message twice comes one after the other.
pub(crate) fn rounds(smalls: &[Small]) -> Vec<Round<'_>> {
    let mut rounds: Vec<Round<'_>> = Vec::new();
    let mut seen: BTreeMap<i64, usize> = BTreeMap::new();
    for (place, small) in smalls.iter().enumerate() {
        let times = seen.entry(small.row()).or_default();
        if *times == rounds.len() {
            rounds.push(Round::default());
        }
        if let Some(round) = rounds.get_mut(*times) {
            match small {
                Small::Attempt(attempt) => round.attempts.push((place, attempt)),
                Small::Settlement(settlement) => round.settlements.push((place, settlement)),
            }
        }
        *times += 1;
    }
    rounds
}

/// Notes the answers of one kind in the places of their callers.
pub(crate) fn note<T>(answers: &mut [bool], asked: &[(usize, T)], told: &[bool]) {
    for ((place, _), told) in asked.iter().zip(told) {
        if let Some(answer) = answers.get_mut(*place) {
            *answer = *told;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;
    use model::MessageId;

    fn claim(row: i64) -> Claim {
        Claim {
            message: MessageId::new("m_1"),
            shard: 0,
            epoch: 1,
            row,
            id: 1,
            about: std::sync::Arc::default(),
        }
    }

    fn attempt(row: i64) -> Small {
        let (claim, n, now) = (claim(row), 1, Timestamp::UNIX_EPOCH);
        Small::Attempt(Beginning { claim, n, now })
    }

    fn settlement(row: i64) -> Small {
        Small::Settlement(Settlement {
            claim: claim(row),
            outcome: Outcome::Sent,
            detail: "".into(),
            captured: None,
            now: Timestamp::UNIX_EPOCH,
        })
    }

    /// Whether there is a group to write without waiting.
    async fn is_at_once(shared: &mut Shared) -> bool {
        tokio::select! {
            biased;
            is_ready = shared.is_ready() => is_ready,
            () = std::future::ready(()) => false,
        }
    }

    #[tokio::test]
    async fn fates_alone_wait_a_moment_for_others_and_attempts_for_nobody() {
        let (sharing, mut shared) = Sharing::new();
        shared.pause = Duration::from_secs(3_600);
        let put = |small| {
            let (reply, _) = oneshot::channel();
            drop(sharing.0.try_send(Waiting { small, reply }));
        };
        put(settlement(1));
        assert!(is_at_once(&mut shared).await, "nothing was written lately");
        assert_eq!(shared.gather().0.len(), 1);
        shared.has_written();
        put(settlement(2));
        assert!(!is_at_once(&mut shared).await, "another may come");
        put(settlement(3));
        assert!(!is_at_once(&mut shared).await, "another may come");
        put(attempt(4));
        assert!(is_at_once(&mut shared).await, "a mail waits for it");
        assert_eq!(shared.gather().0.len(), 3);
        shared.pause = Duration::from_millis(1);
        shared.has_written();
        put(settlement(5));
        assert!(shared.is_ready().await, "none came");
        assert_eq!(shared.gather().0.len(), 1);
        drop(sharing);
        assert!(!shared.is_ready().await);
    }

    #[test]
    fn what_is_asked_of_a_message_twice_is_asked_one_after_the_other() {
        let smalls = [attempt(1), settlement(1), attempt(2), attempt(1)];
        let rounds = rounds(&smalls);
        let places: Vec<(Vec<usize>, Vec<usize>)> = rounds
            .iter()
            .map(|round| {
                let attempts = round.attempts.iter().map(|(place, _)| *place);
                let settlements = round.settlements.iter().map(|(place, _)| *place);
                (attempts.collect(), settlements.collect())
            })
            .collect();
        let expected = [(vec![0, 2], vec![]), (vec![], vec![1]), (vec![3], vec![])];
        assert_eq!(places, expected);
    }
}
