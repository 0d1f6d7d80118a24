//! What cases do to a store behind its back.

use crate::store::Tables;
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
        let postgres = Postgres::open_by_bids(url, options).await?;
        Ok(Self::of(Tables::Postgres(postgres)))
    }

    /// The next COMMIT is not done, and nobody is told.
    pub(super) fn lose_next_commit(&self) {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.lose_next_commit(),
            Tables::Postgres(postgres) => postgres.lose_next_commit(),
        }
    }

    /// The next COMMIT is done, and nobody is told.
    pub(super) fn lose_next_answer(&self) {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.lose_next_answer(),
            Tables::Postgres(postgres) => postgres.lose_next_answer(),
        }
    }

    /// Ends the writers where they stand, as the end of the process would.
    pub(super) async fn kill(&self) {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.kill(),
            Tables::Postgres(postgres) => postgres.kill().await,
        }
    }

    /// Changes what is stored as somebody with access to it could.
    pub(crate) async fn tamper(&self, sql: &'static str) -> Result<(), Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.tamper(sql).await,
            Tables::Postgres(postgres) => postgres.tamper(sql).await,
        }
    }

    /// Holds what writers need.
    pub(super) async fn hold(&self) -> Result<Held, Failure> {
        Ok(match &self.tables {
            Tables::Sqlite(sqlite) => Held::File(sqlite.hold().await?),
            Tables::Postgres(postgres) => Held::Server(postgres.hold().await?),
        })
    }

    /// A transaction that takes longer than any statement may.
    pub(super) async fn dawdle(&self) -> Result<(), Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.dawdle().await,
            Tables::Postgres(postgres) => postgres.dawdle().await,
        }
    }
}
