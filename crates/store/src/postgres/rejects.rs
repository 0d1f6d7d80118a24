//! Rejected pieces, counted by shard.

use super::Postgres;
use super::rows::{nanos, number, signed, word};
use super::session::Session;
use crate::sqlite::rejects::{NAMES_MAX, counted, reject_row};
use crate::{Failure, RejectRow};
use jiff::Timestamp;
use model::decision::Rejected;

const KNOWN: &str = "UPDATE reject SET count = reject.count + r.count, last_at = greatest(last_at, $2) \
    FROM unnest($3::text[], $4::text[], $5::bigint[]) r (code, name, count) \
    WHERE reject.shard = $1 AND reject.code = r.code AND reject.name = r.name";
/// As many new names as there is room for.
const NEW: &str = "INSERT INTO reject (shard, code, name, count, sample, first_at, last_at) \
    SELECT $1, r.code, r.name, r.count, r.sample, $2, $2 \
    FROM unnest($3::text[], $4::text[], $5::bigint[], $6::text[]) r (code, name, count, sample) \
    WHERE NOT EXISTS (SELECT 1 FROM reject k \
        WHERE k.shard = $1 AND k.code = r.code AND k.name = r.name) \
    ORDER BY r.code, r.name \
    LIMIT greatest(0, $7 - (SELECT count(*) FROM reject WHERE shard = $1)) ON CONFLICT DO NOTHING";

pub(crate) async fn write(
    session: &mut Session,
    shard: u32,
    rejects: &[Rejected],
    now: Timestamp,
) -> Result<(), Failure> {
    if rejects.is_empty() {
        return Ok(());
    }
    let (mut codes, mut names) = (Vec::new(), Vec::new());
    let (mut counts, mut samples) = (Vec::new(), Vec::new());
    for ((code, name), (count, sample)) in counted(rejects) {
        codes.push(word(code));
        names.push(word(name));
        counts.push(signed(count));
        samples.push(word(sample));
    }
    let query = sqlx::query(KNOWN)
        .bind(number(shard))
        .bind(nanos(now))
        .bind(codes.clone())
        .bind(names.clone())
        .bind(counts.clone());
    let known = session.execute(query).await?;
    if usize::try_from(known).is_ok_and(|known| known == codes.len()) {
        return Ok(());
    }
    let query = sqlx::query(NEW)
        .bind(number(shard))
        .bind(nanos(now))
        .bind(codes)
        .bind(names)
        .bind(counts)
        .bind(samples)
        .bind(NAMES_MAX);
    session.execute(query).await?;
    Ok(())
}

impl Postgres {
    pub(crate) async fn rejects(&self) -> Result<Vec<RejectRow>, Failure> {
        self.read((), |session, ()| {
            Box::pin(async move {
                let sql = "SELECT code, name, sum(count)::bigint, \
                    (array_agg(sample ORDER BY first_at, shard))[1], min(first_at), max(last_at) \
                    FROM reject GROUP BY code, name ORDER BY code, name";
                let rows = session.rows(sqlx::query(sql)).await?;
                rows.iter().map(reject_row).collect()
            })
        })
        .await
    }
}
