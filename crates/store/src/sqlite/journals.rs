//! Reading the journal.

use super::Sqlite;
use super::rows::{Columns, last_place, nanos, place, position_of};
use crate::{Failure, JournalFilter, JournalRow};

impl Sqlite {
    pub(crate) async fn journal(
        &self,
        shard: u32,
        filter: JournalFilter,
    ) -> Result<Vec<JournalRow>, Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let sql = if filter.account.is_some() {
                    "SELECT place, at, revision, record FROM journal \
                        WHERE account = (SELECT id FROM account WHERE shard = ?6 AND account = ?3) \
                        AND place > ?1 AND place <= ?2 \
                        AND (?4 IS NULL OR workflow = ?4) AND (?5 IS NULL OR at >= ?5) \
                        ORDER BY place LIMIT ?7"
                } else {
                    "SELECT place, at, revision, record FROM journal \
                        WHERE place > ?1 AND place <= ?2 AND ?3 IS NULL AND ?6 IS NOT NULL \
                        AND (?4 IS NULL OR workflow = ?4) AND (?5 IS NULL OR at >= ?5) \
                        ORDER BY place LIMIT ?7"
                };
                let query = sqlx::query(sql)
                    .bind(place(shard, filter.after))
                    .bind(last_place(shard))
                    .bind(filter.account.map(|account| account.to_string()))
                    .bind(filter.workflow.as_deref())
                    .bind(filter.since.map(nanos))
                    .bind(i64::from(shard))
                    .bind(filter.count_max);
                let rows = session.rows(query).await?;
                rows.iter().map(journal_row).collect()
            })
        })
        .await
    }
}

pub(crate) fn journal_row(row: &impl Columns) -> Result<JournalRow, Failure> {
    Ok(JournalRow {
        place: position_of(row.long(0)?),
        at: row.instant(1)?,
        revision: row.text(2)?,
        record: row.text(3)?,
    })
}
