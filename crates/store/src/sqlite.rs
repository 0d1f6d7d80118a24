//! SQLite behind the face: one writer task, a few readers, one file.

pub(crate) mod accounts;
pub(crate) mod admission;
pub(crate) mod answers;
pub(crate) mod append;
mod attempts;
pub(crate) mod batches;
pub(crate) mod caps;
pub(crate) mod captured;
pub(crate) mod chain;
pub(crate) mod claims;
pub(crate) mod commits;
mod condition;
pub(crate) mod consents;
pub(crate) mod deliveries;
mod erasures;
pub(crate) mod fates;
pub(crate) mod fault;
mod flight;
pub(crate) mod gate;
pub(crate) mod grounds;
pub(crate) mod heads;
pub(crate) mod imports;
#[cfg(test)]
pub(crate) mod inventory;
pub(crate) mod journals;
pub(crate) mod leases;
mod logs;
mod messages;
pub(crate) mod open;
mod own_thread;
pub(crate) mod parks;
#[cfg(test)]
mod plans;
pub(crate) mod prunes;
mod reader;
pub(crate) mod rejects;
pub(crate) mod revisions;
#[cfg(test)]
mod rig;
pub(crate) mod rows;
pub(crate) mod seals;
pub(crate) mod settlements;
pub(crate) mod shards;
mod share;
pub(crate) mod sources;
pub(crate) mod suppressions;
pub(crate) mod switches;
mod tables;
pub(crate) mod tasks;
mod threads;
mod tuning;
mod tx;
pub(crate) mod wakes;
mod writer;

#[cfg(test)]
pub(crate) use rig::SmallDisk;
pub use tuning::Tuning;
#[cfg(test)]
pub(crate) use tx::Session as Holding;

use crate::share::Small;
use crate::{Condition, Failure, Health, Meta, OpenError, OpenOptions};
use reader::Reader;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
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
    /// Shards whose last claim took all that it asked for: more waits there, most likely.
    full: Mutex<BTreeSet<u32>>,
}

impl Sqlite {
    /// Opens the file, or makes it.
    pub(crate) async fn open(path: &Path, options: OpenOptions) -> Result<Self, OpenError> {
        let opened = open::open(path, options).await?;
        let tuning = options.tuning;
        Ok(Self {
            inner: Arc::new(Inner {
                meta: opened.meta.clone(),
                writer: Writer::start(opened.write, tuning, opened.meta)?,
                reader: Reader::new(opened.read, tuning),
                full: Mutex::default(),
            }),
        })
    }

    pub(crate) fn meta(&self) -> &Meta {
        &self.inner.meta
    }

    pub(crate) async fn check(&self) -> Result<Health, Failure> {
        self.read(|session| Box::pin(open::check(session))).await
    }

    pub(crate) async fn condition(&self) -> Result<Condition, Failure> {
        self.read(|session| Box::pin(condition::read(session)))
            .await
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
    async fn share(&self, small: Small) -> Result<bool, Failure> {
        self.inner.writer.sharing.write(small).await
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
