//! Wake-ups: a narrow table, written only where an account's earliest one changed.

use super::Postgres;
use super::rows::{Columns, nanos, number, word};
use super::session::Session;
use crate::sqlite::wakes::wake;
use crate::{Failure, Wake, WakeMark, WakeWrite};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Takes away, inserts, and notes at the account what changed, all by what stood there before.
pub(crate) const CHANGE: &str = "WITH want AS MATERIALIZED ( \
        SELECT a.id, a.due_at AS was, j.due_at AS due \
        FROM unnest($2::text[], $3::bigint[]) j (account, due_at) \
        JOIN account a ON a.shard = $1 AND a.account = j.account \
        WHERE a.due_at IS DISTINCT FROM j.due_at), \
    gone AS (DELETE FROM wake w USING want \
        WHERE w.shard = $1 AND w.due_at = want.was AND w.account = want.id), \
    come AS (INSERT INTO wake (shard, due_at, account) \
        SELECT $1, due, id FROM want WHERE due IS NOT NULL) \
    UPDATE account SET due_at = want.due FROM want WHERE account.id = want.id";
/// A page of what is due.
pub(crate) const DUE: &str = "SELECT w.due_at, w.account, a.account \
    FROM wake w JOIN account a ON a.id = w.account \
    WHERE w.shard = $1 AND (w.due_at, w.account) > ($2, $3) AND w.due_at <= $4 \
    ORDER BY w.due_at, w.account LIMIT $5";

impl Postgres {
    pub(crate) async fn due(
        &self,
        shard: u32,
        until: Timestamp,
        after: Option<WakeMark>,
        count_max: u32,
    ) -> Result<Vec<Wake>, Failure> {
        let from = after.map_or((i64::MIN, i64::MIN), |mark| (nanos(mark.due_at), mark.key));
        let input = (shard, until, from, count_max);
        self.read(input, |session, &(shard, until, (from, key), count_max)| {
            Box::pin(async move {
                let query = sqlx::query(DUE)
                    .bind(number(shard))
                    .bind(from)
                    .bind(key)
                    .bind(nanos(until))
                    .bind(i64::from(count_max));
                let rows = session.rows(query).await?;
                rows.iter().map(wake).collect()
            })
        })
        .await
    }

    pub(crate) async fn earliest(&self, shard: u32) -> Result<Option<Timestamp>, Failure> {
        self.read(shard, |session, shard| {
            Box::pin(async move {
                let sql = "SELECT min(due_at) FROM wake WHERE shard = $1";
                let row = session.row(sqlx::query(sql).bind(number(*shard))).await?;
                row.map_or(Ok(None), |row| row.maybe_instant(0))
            })
        })
        .await
    }
}

/// Writes those that changed; the account's row remembers what stands in the table.
pub(crate) async fn write(
    session: &mut Session,
    shard: u32,
    wakes: &[WakeWrite],
) -> Result<(), Failure> {
    if wakes.is_empty() {
        return Ok(());
    }
    let last: BTreeMap<&str, Option<i64>> = wakes
        .iter()
        .map(|wake| (wake.account.as_str(), wake.due_at.map(nanos)))
        .collect();
    let (names, dues): (Vec<_>, Vec<_>) = last
        .into_iter()
        .map(|(name, due)| (word(name), due))
        .unzip();
    let query = sqlx::query(CHANGE)
        .bind(number(shard))
        .bind(names)
        .bind(dues);
    session.execute(query).await?;
    Ok(())
}
