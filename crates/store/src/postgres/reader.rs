//! A few connections that only read, apart from the writers'.

use super::session::{Pending, Session};
use super::setup::Setup;
use crate::Failure;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// The readers.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    setup: Setup,
    idle: Mutex<Vec<Session>>,
    permits: Semaphore,
}

impl Reader {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            shared: Arc::new(Shared {
                permits: Semaphore::new(setup.tuning.readers_max),
                setup: setup.clone(),
                idle: Mutex::new(Vec::new()),
            }),
        }
    }

    /// Reads in a task of its own: a caller that goes away leaves no statement half done.
    pub(crate) async fn read<I, T, F>(&self, input: I, body: F) -> Result<T, Failure>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Session, &'t I) -> Pending<'t, Result<T, Failure>>
            + Send
            + Sync
            + 'static,
    {
        let shared = Arc::clone(&self.shared);
        match tokio::spawn(async move { shared.read(&input, &body).await }).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::Closed),
        }
    }

    /// Waits for those under way, and closes all.
    pub(crate) async fn close(&self) {
        let all = u32::try_from(self.shared.setup.tuning.readers_max).unwrap_or(u32::MAX);
        let waited = self.shared.permits.acquire_many(all).await;
        self.shared.permits.close();
        drop(waited);
        let sessions = std::mem::take(&mut *self.shared.lock());
        for session in sessions {
            session.cut().await;
        }
    }
}

impl Shared {
    async fn read<I, T, F>(&self, input: &I, body: &F) -> Result<T, Failure>
    where
        F: for<'t> Fn(&'t mut Session, &'t I) -> Pending<'t, Result<T, Failure>>,
    {
        let _permit = self.permits.acquire().await.map_err(|_| Failure::Closed)?;
        loop {
            let idle = self.lock().pop();
            let was_idle = idle.is_some();
            let mut session = match idle {
                Some(session) => session,
                None => Session::open(&self.setup).await?,
            };
            let answer = body(&mut session, input).await;
            if answer.is_ok() {
                self.lock().push(session);
                return answer;
            }
            let is_away = matches!(answer, Err(Failure::Away(_)));
            session.cut().await;
            // One that lay idle may have died there: reading again on another is no risk.
            if !(was_idle && is_away) {
                return answer;
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
