//! The one task through which all writes of this process go. It has a thread of its own: each of its statements is awaited
//! while everything else that writes waits for it.

use super::Tuning;
use super::append::{Append, Appending};
use super::own_thread;
use super::tx::{Connection, Ending, Pending, Session};
use crate::share::{Shared, Sharing};
use crate::{ClockMode, Failure, Meta};
use sqlx::sqlite::SqliteConnectOptions;
use std::sync::{Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Calls that may wait for the writer; more wait in their caller.
const JOBS_MAX: usize = 64;

/// Something to do with the writer's connection.
type Job = Box<dyn for<'c> FnOnce(&'c mut Connection) -> Pending<'c, ()> + Send>;

enum Work {
    Job(Job),
    Close,
}

/// The way to the writer.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<Work>,
    pub(crate) appending: Appending,
    pub(crate) sharing: Sharing,
    task: Mutex<Option<JoinHandle<()>>>,
    #[cfg(test)]
    pub(crate) fault: std::sync::Arc<super::fault::Fault>,
    #[cfg(test)]
    pub(crate) options: SqliteConnectOptions,
}

impl Writer {
    /// Starts the task.
    pub(crate) fn start(
        options: SqliteConnectOptions,
        tuning: Tuning,
        meta: Meta,
    ) -> Result<Self, Failure> {
        #[cfg(test)]
        let kept = options.clone();
        let connection = Connection::new(options, tuning);
        #[cfg(test)]
        let fault = std::sync::Arc::clone(&connection.fault);
        let (jobs, work) = mpsc::channel(JOBS_MAX);
        let (appending, appends) = Appending::new(tuning, meta.shards);
        let (sharing, shared) = Sharing::new();
        let queues = (work, appends, shared);
        let task = own_thread::spawn(
            "store-writer",
            run(connection, queues, (tuning, meta.clock)),
        )?;
        Ok(Self {
            jobs,
            appending,
            sharing,
            task: Mutex::new(Some(task)),
            #[cfg(test)]
            fault,
            #[cfg(test)]
            options: kept,
        })
    }

    /// Does something with the connection, whether or not the caller waits for it.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, Failure>
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
        let sent = self.jobs.send(Work::Job(job)).await;
        sent.map_err(|_| Failure::Closed)?;
        answer.await.map_err(|_| Failure::Closed)
    }

    /// One transaction.
    pub(crate) async fn write<T, F>(&self, body: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Session) -> Pending<'t, Result<Ending<T>, Failure>>
            + Send
            + 'static,
    {
        self.run(move |connection| {
            Box::pin(async move { connection.transact(body).await.map_err(Failure::from) })
        })
        .await?
    }

    /// Ends the task after what waits already, and awaits its end.
    pub(crate) async fn close(&self) {
        // If it can't be told, it has ended.
        drop(self.jobs.send(Work::Close).await);
        let task = self.lock().take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "The store's writer did not end well.");
        }
    }

    /// Kills the task where it stands, as the end of the process would.
    #[cfg(test)]
    pub(crate) fn kill(&self) {
        if let Some(task) = self.lock().take() {
            task.abort();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<JoinHandle<()>>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the writer serves.
type Queues = (mpsc::Receiver<Work>, mpsc::Receiver<Append>, Shared);

/// Appends, small writes and other work take turns at random, so neither starves.
async fn run(
    mut connection: Connection,
    (mut work, mut appends, mut shared): Queues,
    (tuning, clock): (Tuning, ClockMode),
) {
    loop {
        tokio::select! {
            next = work.recv() => match next {
                Some(Work::Job(job)) => job(&mut connection).await,
                Some(Work::Close) | None => break,
            },
            Some(first) = appends.recv() => {
                super::append::group(&mut connection, first, &mut appends, &tuning).await;
            }
            true = shared.is_ready() => {
                super::share::group(&mut connection, &mut shared, clock).await;
            }
        }
    }
    connection.close().await;
}
