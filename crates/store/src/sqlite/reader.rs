//! A few connections that only read, apart from the writer's.

use super::Tuning;
use super::tx::{Pending, Session};
use crate::Failure;
use sqlx::sqlite::SqliteConnectOptions;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// The readers.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    options: SqliteConnectOptions,
    tuning: Tuning,
    idle: Mutex<Vec<Session>>,
    permits: Semaphore,
}

impl Reader {
    pub(crate) fn new(options: SqliteConnectOptions, tuning: Tuning) -> Self {
        Self {
            shared: Arc::new(Shared {
                options,
                tuning,
                idle: Mutex::new(Vec::new()),
                permits: Semaphore::new(tuning.readers_max),
            }),
        }
    }

    /// Reads in a task of its own: a caller that goes away leaves no statement half done.
    pub(crate) async fn read<T, F>(&self, body: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Session) -> Pending<'t, Result<T, Failure>> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        match tokio::spawn(async move { shared.read(body).await }).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::Closed),
        }
    }

    /// Waits for those under way, and closes all.
    pub(crate) async fn close(&self) {
        let all = u32::try_from(self.shared.tuning.readers_max).unwrap_or(u32::MAX);
        let waited = self.shared.permits.acquire_many(all).await;
        self.shared.permits.close();
        drop(waited);
        let sessions = std::mem::take(&mut *self.shared.lock());
        for session in sessions {
            session.close().await;
        }
    }
}

impl Shared {
    async fn read<T, F>(&self, body: F) -> Result<T, Failure>
    where
        F: for<'t> FnOnce(&'t mut Session) -> Pending<'t, Result<T, Failure>>,
    {
        let _permit = self.permits.acquire().await.map_err(|_| Failure::Closed)?;
        let idle = self.lock().pop();
        let mut session = match idle {
            Some(session) => session,
            None => Session::open(&self.options, self.tuning.statement_max).await?,
        };
        let answer = body(&mut session).await;
        match answer {
            Ok(_) => self.lock().push(session),
            Err(_) => session.close().await,
        }
        answer
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
