//! Wake-ups: a narrow table, written only where an account's earliest one changed.

use super::accounts::json;
use super::rows::{Columns, nanos};
use super::{Session, Sqlite};
use crate::{Failure, Wake, WakeMark, WakeWrite};
use jiff::Timestamp;
use model::AccountId;

/// Takes away, inserts, and notes at the account what changed; each finds its rows by key.
pub(crate) const CHANGES: [&str; 3] = [
    "DELETE FROM wake WHERE (shard, due_at, account) IN ( \
        SELECT a.shard, a.due_at, a.id FROM json_each(?2) j \
        CROSS JOIN account a ON a.shard = ?1 AND a.account = j.value ->> 0 \
        WHERE a.due_at IS NOT NULL AND a.due_at IS NOT j.value ->> 1)",
    "INSERT INTO wake (shard, due_at, account) \
        SELECT a.shard, j.value ->> 1, a.id FROM json_each(?2) j \
        CROSS JOIN account a ON a.shard = ?1 AND a.account = j.value ->> 0 \
        WHERE j.value ->> 1 IS NOT NULL AND a.due_at IS NOT j.value ->> 1",
    "WITH want AS MATERIALIZED (SELECT a.id, j.value ->> 1 AS due_at FROM json_each(?2) j \
        CROSS JOIN account a ON a.shard = ?1 AND a.account = j.value ->> 0 \
        WHERE a.due_at IS NOT j.value ->> 1) \
        UPDATE account SET due_at = want.due_at FROM want WHERE account.id = want.id",
];
/// A page of what is due.
pub(crate) const DUE: &str = "SELECT w.due_at, w.account, a.account \
    FROM wake w JOIN account a ON a.id = w.account \
    WHERE w.shard = ? AND (w.due_at, w.account) > (?, ?) AND w.due_at <= ? \
    ORDER BY w.due_at, w.account LIMIT ? + 0";

impl Sqlite {
    pub(crate) async fn due(
        &self,
        shard: u32,
        until: Timestamp,
        after: Option<WakeMark>,
        count_max: u32,
    ) -> Result<Vec<Wake>, Failure> {
        let (from, key) = after.map_or((i64::MIN, i64::MIN), |mark| (nanos(mark.due_at), mark.key));
        self.read(move |session| {
            Box::pin(async move {
                let query = sqlx::query(DUE)
                    .bind(i64::from(shard))
                    .bind(from)
                    .bind(key)
                    .bind(nanos(until))
                    .bind(count_max);
                let rows = session.rows(query).await?;
                rows.iter().map(wake).collect()
            })
        })
        .await
    }

    pub(crate) async fn earliest(&self, shard: u32) -> Result<Option<Timestamp>, Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let sql = "SELECT min(due_at) FROM wake WHERE shard = ?";
                let row = session.row(sqlx::query(sql).bind(i64::from(shard))).await?;
                row.map_or(Ok(None), |row| row.maybe_instant(0))
            })
        })
        .await
    }
}

pub(crate) fn wake(row: &impl Columns) -> Result<Wake, Failure> {
    let due_at = row.instant(0)?;
    Ok(Wake {
        due_at,
        account: AccountId::new(row.text(2)?),
        mark: WakeMark {
            due_at,
            key: row.long(1)?,
        },
    })
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
    let pairs: Vec<(&str, Option<i64>)> = wakes
        .iter()
        .map(|wake| (wake.account.as_str(), wake.due_at.map(nanos)))
        .collect();
    let pairs = json(&pairs);
    for sql in CHANGES {
        let query = sqlx::query(sql).bind(i64::from(shard)).bind(&*pairs);
        session.execute(query).await?;
    }
    Ok(())
}
