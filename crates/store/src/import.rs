//! Imported files: how far each is, and which are finished.

use crate::{
    AppendError, Failure, Incoming, NewFact, Store,
    store::{Log, Tables},
};
use jiff::Timestamp;

/// A file that is or was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportFile {
    /// The hash of its content, which names it.
    pub hash: Box<str>,
    /// The name it had.
    pub name: Box<str>,
    /// How far it is, in the importer's own count.
    pub done: u64,
    /// When it came so far.
    pub updated_at: Timestamp,
    /// When it was finished.
    pub finished_at: Option<Timestamp>,
}

impl Store {
    /// How far a file is; none if it is unknown.
    pub async fn import_file(&self, hash: &str) -> Result<Option<ImportFile>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.import_file(hash).await,
            Tables::Postgres(postgres) => postgres.import_file(hash).await,
        }
    }

    /// Appends facts of a file together with how far it is, so that a cut import goes on where it was.
    pub async fn append_import(
        &self,
        facts: Vec<NewFact>,
        progress: ImportFile,
    ) -> Result<(), AppendError> {
        let facts = if matches!(self.log, Log::Tables) {
            facts
        } else {
            // After a cut here they come again, and their ids are known.
            let parked = Vec::new();
            self.append(Incoming { facts, parked }).await?;
            Vec::new()
        };
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.append_import(facts, progress).await,
            Tables::Postgres(postgres) => postgres.append_import(facts, progress).await,
        }
    }
}
