//! The lanes through which all writes of this process go: what is of one shard keeps its lane, and so its order.

use super::append::Append;
use super::session::Pending;
use super::setup::Setup;
use super::tx::{Body, Connection, Look};
use crate::share::{Shared, Sharing, Small};
use crate::sqlite::append::Appending;
use crate::sqlite::fault::Fault;
use crate::{ClockMode, Failure, Meta, Tuning};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Lanes, each with a connection of its own; appending has one beside them.
const LANES: usize = 4;
/// Calls that may wait for a lane; more wait in their caller.
const JOBS_MAX: usize = 64;

/// Something to do with a lane's connection.
type Job = Box<dyn for<'c> FnOnce(&'c mut Connection) -> Pending<'c, ()> + Send>;

enum Work {
    Job(Job),
    Close,
}

/// The way to one lane.
#[derive(Debug)]
struct Lane {
    jobs: mpsc::Sender<Work>,
    sharing: Sharing,
}

/// The way to the writers.
#[derive(Debug)]
pub(crate) struct Writer {
    lanes: Vec<Lane>,
    next: AtomicUsize,
    pub(crate) appending: Appending,
    closing: mpsc::Sender<()>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    #[cfg(test)]
    pub(crate) fault: Arc<Fault>,
}

impl Writer {
    /// Starts the tasks; each connects when it is needed.
    pub(crate) fn start(setup: &Setup, meta: &Meta) -> Self {
        let fault: Arc<Fault> = Arc::default();
        let connection = || Connection::new(setup.clone(), Arc::clone(&fault));
        let mut tasks = Vec::new();
        let mut lanes = Vec::new();
        for _ in 0..LANES {
            let (jobs, work) = mpsc::channel(JOBS_MAX);
            let (sharing, shared) = Sharing::new();
            tasks.push(tokio::spawn(serve(
                connection(),
                work,
                (shared, meta.clock),
            )));
            lanes.push(Lane { jobs, sharing });
        }
        let (appending, appends) = Appending::new(setup.tuning, meta.shards);
        let (closing, close) = mpsc::channel(1);
        let append = append(connection(), appends, close, setup.tuning);
        tasks.push(tokio::spawn(append));
        Self {
            lanes,
            next: AtomicUsize::new(0),
            appending,
            closing,
            tasks: Mutex::new(tasks),
            #[cfg(test)]
            fault,
        }
    }

    /// The lane of a shard; none: any.
    fn lane(&self, shard: Option<u32>) -> &Lane {
        let place = match shard {
            Some(shard) => usize::try_from(shard).unwrap_or_default(),
            None => self.next.fetch_add(1, Ordering::Relaxed),
        };
        &self.lanes[place % LANES]
    }

    /// Does something with a connection, whether or not the caller waits for it.
    async fn run<T, F>(&self, shard: Option<u32>, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> Pending<'c, T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            Box::pin(async move {
                let value = work(connection).await;
                // A caller that went away does not stop the work; nobody is left to tell.
                drop(reply.send(value));
            })
        });
        let sent = self.lane(shard).jobs.send(Work::Job(job)).await;
        sent.map_err(|_| Failure::Closed)?;
        answer.await.map_err(|_| Failure::Closed)
    }

    /// One transaction.
    pub(crate) async fn write<I, T>(
        &self,
        shard: Option<u32>,
        input: I,
        body: impl Body<I, T> + 'static,
    ) -> Result<T, Failure>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.run(shard, move |connection| {
            Box::pin(async move { connection.transact(&input, &body).await })
        })
        .await?
    }

    /// One transaction whose lost answer is settled.
    pub(crate) async fn settled<I, T>(
        &self,
        shard: u32,
        input: I,
        (body, is_done): (impl Body<I, T> + 'static, impl Look<I, T> + 'static),
    ) -> Result<T, Failure>
    where
        I: Send + Sync + 'static,
        T: Send + Sync + 'static,
    {
        self.run(Some(shard), move |connection| {
            Box::pin(async move { connection.transact_settled(&input, &body, &is_done).await })
        })
        .await?
    }

    /// One small write that shares its commit with others of its lane: see `share`.
    pub(crate) async fn share(&self, shard: u32, small: Small) -> Result<bool, Failure> {
        self.lane(Some(shard)).sharing.write(small).await
    }

    /// Ends the tasks after what waits already, and awaits their end.
    pub(crate) async fn close(&self) {
        // Who can't be told has ended.
        self.closing.send(()).await.ok();
        for lane in &self.lanes {
            drop(lane.jobs.send(Work::Close).await);
        }
        for task in self.take() {
            if let Err(error) = task.await {
                tracing::error!(%error, "A writer of the store did not end well.");
            }
        }
    }

    /// Kills the tasks where they stand, as the end of the process would.
    #[cfg(test)]
    pub(crate) async fn kill(&self) {
        for task in self.take() {
            task.abort();
            assert!(task.await.is_err_and(|why| why.is_cancelled()));
        }
    }

    fn take(&self) -> Vec<JoinHandle<()>> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *tasks)
    }
}

/// Small writes and other work take turns at random, so neither starves.
async fn serve(
    mut connection: Connection,
    mut work: mpsc::Receiver<Work>,
    (mut shared, clock): (Shared, ClockMode),
) {
    loop {
        tokio::select! {
            next = work.recv() => match next {
                Some(Work::Job(job)) => job(&mut connection).await,
                Some(Work::Close) | None => break,
            },
            true = shared.is_ready() => {
                super::share::group(&mut connection, &mut shared, clock).await;
            }
        }
    }
    connection.close().await;
}

async fn append(
    mut connection: Connection,
    mut appends: mpsc::Receiver<Append>,
    mut close: mpsc::Receiver<()>,
    tuning: Tuning,
) {
    loop {
        tokio::select! {
            biased;
            Some(first) = appends.recv() => {
                super::append::group(&mut connection, first, &mut appends, &tuning).await;
            }
            _ = close.recv() => break,
        }
    }
    connection.close().await;
}
