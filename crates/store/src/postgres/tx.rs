//! The one way to write: on any error the connection is cut, a deadlock is tried again from its beginning, and a COMMIT
//! whose answer was lost is looked for on a new connection once the old one's process has ended.
//!
//! sqlx's own transactions are not used: one whose beginning is cancelled leaves its connection inside it, and the next
//! who borrows it believes to have written. What runs here runs in a task of its own, which no caller cancels.

use super::fault::Class;
use super::session::{Backend, Pending, Session};
use super::setup::Setup;
use crate::Failure;
use crate::sqlite::fault::Fault;
use std::sync::Arc;
use std::time::Duration;

/// How the body of a transaction wants it to end.
pub(crate) enum Ending<T> {
    /// Keep what was written.
    Commit(T),
    /// Write nothing: a refusal.
    Rollback(T),
}

/// What a transaction does; it may be asked for again from its beginning.
pub(crate) trait Body<I, T>:
    for<'t> Fn(&'t mut Session, &'t I) -> Pending<'t, Result<Ending<T>, Failure>> + Send + Sync
{
}

impl<I, T, F> Body<I, T> for F where
    F: for<'t> Fn(&'t mut Session, &'t I) -> Pending<'t, Result<Ending<T>, Failure>> + Send + Sync
{
}

/// Whether what was written is there; takes the row's lock under which it was written.
pub(crate) trait Look<I, T>:
    for<'t> Fn(&'t mut Session, &'t I, &'t T) -> Pending<'t, Result<bool, Failure>> + Send + Sync
{
}

impl<I, T, F> Look<I, T> for F where
    F: for<'t> Fn(&'t mut Session, &'t I, &'t T) -> Pending<'t, Result<bool, Failure>>
        + Send
        + Sync
{
}

/// How a transaction failed.
enum Lost<T> {
    /// Certainly nothing was written.
    Nothing(Failure, Option<Class>),
    /// COMMIT did not answer well: only the tables can tell whether what was written is there.
    Unknown(Failure, T, Backend),
}

/// How often a transaction is tried that others stand in the way of.
const TRIES_MAX: u32 = 5;
/// The pause before the second try, in milliseconds; it doubles.
const PAUSE: u64 = 4;
/// How long a lost answer is looked for before the caller is told that nobody knows.
const SETTLE_MAX: Duration = Duration::from_secs(20);
/// Between two looks.
const SETTLE_PAUSE: Duration = Duration::from_millis(50);
/// A negative control: what was lost is taken for not done.
fn is_unsettled() -> bool {
    model::teeth::is_out("settle")
}

/// A writer's connection; opened anew after it was cut.
#[derive(Debug)]
pub(crate) struct Connection {
    setup: Setup,
    kept: Option<Session>,
    fault: Arc<Fault>,
}

impl Connection {
    pub(crate) fn new(setup: Setup, fault: Arc<Fault>) -> Self {
        Self {
            setup,
            kept: None,
            fault,
        }
    }

    /// One transaction; if its answer is lost, nobody knows.
    pub(crate) async fn transact<I, T>(
        &mut self,
        input: &I,
        body: &impl Body<I, T>,
    ) -> Result<T, Failure> {
        match self.follow(input, body).await {
            Ok(value) => Ok(value),
            Err(Lost::Nothing(failure, _)) => Err(failure),
            Err(Lost::Unknown(..)) => Err(Failure::Unknown),
        }
    }

    /// One transaction whose answer, if it is lost, is settled: see [`Look`].
    pub(crate) async fn transact_settled<I, T>(
        &mut self,
        input: &I,
        body: &impl Body<I, T>,
        is_done: &impl Look<I, T>,
    ) -> Result<T, Failure> {
        let (cause, value, ghost) = match self.follow(input, body).await {
            Ok(value) => return Ok(value),
            Err(Lost::Nothing(failure, _)) => return Err(failure),
            Err(Lost::Unknown(cause, value, ghost)) => (cause, value, ghost),
        };
        if is_unsettled() {
            return Err(cause);
        }
        let looking = async {
            loop {
                match self.look((input, &value), ghost, is_done).await {
                    Ok(Some(is_there)) => return is_there,
                    // Its process goes on still, or the server is away: nobody may guess.
                    Ok(None) | Err(_) => tokio::time::sleep(SETTLE_PAUSE).await,
                }
            }
        };
        match tokio::time::timeout(SETTLE_MAX, looking).await {
            Ok(true) => Ok(value),
            Ok(false) => Err(cause),
            Err(_) => Err(Failure::Unknown),
        }
    }

