//! Rejected pieces, counted.

use super::rows::{Columns, nanos, signed};
use super::{Session, Sqlite};
use crate::{Failure, RejectRow};
use jiff::Timestamp;
use model::decision::Rejected;
use std::collections::BTreeMap;

/// Different names that are kept; who sends ever new ones can't fill the disk with them.
pub(crate) const NAMES_MAX: i64 = 1000;

pub(crate) async fn write(
    session: &mut Session,
    rejects: &[Rejected],
    now: Timestamp,
) -> Result<(), Failure> {
    for ((code, name), (count, sample)) in counted(rejects) {
        let sql = "UPDATE reject SET count = count + ?, last_at = max(last_at, ?) WHERE code = ? AND name = ?";
        let query = sqlx::query(sql)
            .bind(signed(count))
            .bind(nanos(now))
            .bind(code)
            .bind(name);
        if session.execute(query).await? == 0 {
            let sql = "INSERT INTO reject (code, name, count, sample, first_at, last_at) \
                SELECT ?1, ?2, ?3, ?4, ?5, ?5 WHERE (SELECT count(*) FROM reject) < ?6";
            let query = sqlx::query(sql)
                .bind(code)
                .bind(name)
                .bind(signed(count))
                .bind(sample)
                .bind(nanos(now))
                .bind(NAMES_MAX);
            session.execute(query).await?;
        }
    }
    Ok(())
}

/// How often each piece was not taken, with its first sample.
pub(crate) fn counted(rejects: &[Rejected]) -> BTreeMap<(&str, &str), (u64, &str)> {
    let mut counts: BTreeMap<(&str, &str), (u64, &str)> = BTreeMap::new();
    for reject in rejects {
        let entry = counts
            .entry((&reject.code, &reject.name))
            .or_insert((0, &reject.sample));
        entry.0 += 1;
    }
    counts
}

impl Sqlite {
    pub(crate) async fn rejects(&self) -> Result<Vec<RejectRow>, Failure> {
        self.read(|session| {
            Box::pin(async move {
                let sql = "SELECT code, name, count, sample, first_at, last_at FROM reject ORDER BY code, name";
                let rows = session.rows(sqlx::query(sql)).await?;
                rows.iter().map(reject_row).collect()
            })
        })
        .await
    }
}

pub(crate) fn reject_row(row: &impl Columns) -> Result<RejectRow, Failure> {
    Ok(RejectRow {
        code: row.text(0)?,
        name: row.text(1)?,
        count: row.count(2)?,
        sample: row.text(3)?,
        first_at: row.instant(4)?,
        last_at: row.instant(5)?,
    })
}
