//! One row for each commit.

use super::accounts::json;
use super::commits::batch_place;
use super::rows::{Columns, last_place, nanos, position_of, signed};
use super::shards::revision;
use super::{Session, Sqlite};
use crate::{Batch, Commit, Failure};

/// What commits must not be, in both databases' words: written under an older epoch than the one before, or decided from
/// elsewhere than that one ended.
pub(crate) const UNSOUND: [&str; 2] = [
    "SELECT 'commit ' || (b.place % 1099511627776) || ' of shard ' || (b.place / 1099511627776) || ' was written under epoch ' || b.epoch \
        || ', and the one before it under ' || a.epoch FROM batch a JOIN batch b ON b.place = a.place + 1 \
        WHERE b.epoch < a.epoch ORDER BY b.place LIMIT 100",
    "SELECT 'commit ' || (b.place % 1099511627776) || ' of shard ' || (b.place / 1099511627776) || ' decides from position ' || b.position \
        || ', and the one before it ended at ' || a.upto FROM batch a JOIN batch b ON b.place = a.place + 1 \
        WHERE b.position <> a.upto ORDER BY b.place LIMIT 100",
];

pub(crate) async fn write(
    session: &mut Session,
    commit: &Commit,
    commits: u64,
) -> Result<(), Failure> {
    let sql = "INSERT INTO batch (place, position, upto, now, revision, woken, epoch) \
        VALUES (?, ?, ?, ?, ?, ?, ?)";
    let query = sqlx::query(sql)
        .bind(batch_place(commit.shard, commits))
        .bind(signed(commit.from.position))
        .bind(signed(commit.to_position))
        .bind(nanos(commit.now))
        .bind(commit.from.revision.map(|id| i64::from(id.0)))
        .bind(json(&commit.woken))
        .bind(signed(commit.epoch));
    session.execute(query).await?;
    Ok(())
}

impl Sqlite {
    pub(crate) async fn batches(
        &self,
        shard: u32,
        after: u64,
        count_max: u32,
    ) -> Result<Vec<Batch>, Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let sql = "SELECT place, position, upto, now, revision, woken FROM batch \
                    WHERE place > ? AND place <= ? ORDER BY place LIMIT ? + 0";
                let query = sqlx::query(sql)
                    .bind(batch_place(shard, after))
                    .bind(last_place(shard))
                    .bind(count_max);
                let rows = session.rows(query).await?;
                rows.iter().map(batch).collect()
            })
        })
        .await
    }
}

pub(crate) fn batch(row: &impl Columns) -> Result<Batch, Failure> {
    let woken = serde_json::from_str(&row.text(5)?);
    Ok(Batch {
        commits: position_of(row.long(0)?),
        from_position: row.count(1)?,
        to_position: row.count(2)?,
        now: row.instant(3)?,
        revision: revision(row, 4)?,
        woken: woken.map_err(|why| Failure::unreadable("a batch", why))?,
    })
}
