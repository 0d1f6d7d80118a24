//! The one way to write: `BEGIN IMMEDIATE`, and on any error the connection is closed and its end awaited.
//!
//! sqlx's own transactions are not used: after a failed COMMIT they go on inside one that does not exist, and what is
//! "committed" there is lost. A connection that saw an error never comes back.

use super::Tuning;
use super::fault::Fault;
use super::flight::Answer;
use super::rows::Columns;
use crate::Failure;
use futures_util::TryStreamExt as _;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{ConnectOptions, Connection as _, Either, Executor as _, Sqlite};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A boxed future.
pub(crate) type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A statement with its values.
pub(crate) type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// How the body of a transaction wants it to end.
pub(crate) enum Ending<T> {
    /// Keep what was written.
    Commit(T),
    /// Write nothing: a refusal.
    Rollback(T),
}

/// How a transaction failed.
#[derive(Debug)]
pub(crate) enum Lost<T> {
    /// Certainly nothing was written.
    Nothing(Failure),
    /// COMMIT did not answer well: only the tables can tell whether what was written is there. The connection is
    /// closed, its end awaited.
    Unknown(Failure, T),
}

impl<T> From<Lost<T>> for Failure {
    fn from(lost: Lost<T>) -> Self {
        match lost {
            Lost::Nothing(failure) => failure,
            Lost::Unknown(_, _) => Self::Unknown,
        }
    }
}

/// How often a lost answer is looked for before the caller is told that nobody knows.
const SETTLE_TRIES_MAX: u32 = 5;
/// Between two of them.
const SETTLE_PAUSE: Duration = Duration::from_millis(50);
/// How long writing the whole file anew may take.
const COMPACT_MAX: Duration = Duration::from_secs(6 * 3600);
/// How often the file of late writes is tried to be emptied.
const COMPACT_TRIES_MAX: u32 = 60;
/// Between two of them.
const COMPACT_PAUSE: Duration = Duration::from_millis(250);

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let code = error
            .as_database_error()
            .and_then(|error| error.code())
            .and_then(|code| code.parse::<u32>().ok());
        match code.map(|code| code & 0xff) {
            Some(5) => Self::Busy,
            Some(13) => Self::Full,
            Some(_) | None => Self::Database(error.to_string().into()),
        }
    }
}

/// A connection in use: each statement has a deadline.
#[derive(Debug)]
pub(crate) struct Session {
    connection: SqliteConnection,
    statement_max: Duration,
    changed: u64,
}

impl Session {
    /// Connects.
    pub(crate) async fn open(
        options: &SqliteConnectOptions,
        statement_max: Duration,
    ) -> Result<Self, Failure> {
        let connection = within(statement_max, options.connect()).await?;
        Ok(Self {
            connection,
            statement_max,
            changed: 0,
        })
    }

    /// How many rows statements of this connection have changed.
    pub(crate) fn changed(&self) -> u64 {
        self.changed
    }

    /// Closes and awaits the end of its thread, so that nothing of it is still under way.
    pub(crate) async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "A connection to the store did not close well.");
        }
    }

    /// Runs a statement and says how many rows it changed.
    pub(crate) async fn execute(&mut self, query: Query<'_>) -> Result<u64, Failure> {
        let done = within(self.statement_max, query.execute(&mut self.connection)).await?;
        self.changed += done.rows_affected();
        Ok(done.rows_affected())
    }

    /// Every row.
    pub(crate) async fn rows(&mut self, query: Query<'_>) -> Result<Vec<SqliteRow>, Failure> {
        within(self.statement_max, query.fetch_all(&mut self.connection)).await
    }

    /// The first row, if there is one.
    pub(crate) async fn row(&mut self, query: Query<'_>) -> Result<Option<SqliteRow>, Failure> {
        within(
            self.statement_max,
            query.fetch_optional(&mut self.connection),
        )
        .await
    }

    /// Every statement of a query that has several: what each answered.
    pub(crate) async fn each(&mut self, query: Query<'_>) -> Result<Vec<Answer>, Failure> {
        let answering = async {
            let mut answers = Vec::new();
            let mut answer = Answer::default();
            let mut told = (&mut self.connection).fetch_many(query);
            while let Some(one) = told.try_next().await? {
                match one {
                    Either::Right(row) => answer.rows.push(row),
                    Either::Left(done) => {
                        answer.changed = done.rows_affected();
                        answers.push(std::mem::take(&mut answer));
                    }
                }
            }
            Ok(answers)
        };
        within(self.statement_max, answering).await
    }

    /// Notes that statements changed so many rows.
    pub(crate) fn has_changed(&mut self, rows: u64) {
        self.changed += rows;
    }

    /// Waits in small steps for whoever writes in another process: SQLite's own waiting would starve.
    async fn begin(&mut self, tuning: &Tuning) -> Result<(), Failure> {
        let asking = async {
            loop {
                match self.execute(sqlx::query("BEGIN IMMEDIATE")).await {
                    Ok(_) => return Ok(()),
                    Err(Failure::Busy) => tokio::time::sleep(tuning.busy_poll).await,
                    Err(failure) => return Err(failure),
                }
            }
        };
        match tokio::time::timeout(tuning.busy_max, asking).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::Busy),
        }
    }
}

