//! Reading the journal.

use super::Postgres;
use super::rows::{last_place, nanos, number, place};
use crate::sqlite::journals::journal_row;
use crate::{Failure, JournalFilter, JournalRow};

/// Records of a shard.
pub(crate) const OF_SHARD: &str = "SELECT place, at, revision, record FROM journal \
    WHERE place > $1 AND place <= $2 AND ($3::text IS NULL OR workflow = $3) AND ($4::bigint IS NULL OR at >= $4) \
    ORDER BY place LIMIT $5";
/// Records of an account.
pub(crate) const OF_ACCOUNT: &str = "SELECT place, at, revision, record FROM journal \
    WHERE account = (SELECT id FROM account WHERE shard = $6 AND account.account = $7) \
    AND place > $1 AND place <= $2 AND ($3::text IS NULL OR workflow = $3) AND ($4::bigint IS NULL OR at >= $4) \
    ORDER BY place LIMIT $5";

impl Postgres {
    pub(crate) async fn journal(
        &self,
        shard: u32,
        filter: JournalFilter,
    ) -> Result<Vec<JournalRow>, Failure> {
        self.read((shard, filter), |session, (shard, filter)| {
            Box::pin(async move {
                let sql = match filter.account {
                    Some(_) => OF_ACCOUNT,
                    None => OF_SHARD,
                };
                let mut query = sqlx::query(sql)
                    .bind(place(*shard, filter.after))
                    .bind(last_place(*shard))
                    .bind(filter.workflow.as_deref())
                    .bind(filter.since.map(nanos))
                    .bind(i64::from(filter.count_max));
                if let Some(account) = &filter.account {
                    query = query.bind(number(*shard)).bind(account.as_str());
                }
                let rows = session.rows(query).await?;
                rows.iter().map(journal_row).collect()
            })
        })
        .await
    }
}
