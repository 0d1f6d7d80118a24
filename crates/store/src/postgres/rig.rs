//! What tests do to a store behind its back.

use super::Postgres;
use super::rows::Columns;
use super::session::Session;
use super::setup::{LeaseClock, Setup};
use super::tx::Ending;
use crate::{Failure, OpenError, OpenOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use super::session::Session as Holding;

/// Each store of the tests has a name of its own on its connections.
static STORES: AtomicU64 = AtomicU64::new(0);

impl Postgres {
    pub(crate) async fn open_by_bids(url: &str, options: OpenOptions) -> Result<Self, OpenError> {
        let setup = Setup::new(url, options.tuning)?;
        let name = format!("sottaku {}", STORES.fetch_add(1, Ordering::SeqCst));
        let setup = Setup {
            options: setup.options.application_name(&name),
            lease_clock: LeaseClock::Bids,
            ..setup
        };
        Self::open_by(setup, options).await
    }

    pub(crate) fn lose_next_commit(&self) {
        self.inner.writer.fault.lose_next_commit();
    }

    pub(crate) fn lose_next_answer(&self) {
        self.inner.writer.fault.lose_next_answer();
    }

    /// Ends the writers where they stand, and awaits that the server notices.
    pub(crate) async fn kill(&self) {
        self.inner.writer.kill().await;
        let mut session = Session::open(&self.inner.setup).await.expect("it connects");
        loop {
            let sql = "SELECT count(*), pg_sleep(0.005) FROM pg_stat_activity \
                WHERE application_name = current_setting('application_name') \
                AND state <> 'idle' AND pid <> pg_backend_pid()";
            let row = session.row(sqlx::query(sql)).await.expect("it is asked");
            if row.is_some_and(|row| row.count(0).is_ok_and(|busy| busy == 0)) {
                break;
            }
        }
        session.cut().await;
    }

    pub(crate) async fn tamper(&self, sql: &'static str) -> Result<(), Failure> {
        self.write(sql, |session, sql| {
            Box::pin(async move {
                session.execute(sqlx::query(*sql)).await?;
                Ok(Ending::Commit(()))
            })
        })
        .await
    }

    pub(crate) async fn hold(&self) -> Result<Holding, Failure> {
        let mut session = Session::open(&self.inner.setup).await?;
        session.execute(sqlx::query("BEGIN")).await?;
        let sql = "SELECT shard FROM log_end FOR UPDATE";
        session.rows(sqlx::query(sql)).await?;
        Ok(session)
    }

    pub(crate) async fn dawdle(&self) -> Result<(), Failure> {
        self.write((), |session, ()| {
            Box::pin(async move {
                let sql = "INSERT INTO fact (place, arrived_at, event) VALUES (1, 0, 'half done')";
                session.execute(sqlx::query(sql)).await?;
                session.execute(sqlx::query("SELECT pg_sleep(20)")).await?;
                Ok(Ending::Commit(()))
            })
        })
        .await
    }

    /// A transaction that takes two rows in an order; at the first try it waits between them for another one.
    pub(crate) async fn cross(
        &self,
        order: [i64; 2],
        meeting: Arc<tokio::sync::Barrier>,
        tries: Arc<AtomicU64>,
    ) -> Result<(), Failure> {
        let is_first = std::sync::atomic::AtomicBool::new(true);
        let input = (order, meeting, tries, is_first);
        self.write(input, |session, (order, meeting, tries, is_first)| {
            Box::pin(async move {
                tries.fetch_add(1, Ordering::SeqCst);
                let take = || sqlx::query("SELECT id FROM shard WHERE id = $1 FOR UPDATE");
                session.rows(take().bind(order[0])).await?;
                if is_first.swap(false, Ordering::SeqCst) {
                    meeting.wait().await;
                }
                session.rows(take().bind(order[1])).await?;
                Ok(Ending::Commit(()))
            })
        })
        .await
    }
}
