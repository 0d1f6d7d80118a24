//! Postgres behind the face: a few lanes that write, a few readers, one database that many processes share.
//!
//! Locks are taken in one order: a shard's row, a lease's, deliveries, addresses by key, the ends of logs by shard.

mod accounts;
mod admission;
mod answers;
mod append;
mod attempts;
mod batches;
mod caps;
mod captured;
mod chain;
mod claims;
mod commits;
mod condition;
mod consents;
mod deliveries;
mod erasures;
mod fates;
mod fault;
mod gate;
mod grounds;
mod heads;
mod imports;
#[cfg(test)]
mod inventory;
mod journals;
mod leases;
mod logs;
mod messages;
mod open;
mod parks;
#[cfg(test)]
mod plans;
mod prunes;
mod reader;
mod rejects;
mod revisions;
#[cfg(test)]
pub(crate) mod rig;
mod rows;
mod seals;
mod session;
mod settlements;
mod setup;
mod shards;
mod share;
mod sources;
mod suppressions;
mod switches;
mod tables;
mod tasks;
mod threads;
mod tx;
mod wakes;
mod writer;

use crate::{Condition, Failure, Health, Meta, OpenError, OpenOptions};
use reader::Reader;
use session::{Pending, Session};
use setup::Setup;
use std::sync::Arc;
use tx::{Body, Look};
use writer::Writer;

/// A store in a Postgres database. Clones share it.
#[derive(Clone, Debug)]
pub struct Postgres {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    meta: Meta,
    setup: Setup,
    writer: Writer,
    reader: Reader,
}

impl Postgres {
    /// Opens the store in a database, or makes its tables there.
    pub(crate) async fn open(url: &str, options: OpenOptions) -> Result<Self, OpenError> {
        Self::open_by(Setup::new(url, options.tuning)?, options).await
    }

    async fn open_by(setup: Setup, options: OpenOptions) -> Result<Self, OpenError> {
        let meta = open::open(&setup, options).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                writer: Writer::start(&setup, &meta),
                reader: Reader::new(&setup),
                meta,
                setup,
            }),
        })
    }

    pub(crate) fn meta(&self) -> &Meta {
        &self.inner.meta
    }

    pub(crate) async fn check(&self) -> Result<Health, Failure> {
        self.read((), |session, ()| Box::pin(open::check(session)))
            .await
    }

    pub(crate) async fn condition(&self) -> Result<Condition, Failure> {
        self.read((), |session, ()| Box::pin(condition::read(session)))
            .await
    }

    pub(crate) async fn close(&self) {
        self.inner.writer.close().await;
        self.inner.reader.close().await;
    }

    /// One transaction on any lane; it goes on when its caller is gone.
    async fn write<I, T>(&self, input: I, body: impl Body<I, T> + 'static) -> Result<T, Failure>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.inner.writer.write(None, input, body).await
    }

    /// One transaction whose lost answer is settled, on the lane of its shard.
    async fn settled<I, T>(
        &self,
        shard: u32,
        input: I,
        bodies: (impl Body<I, T> + 'static, impl Look<I, T> + 'static),
    ) -> Result<T, Failure>
    where
        I: Send + Sync + 'static,
        T: Send + Sync + 'static,
    {
        self.inner.writer.settled(shard, input, bodies).await
    }

    /// One reading.
    async fn read<I, T, F>(&self, input: I, body: F) -> Result<T, Failure>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Session, &'t I) -> Pending<'t, Result<T, Failure>>
            + Send
            + Sync
            + 'static,
    {
        self.inner.reader.read(input, body).await
    }
}
