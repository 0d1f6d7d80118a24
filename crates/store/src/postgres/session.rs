//! A connection in use: every statement has a deadline on both sides, and after any error it is spent.

use super::fault::Class;
use super::setup::Setup;
use crate::Failure;
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::{ConnectOptions, Connection as _, Postgres};
use std::pin::Pin;
use std::time::Duration;

use super::rows::Columns;

/// A boxed future.
pub(crate) type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A statement with its values.
pub(crate) type Query<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

/// How long connecting may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long saying goodbye may take.
const END_MAX: Duration = Duration::from_millis(500);
/// The server ends a statement first and says so; only where it is silent the connection is cut on this side.
const SILENCE_MAX: Duration = Duration::from_secs(2);

/// The process behind a connection, so that its end can be awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backend {
    pid: i64,
    started: i64,
}

/// A connection in use.
#[derive(Debug)]
pub(crate) struct Session {
    connection: PgConnection,
    backend: Backend,
    statement_max: Duration,
    changed: u64,
    spent: Option<Class>,
}

impl Session {
    /// Connects.
    pub(crate) async fn open(setup: &Setup) -> Result<Self, Failure> {
        let connection = match tokio::time::timeout(CONNECT_MAX, setup.options.connect()).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return Err(Class::of(&error).away(&error)),
            Err(_) => return Err(Failure::Away("it does not answer".into())),
        };
        let mut session = Self {
            connection,
            backend: Backend { pid: 0, started: 0 },
            statement_max: setup.tuning.statement_max + SILENCE_MAX,
            changed: 0,
            spent: None,
        };
        let sql = "SELECT pid::bigint, (extract(epoch FROM backend_start) * 1000000)::bigint \
            FROM pg_stat_activity WHERE pid = pg_backend_pid()";
        if let Some(row) = session.row(sqlx::query(sql)).await? {
            session.backend = Backend {
                pid: row.long(0)?,
                started: row.long(1)?,
            };
        }
        Ok(session)
    }

    /// Another deadline, for what takes long.
    pub(crate) fn patient(mut self, statement_max: Duration) -> Self {
        self.statement_max = statement_max;
        self
    }

    /// The process behind it.
    pub(crate) fn backend(&self) -> Backend {
        self.backend
    }

    /// How many rows statements of this connection have changed.
    pub(crate) fn changed(&self) -> u64 {
        self.changed
    }

    /// What went wrong on it, if anything did.
    pub(crate) fn spent(&self) -> Option<Class> {
        self.spent
    }

    /// Cuts the connection without a word: whatever was begun on it is undone.
    pub(crate) async fn cut(self) {
        // If even this hangs, dropping it closes the socket.
        drop(tokio::time::timeout(END_MAX, self.connection.close_hard()).await);
    }

    /// Runs a statement and says how many rows it changed.
    pub(crate) async fn execute(&mut self, query: Query<'_>) -> Result<u64, Failure> {
        let done = tokio::time::timeout(self.statement_max, query.execute(&mut self.connection));
        let done = done.await;
        let changed = self.judge(done)?.rows_affected();
        self.changed += changed;
        Ok(changed)
    }

    /// Every row.
    pub(crate) async fn rows(&mut self, query: Query<'_>) -> Result<Vec<PgRow>, Failure> {
        let done = tokio::time::timeout(self.statement_max, query.fetch_all(&mut self.connection));
        let done = done.await;
        self.judge(done)
    }

    /// The first row, if there is one.
    pub(crate) async fn row(&mut self, query: Query<'_>) -> Result<Option<PgRow>, Failure> {
        let row = query.fetch_optional(&mut self.connection);
        let done = tokio::time::timeout(self.statement_max, row).await;
        self.judge(done)
    }

    fn judge<T>(
        &mut self,
        done: Result<Result<T, sqlx::Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, Failure> {
        match done {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                let class = Class::of(&error);
                self.spent = Some(class);
                Err(class.failure(&error))
            }
            Err(_) => {
                self.spent = Some(Class::Gone);
                Err(Failure::Late)
            }
        }
    }

    /// Whether a process has ended; it is told to, since it may wait for a client that is gone.
    pub(crate) async fn has_ended(&mut self, other: Backend) -> Result<bool, Failure> {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE pid = $1 AND (extract(epoch FROM backend_start) * 1000000)::bigint = $2";
        let query = sqlx::query(sql).bind(other.pid).bind(other.started);
        Ok(self.row(query).await?.is_none())
    }
}
