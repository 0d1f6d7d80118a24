//! Imported files.

use super::Postgres;
use super::append::{append_facts, known_shards};
use super::rows::{nanos, signed, word};
use super::tx::Ending;
use crate::sqlite::imports::import_file;
use crate::{AppendError, Failure, ImportFile, NewFact};

impl Postgres {
    pub(crate) async fn import_file(&self, hash: &str) -> Result<Option<ImportFile>, Failure> {
        self.read(Box::<str>::from(hash), |session, hash| {
            Box::pin(async move {
                let sql = "SELECT hash, name, done, updated_at, finished_at FROM import_file \
                    WHERE hash = $1";
                let row = session.row(sqlx::query(sql).bind(&**hash)).await?;
                row.as_ref().map(import_file).transpose()
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
        let appended = self.write((facts, progress), |session, (facts, progress)| {
            Box::pin(async move {
                let sql = "INSERT INTO import_file (hash, name, done, updated_at, finished_at) \
                    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (hash) DO UPDATE SET name = excluded.name, \
                    done = excluded.done, updated_at = excluded.updated_at, finished_at = excluded.finished_at";
                let query = sqlx::query(sql)
                    .bind(&*progress.hash)
                    .bind(word(&progress.name))
                    .bind(signed(progress.done))
                    .bind(nanos(progress.updated_at))
                    .bind(progress.finished_at.map(nanos));
                session.execute(query).await?;
                let facts: Vec<&NewFact> = facts.iter().collect();
                append_facts(session, &facts).await?;
                Ok(Ending::Commit(()))
            })
        });
        Ok(appended.await?)
    }
}
