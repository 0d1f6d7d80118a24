//! The journal's chain: each row carries a hash of itself and of the row before it.

use super::rows::{Columns, last_place, nanos, number, place, word};
use super::session::Session;
use super::{Postgres, append, prunes};
use crate::sqlite::chain::{Head, link, step};
use crate::{ChainError, Failure, JournalWrite, Kept, Verified};

/// Rows followed with one statement.
const PAGE: i64 = 1000;
const ROWS: &str = "INSERT INTO journal (place, at, account, workflow, revision, record, hash) \
    SELECT j.place, j.at, (SELECT id FROM account WHERE shard = $1 AND account.account = j.account), \
        j.workflow, j.revision, j.record, j.hash \
    FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) \
        j (place, at, account, workflow, revision, record, hash)";

/// Appends records and says where the chain ends then.
pub(crate) async fn write(
    session: &mut Session,
    shard: u32,
    head: Head,
    journal: &[JournalWrite],
) -> Result<Head, Failure> {
    let (head, rows) = link(shard, head, journal)?;
    if rows.is_empty() {
        return Ok(head);
    }
    let (mut places, mut instants, mut accounts) = (Vec::new(), Vec::new(), Vec::new());
    let (mut workflows, mut revisions) = (Vec::new(), Vec::new());
    let (mut records, mut hashes) = (Vec::new(), Vec::new());
    for (place, write, record, hash) in rows {
        places.push(place);
        instants.push(nanos(write.at));
        accounts.push(word(write.record.account.as_str()));
        workflows.push(write.record.workflow.as_deref());
        revisions.push(&*write.revision);
        records.push(record);
        hashes.push(hash);
    }
    let query = sqlx::query(ROWS)
        .bind(number(shard))
        .bind(places)
        .bind(instants)
        .bind(accounts)
        .bind(workflows)
        .bind(revisions)
        .bind(records)
        .bind(hashes);
    session.execute(query).await?;
    Ok(head)
}

impl Postgres {
    pub(crate) async fn verify_journal(&self, shard: u32) -> Result<Verified, ChainError> {
        let checked = self.read(shard, |session, shard| {
            Box::pin(async move {
                // One snapshot: the end must belong to the rows.
                let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                session.execute(sqlx::query(sql)).await?;
                let answer = follow(session, *shard).await?;
                session.execute(sqlx::query("ROLLBACK")).await?;
                Ok(answer)
            })
        });
        checked.await?
    }
}

async fn follow(
    session: &mut Session,
    shard: u32,
) -> Result<Result<Verified, ChainError>, Failure> {
    let (removed, hash) = prunes::pruned(session, shard, Kept::Records.as_str()).await?;
    let mut head = Head { end: removed, hash };
    // What stands where rows were removed is nobody's.
    let mut after = place(shard, 0);
    loop {
        let sql = "SELECT place, at, workflow, revision, record, hash, erased FROM journal \
            WHERE place > $1 AND place <= $2 ORDER BY place LIMIT $3";
        let query = sqlx::query(sql)
            .bind(after)
            .bind(last_place(shard))
            .bind(PAGE);
        let rows = session.rows(query).await?;
        for row in &rows {
            match step(shard, &head, row)? {
                Ok(next) => head = next,
                Err(broken) => return Ok(Err(broken)),
            }
        }
        if rows.is_empty() {
            break;
        }
        after = place(shard, head.end);
    }
    let sql = "SELECT journal_end, journal_hash FROM shard WHERE id = $1";
    let row = session.row(sqlx::query(sql).bind(number(shard))).await?;
    let row = row.ok_or_else(|| append::no_shard(shard))?;
    if row.count(0)? > head.end {
        let place = head.end + 1;
        return Ok(Err(ChainError::Missing { shard, place }));
    }
    if row.text(1)? != head.hash {
        let place = head.end;
        return Ok(Err(ChainError::Changed { shard, place }));
    }
    Ok(Ok(Verified {
        removed,
        end: head.end,
    }))
}
