//! SQLite behind the face: one writer task, a few readers, one file.

mod accounts;
mod admission;
mod answers;
mod append;
mod batches;
mod bulk;
mod caps;
mod captured;
mod chain;
mod claims;
mod commits;
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
mod reader;
mod rejects;
mod revisions;
#[cfg(test)]
mod rig;
mod rows;
mod seals;
mod shards;
mod share;
mod suppressions;
mod switches;
mod tables;
mod tasks;
mod threads;
mod tuning;
mod tx;
mod wakes;
mod writer;

#[cfg(test)]
pub(crate) use rig::SmallDisk;
pub use tuning::Tuning;

use crate::{Failure, Health, Meta, OpenError, OpenOptions};
use reader::Reader;
use std::path::Path;
use std::sync::Arc;
use tx::{Ending, Pending, Session};
use writer::Writer;

/// A store in one SQLite file. Clones share it.
#[derive(Clone, Debug)]
pub struct Sqlite {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    meta: Meta,
    writer: Writer,
    reader: Reader,
}

impl Sqlite {
    /// Opens the file, or makes it.
    pub(crate) async fn open(path: &Path, options: OpenOptions) -> Result<Self, OpenError> {
        let opened = open::open(path, options).await?;
        let tuning = options.tuning;
        Ok(Self {
            inner: Arc::new(Inner {
                meta: opened.meta.clone(),
                writer: Writer::start(opened.write, tuning, opened.meta),
                reader: Reader::new(opened.read, tuning),
            }),
        })
    }

    pub(crate) fn meta(&self) -> &Meta {
        &self.inner.meta
    }

    pub(crate) async fn check(&self) -> Result<Health, Failure> {
        self.read(|session| Box::pin(open::check(session))).await
    }

    pub(crate) async fn close(&self) {
        self.inner.writer.close().await;
        self.inner.reader.close().await;
    }

    /// One transaction of the writer; it goes on when its caller is gone.
    async fn write<T, F>(&self, body: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Session) -> Pending<'t, Result<Ending<T>, Failure>>
            + Send
            + 'static,
    {
        self.inner.writer.write(body).await
    }

    /// One small write that shares its commit with others: see `share`.
    async fn share<T, F>(&self, body: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Session) -> Pending<'t, Result<Ending<T>, Failure>>
            + Send
            + 'static,
    {
        self.inner.writer.sharing.write(body).await
    }

    /// One reading.
    async fn read<T, F>(&self, body: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Session) -> Pending<'t, Result<T, Failure>> + Send + 'static,
    {
        self.inner.reader.read(body).await
    }
}
