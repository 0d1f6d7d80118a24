//! What cases do to a store behind its back.

use crate::{Failure, OpenError, OpenOptions, Postgres, Store};

/// A connection that holds what writers need, as a stopped process would.
pub(super) enum Held {
    File(crate::sqlite::Holding),
    Server(crate::postgres::rig::Holding),
}

impl Held {
    pub(super) async fn close(self) {
        match self {
            Self::File(session) => session.close().await,
            Self::Server(session) => session.cut().await,
        }
    }
}

impl Store {
    /// A store in a database in which leases run out by the clock of who bids for them.
    pub(super) async fn connect_by_bids(
        url: &str,
        options: OpenOptions,
    ) -> Result<Self, OpenError> {
        Ok(Self::Postgres(Postgres::open_by_bids(url, options).await?))
    }

    /// The next COMMIT is not done, and nobody is told.
    pub(super) fn lose_next_commit(&self) {
        match self {
            Self::Sqlite(sqlite) => sqlite.lose_next_commit(),
            Self::Postgres(postgres) => postgres.lose_next_commit(),
        }
    }

    /// The next COMMIT is done, and nobody is told.
    pub(super) fn lose_next_answer(&self) {
        match self {
            Self::Sqlite(sqlite) => sqlite.lose_next_answer(),
            Self::Postgres(postgres) => postgres.lose_next_answer(),
        }
    }

    /// Ends the writers where they stand, as the end of the process would.
    pub(super) async fn kill(&self) {
        match self {
            Self::Sqlite(sqlite) => sqlite.kill(),
            Self::Postgres(postgres) => postgres.kill().await,
        }
    }

    /// Changes what is stored as somebody with access to it could.
    pub(crate) async fn tamper(&self, sql: &'static str) -> Result<(), Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.tamper(sql).await,
            Self::Postgres(postgres) => postgres.tamper(sql).await,
        }
    }

    /// Holds what writers need.
    pub(super) async fn hold(&self) -> Result<Held, Failure> {
        Ok(match self {
            Self::Sqlite(sqlite) => Held::File(sqlite.hold().await?),
            Self::Postgres(postgres) => Held::Server(postgres.hold().await?),
        })
    }

    /// A transaction that takes longer than any statement may.
    pub(super) async fn dawdle(&self) -> Result<(), Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.dawdle().await,
            Self::Postgres(postgres) => postgres.dawdle().await,
        }
    }
}
