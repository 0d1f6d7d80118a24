//! One row for each commit.

use super::Postgres;
use super::rows::{last_place, nanos, place, signed};
use super::session::Session;
use crate::sqlite::accounts::json;
use crate::sqlite::batches::batch;
use crate::{Batch, Commit, Failure};

pub(crate) async fn write(
    session: &mut Session,
    commit: &Commit,
    commits: u64,
) -> Result<(), Failure> {
    let sql = "INSERT INTO batch (place, position, upto, now, revision, woken, epoch) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let query = sqlx::query(sql)
        .bind(place(commit.shard, commits))
        .bind(signed(commit.from.position))
        .bind(signed(commit.to_position))
        .bind(nanos(commit.now))
        .bind(commit.from.revision.map(|id| i64::from(id.0)))
        .bind(json(&commit.woken))
        .bind(signed(commit.epoch));
    session.execute(query).await?;
    Ok(())
}

impl Postgres {
    pub(crate) async fn batches(
        &self,
        shard: u32,
        after: u64,
        count_max: u32,
    ) -> Result<Vec<Batch>, Failure> {
        let input = (shard, after, count_max);
        self.read(input, |session, &(shard, after, count_max)| {
            Box::pin(async move {
                let sql = "SELECT place, position, upto, now, revision, woken FROM batch \
                    WHERE place > $1 AND place <= $2 ORDER BY place LIMIT $3";
                let query = sqlx::query(sql)
                    .bind(place(shard, after))
                    .bind(last_place(shard))
                    .bind(i64::from(count_max));
                let rows = session.rows(query).await?;
                rows.iter().map(batch).collect()
            })
        })
        .await
    }
}