    /// Whether what was written is there; none: its process has not ended.
    async fn look<I, T>(
        &self,
        (input, value): (&I, &T),
        ghost: Backend,
        is_done: &impl Look<I, T>,
    ) -> Result<Option<bool>, Failure> {
        let mut session = Session::open(&self.setup).await?;
        let looked = async {
            if !session.has_ended(ghost).await? {
                return Ok(None);
            }
            session.execute(sqlx::query("BEGIN")).await?;
            Ok(Some(is_done(&mut session, input, value).await?))
        };
        let looked = looked.await;
        session.cut().await;
        looked
    }

    /// Tries again what others stood in the way of: nothing of it was written.
    async fn follow<I, T>(&mut self, input: &I, body: &impl Body<I, T>) -> Result<T, Lost<T>> {
        let mut tries = 1;
        loop {
            match self.once(input, body).await {
                Err(Lost::Nothing(_, Some(Class::Conflict))) if tries < TRIES_MAX => {
                    tokio::time::sleep(self.pause(tries)).await;
                    tries += 1;
                }
                ended => return ended,
            }
        }
    }

    /// Each connection has another one, so that two don't meet again.
    fn pause(&self, tries: u32) -> Duration {
        let spread = std::ptr::from_ref(self).addr() as u64 / 64 % 13;
        Duration::from_millis(PAUSE * (1 << tries) + spread)
    }

    async fn once<I, T>(&mut self, input: &I, body: &impl Body<I, T>) -> Result<T, Lost<T>> {
        let mut session = self.begin().await.map_err(|why| Lost::Nothing(why, None))?;
        match self.carry_out(&mut session, input, body).await {
            Ok(value) => {
                self.kept = Some(session);
                Ok(value)
            }
            Err(lost) => {
                session.cut().await;
                Err(lost)
            }
        }
    }

    /// Begins on the connection that is kept, or on a new one where that turns out to be dead.
    async fn begin(&mut self) -> Result<Session, Failure> {
        if let Some(mut session) = self.kept.take() {
            if session.execute(sqlx::query("BEGIN")).await.is_ok() {
                return Ok(session);
            }
            session.cut().await;
        }
        let mut session = Session::open(&self.setup).await?;
        session.execute(sqlx::query("BEGIN")).await?;
        Ok(session)
    }

    async fn carry_out<I, T>(
        &self,
        session: &mut Session,
        input: &I,
        body: &impl Body<I, T>,
    ) -> Result<T, Lost<T>> {
        let ending = body(session, input).await;
        let class = session.spent();
        let ending = ending.map_err(|why| Lost::Nothing(why, class))?;
        if class.is_some() {
            // The server would answer COMMIT with a ROLLBACK and no error.
            let why = "a transaction went on after an error";
            return Err(Lost::Nothing(Failure::Database(why.into()), None));
        }
        match ending {
            Ending::Commit(value) => match self.commit(session).await {
                Ok(()) => Ok(value),
                Err(cause) => Err(Lost::Unknown(cause, value, session.backend())),
            },
            Ending::Rollback(value) => {
                let done = session.execute(sqlx::query("ROLLBACK")).await;
                done.map_err(|why| Lost::Nothing(why, None))?;
                Ok(value)
            }
        }
    }

    async fn commit(&self, session: &mut Session) -> Result<(), Failure> {
        self.fault.before_commit()?;
        session.execute(sqlx::query("COMMIT")).await?;
        self.fault.after_commit()?;
        Ok(())
    }

    /// Closes what is open.
    pub(crate) async fn close(&mut self) {
        if let Some(session) = self.kept.take() {
            session.cut().await;
        }
    }
}
