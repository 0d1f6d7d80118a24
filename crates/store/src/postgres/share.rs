//! Small writes of many callers share one durable commit: what costs is the disk, not the statement.
//!
//! Each is told what it came to when the commit is known. An error of one is an error of all: nothing of the group is
//! written, so what goes this way can be asked for again.

use super::session::{Pending, Session};
use super::tx::{Body, Connection, Ending};
use crate::Failure;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// As many wait; more wait in their caller.
const WAITING_MAX: usize = 256;
/// As many share one commit.
const SHARED_MAX: usize = 64;

/// Writes, and says whether it is to be kept. What is not kept has written nothing.
type Step =
    Box<dyn for<'s> Fn(&'s mut Session) -> Pending<'s, Result<bool, Failure>> + Send + Sync>;
/// Tells the caller how the commit ended.
type Tell = Box<dyn FnOnce(Result<(), Failure>) + Send>;

/// What goes before what in a group: rows are taken in the same order everywhere, and the ends of logs last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    /// Takes the lease of a shard, and addresses.
    Lease(u32),
    /// Takes the end of a shard's log.
    Log(u32),
}

impl Order {
    pub(crate) fn shard(self) -> u32 {
        match self {
            Self::Lease(shard) | Self::Log(shard) => shard,
        }
    }
}

/// One caller's write that waits.
pub(crate) struct Small {
    order: Order,
    step: Step,
    tell: Tell,
}

/// The bounded queue before a lane.
#[derive(Debug)]
pub(crate) struct Sharing(mpsc::Sender<Small>);

impl Sharing {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Small>) {
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        (Self(queue), waiting)
    }

    /// One write, committed with others. A refusal (`Ending::Rollback`) must not have written anything.
    pub(crate) async fn write<I, T>(
        &self,
        order: Order,
        input: I,
        body: impl Body<I, T> + 'static,
    ) -> Result<T, Failure>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let value: Arc<Mutex<Option<T>>> = Arc::default();
        let found = Arc::clone(&value);
        let shared = Arc::new((input, body));
        let step: Step = Box::new(move |session| {
            let (shared, found) = (Arc::clone(&shared), Arc::clone(&found));
            Box::pin(async move {
                let (input, body) = &*shared;
                let (value, is_kept) = match body(session, input).await? {
                    Ending::Commit(value) => (value, true),
                    Ending::Rollback(value) => (value, false),
                };
                *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
                Ok(is_kept)
            })
        });
        let tell: Tell = Box::new(move |ended| {
            let value = value.lock().unwrap_or_else(PoisonError::into_inner).take();
            let told = ended.and_then(|()| value.ok_or(Failure::Closed));
            // A caller that went away does not undo the write.
            drop(reply.send(told));
        });
        let sent = self.0.send(Small { order, step, tell }).await;
        sent.map_err(|_| Failure::Closed)?;
        answer.await.map_err(|_| Failure::Closed)?
    }
}

/// Writes what waits, as far as it fits one group, and tells each caller.
pub(crate) async fn group(
    connection: &mut Connection,
    first: Small,
    waiting: &mut mpsc::Receiver<Small>,
) {
    let mut all = vec![first];
    while all.len() < SHARED_MAX
        && let Ok(next) = waiting.try_recv()
    {
        all.push(next);
    }
    all.sort_by_key(|small| small.order);
    let (steps, callers): (Vec<Step>, Vec<Tell>) = all
        .into_iter()
        .map(|small| (small.step, small.tell))
        .unzip();
    let ended = connection
        .transact(&steps, &|session, steps: &Vec<Step>| {
            Box::pin(write_all(session, steps))
        })
        .await;
    for tell in callers {
        tell(ended.clone());
    }
}

async fn write_all(session: &mut Session, steps: &[Step]) -> Result<Ending<()>, Failure> {
    let mut is_any_kept = false;
    for step in steps {
        let before = session.changed();
        let is_kept = step(session).await?;
        if !is_kept && session.changed() != before {
            return Err(Failure::Database("a refusal had written something".into()));
        }
        is_any_kept |= is_kept;
    }
    Ok(if is_any_kept {
        Ending::Commit(())
    } else {
        Ending::Rollback(())
    })
}
