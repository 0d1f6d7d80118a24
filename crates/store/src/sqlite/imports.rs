//! Imported files.

use super::Sqlite;
use super::append::{append_facts, known_shards};
use super::rows::{Columns, nanos, signed};
use super::tx::Ending;
use crate::{AppendError, Failure, ImportFile, NewFact};

impl Sqlite {
    pub(crate) async fn import_file(&self, hash: &str) -> Result<Option<ImportFile>, Failure> {
        let hash: Box<str> = hash.into();
        self.read(move |session| {
            Box::pin(async move {
                let sql = "SELECT hash, name, done, updated_at, finished_at FROM import_file WHERE hash = ?";
                let Some(row) = session.row(sqlx::query(sql).bind(&*hash)).await? else {
                    return Ok(None);
                };
                Ok(Some(import_file(&row)?))
            })
        })
        .await
    }

    pub(crate) async fn append_import(
        &self,
        facts: Vec<NewFact>,
        progress: ImportFile,
    ) -> Result<(), AppendError> {
        known_shards(&facts, self.meta().shards)?;
        let appended = self.write(move |session| {
            Box::pin(async move {
                let facts: Vec<&NewFact> = facts.iter().collect();
                append_facts(session, &facts).await?;
                let sql = "INSERT INTO import_file (hash, name, done, updated_at, finished_at) \
                    VALUES (?, ?, ?, ?, ?) ON CONFLICT (hash) DO UPDATE SET name = excluded.name, \
                    done = excluded.done, updated_at = excluded.updated_at, finished_at = excluded.finished_at";
                let query = sqlx::query(sql)
                    .bind(&*progress.hash)
                    .bind(&*progress.name)
                    .bind(signed(progress.done))
                    .bind(nanos(progress.updated_at))
                    .bind(progress.finished_at.map(nanos));
                session.execute(query).await?;
                Ok(Ending::Commit(()))
            })
        });
        Ok(appended.await?)
    }
}

/// A file in the columns 0 to 4: hash, name, how far, when it came so far, when it was finished.
pub(crate) fn import_file(row: &impl Columns) -> Result<ImportFile, Failure> {
    Ok(ImportFile {
        hash: row.text(0)?,
        name: row.text(1)?,
        done: row.count(2)?,
        updated_at: row.instant(3)?,
        finished_at: row.maybe_instant(4)?,
    })
}
