//! Attempts and fates of many messages share one durable commit, and few statements: what costs is the disk and the way to
//! the database, not the row.
//!
//! Each caller is told what it came to when the commit is known. An error of one is an error of all: nothing of the group is
//! written, so what goes this way can be asked for again.

use crate::{Claim, Failure, Settlement};
use jiff::Timestamp;
use std::collections::BTreeMap;
use tokio::sync::{mpsc, oneshot};

/// As many wait; more wait in their caller.
const WAITING_MAX: usize = 1_024;
/// As many share one commit.
const SHARED_MAX: usize = 256;

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

impl Sharing {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Waiting>) {
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        (Self(queue), waiting)
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

/// Takes what waits, as far as it fits one group.
pub(crate) fn gather(first: Waiting, queue: &mut mpsc::Receiver<Waiting>) -> (Vec<Small>, Callers) {
    let (mut smalls, mut replies) = (Vec::new(), Vec::new());
    let mut next = Some(first);
    while let Some(Waiting { small, reply }) = next {
        smalls.push(small);
        replies.push(reply);
        next = (smalls.len() < SHARED_MAX)
            .then(|| queue.try_recv().ok())
            .flatten();
    }
    (smalls, Callers(replies))
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

    #[test]
    fn what_is_asked_of_a_message_twice_is_asked_one_after_the_other() {
        let now = Timestamp::UNIX_EPOCH;
        let attempt = |row| {
            let (claim, n) = (claim(row), 1);
            Small::Attempt(Beginning { claim, n, now })
        };
        let settlement = |row| {
            Small::Settlement(Settlement {
                claim: claim(row),
                outcome: Outcome::Sent,
                detail: "".into(),
                captured: None,
                now,
            })
        };
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