/// The writer's connection; opened anew after it was closed.
#[derive(Debug)]
pub(crate) struct Connection {
    options: SqliteConnectOptions,
    tuning: Tuning,
    kept: Option<Session>,
    pub(crate) fault: Arc<Fault>,
}

impl Connection {
    pub(crate) fn new(options: SqliteConnectOptions, tuning: Tuning) -> Self {
        Self {
            options,
            tuning,
            kept: None,
            fault: Arc::default(),
        }
    }

    /// One transaction. If this future is dropped on its way, the connection goes with it.
    pub(crate) async fn transact<T, F>(&mut self, body: F) -> Result<T, Lost<T>>
    where
        F: for<'t> FnOnce(&'t mut Session) -> Pending<'t, Result<Ending<T>, Failure>>,
    {
        let mut session = match self.kept.take() {
            Some(session) => session,
            None => Session::open(&self.options, self.tuning.statement_max)
                .await
                .map_err(Lost::Nothing)?,
        };
        match self.follow(&mut session, body).await {
            Ok(value) => {
                self.kept = Some(session);
                Ok(value)
            }
            Err(lost) => {
                session.close().await;
                Err(lost)
            }
        }
    }

    /// One transaction whose answer, if it is lost, is settled: on a new connection and under the lock `is_done` looks
    /// whether what was written is there.
    pub(crate) async fn transact_settled<T, F, C>(
        &mut self,
        body: F,
        is_done: C,
    ) -> Result<T, Failure>
    where
        F: for<'t> FnOnce(&'t mut Session) -> Pending<'t, Result<Ending<T>, Failure>>,
        C: for<'t> Fn(&'t mut Session, &'t T) -> Pending<'t, Result<bool, Failure>> + Sync,
        T: Sync,
    {
        let (cause, value) = match self.transact(body).await {
            Ok(value) => return Ok(value),
            Err(Lost::Nothing(failure)) => return Err(failure),
            Err(Lost::Unknown(cause, value)) => (cause, value),
        };
        for _ in 0..SETTLE_TRIES_MAX {
            match self.look(&value, &is_done).await {
                Ok(true) => return Ok(value),
                Ok(false) => return Err(cause),
                Err(_) => tokio::time::sleep(SETTLE_PAUSE).await,
            }
        }
        Err(Failure::Unknown)
    }

    async fn look<T, C>(&mut self, value: &T, is_done: &C) -> Result<bool, Failure>
    where
        C: for<'t> Fn(&'t mut Session, &'t T) -> Pending<'t, Result<bool, Failure>> + Sync,
        T: Sync,
    {
        let mut session = Session::open(&self.options, self.tuning.statement_max).await?;
        let looked = match session.begin(&self.tuning).await {
            Ok(()) => is_done(&mut session, value).await,
            Err(failure) => Err(failure),
        };
        session.close().await;
        looked
    }

    async fn follow<T, F>(&self, session: &mut Session, body: F) -> Result<T, Lost<T>>
    where
        F: for<'t> FnOnce(&'t mut Session) -> Pending<'t, Result<Ending<T>, Failure>>,
    {
        session.begin(&self.tuning).await.map_err(Lost::Nothing)?;
        match body(session).await.map_err(Lost::Nothing)? {
            Ending::Commit(value) => match self.commit(session).await {
                Ok(()) => Ok(value),
                Err(cause) => Err(Lost::Unknown(cause, value)),
            },
            Ending::Rollback(value) => {
                let done = session.execute(sqlx::query("ROLLBACK")).await;
                done.map_err(Lost::Nothing)?;
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

    /// Writes the whole file anew on a connection of its own, and empties the file of late writes; false: somebody reads
    /// old pages still.
    pub(crate) async fn compact(&mut self) -> Result<bool, Failure> {
        self.close().await;
        let mut session = Session::open(&self.options, COMPACT_MAX).await?;
        let done = compact(&mut session).await;
        session.close().await;
        done
    }

    /// Closes what is open.
    pub(crate) async fn close(&mut self) {
        if let Some(session) = self.kept.take() {
            session.close().await;
        }
    }
}

async fn compact(session: &mut Session) -> Result<bool, Failure> {
    session
        .execute(sqlx::query("PRAGMA busy_timeout = 5000"))
        .await?;
    session.execute(sqlx::query("VACUUM")).await?;
    for _ in 0..COMPACT_TRIES_MAX {
        let emptied = session
            .row(sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)"))
            .await?;
        if emptied.map_or(Ok(1), |row| row.long(0))? == 0 {
            return Ok(true);
        }
        tokio::time::sleep(COMPACT_PAUSE).await;
    }
    Ok(false)
}

/// A deadline around one statement.
async fn within<T>(
    statement_max: Duration,
    statement: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(statement_max, statement).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Failure::Late),
    }
}

#[cfg(test)]
impl Session {
    /// Holds the lock of writers, as a stopped process would.
    pub(crate) async fn hold(options: &SqliteConnectOptions) -> Result<Self, Failure> {
        let mut session = Self::open(options, Duration::from_secs(9)).await?;
        session.execute(sqlx::query("BEGIN IMMEDIATE")).await?;
        Ok(session)
    }
}
