//! Reading the log.

use super::Sqlite;
use super::append::log_end;
use super::rows::{Columns, last_place, place, position_of};
use crate::{Failure, StoredFact};

/// Facts fetched with one statement.
const PAGE_MAX: u32 = 256;

impl Sqlite {
    pub(crate) async fn read_log(
        &self,
        shard: u32,
        after: u64,
        count_max: u32,
        bytes_max: usize,
    ) -> Result<Vec<StoredFact>, Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let mut facts: Vec<StoredFact> = Vec::new();
                let mut bytes = 0;
                let mut last = place(shard, after);
                loop {
                    let left = count_max - u32::try_from(facts.len()).unwrap_or(count_max);
                    let page = left.min(PAGE_MAX);
                    let sql = "SELECT place, arrived_at, event FROM fact \
                        WHERE place > ? AND place <= ? ORDER BY place LIMIT ? + 0";
                    let query = sqlx::query(sql)
                        .bind(last)
                        .bind(last_place(shard))
                        .bind(page);
                    let rows = session.rows(query).await?;
                    for row in &rows {
                        last = row.long(0)?;
                        let json = row.text(2)?;
                        bytes += json.len();
                        facts.push(StoredFact {
                            position: position_of(last),
                            arrived_at: row.instant(1)?,
                            json,
                        });
                        if bytes >= bytes_max {
                            return Ok(facts);
                        }
                    }
                    let is_last = rows.len() < usize::try_from(page).unwrap_or(usize::MAX);
                    if is_last || page == left {
                        return Ok(facts);
                    }
                }
            })
        })
        .await
    }

    pub(crate) async fn log_end(&self, shard: u32) -> Result<u64, Failure> {
        self.read(move |session| Box::pin(log_end(session, shard)))
            .await
    }

    /// Takes facts away that stand in the log elsewhere now.
    #[cfg(feature = "kafka")]
    pub(crate) async fn forget_facts(&self, shard: u32, through: u64) -> Result<(), Failure> {
        self.write(move |session| {
            Box::pin(async move {
                let query = sqlx::query("DELETE FROM fact WHERE place > ? AND place <= ?")
                    .bind(place(shard, 0))
                    .bind(place(shard, through));
                session.execute(query).await?;
                Ok(crate::sqlite::tx::Ending::Commit(()))
            })
        })
        .await
    }

    /// By what the last record that was read is known again.
    #[cfg(feature = "kafka")]
    pub(crate) async fn log_mark(&self, shard: u32) -> Result<Option<(u64, Box<str>)>, Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let query = sqlx::query("SELECT position, mark FROM log_mark WHERE shard = ?");
                let row = session.row(query.bind(i64::from(shard))).await?;
                row.map(|row| Ok((row.count(0)?, row.text(1)?))).transpose()
            })
        })
        .await
    }

    /// Keeps by what a record is known again.
    #[cfg(feature = "kafka")]
    pub(crate) async fn set_log_mark(
        &self,
        shard: u32,
        position: u64,
        mark: &str,
    ) -> Result<(), Failure> {
        let mark: Box<str> = mark.into();
        self.write(move |session| {
            Box::pin(async move {
                let sql = "INSERT INTO log_mark (shard, position, mark) VALUES (?, ?, ?) \
                    ON CONFLICT (shard) DO UPDATE SET position = excluded.position, mark = excluded.mark";
                let query = sqlx::query(sql)
                    .bind(i64::from(shard))
                    .bind(super::rows::signed(position))
                    .bind(&*mark);
                session.execute(query).await?;
                Ok(crate::sqlite::tx::Ending::Commit(()))
            })
        })
        .await
    }
}
