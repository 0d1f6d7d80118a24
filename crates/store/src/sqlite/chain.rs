//! The journal's chain: each row carries a hash of itself and of the row before it.

use super::flight::{Flight, Part};
use super::rows::{Columns, last_place, nanos, place, position_of};
use super::{Session, Sqlite, prunes};
use crate::{ChainError, Failure, JournalWrite, Kept, Verified};

/// Rows followed with one statement.
const PAGE: i64 = 1000;

static ROWS: Flight = Flight::new(&[Part::over(
    8,
    "WITH j (place, at, shard, account, workflow, revision, record, hash) AS ({list}) \
    INSERT INTO journal (place, at, account, workflow, revision, record, hash) \
    SELECT j.place, j.at, (SELECT a.id FROM account a WHERE a.shard = j.shard AND a.account = j.account), \
    j.workflow, j.revision, j.record, j.hash FROM j WHERE j.place IS NOT NULL",
)]);

/// The end of a shard's chain.
pub(crate) struct Head {
    pub(crate) end: u64,
    pub(crate) hash: Box<str>,
}

/// What the hash of a row covers.
struct Link<'a> {
    place: i64,
    at: i64,
    workflow: Option<&'a str>,
    revision: &'a str,
    record: &'a str,
}

impl Link<'_> {
    fn hash(&self, before: &str) -> Box<str> {
        let digest = model::id::digest(&[
            before,
            &self.place.to_string(),
            &self.at.to_string(),
            self.workflow.unwrap_or_default(),
            self.revision,
            self.record,
        ]);
        blake3::Hash::from_bytes(digest).to_hex().as_str().into()
    }
}

/// What vouches for a record from which a person was erased: that it was so written, in the place of the one that had
/// that hash.
pub(crate) fn vouch(place: i64, hash: &str, record: &str) -> Box<str> {
    let digest = model::id::digest(&["sottaku erased 1", &place.to_string(), hash, record]);
    blake3::Hash::from_bytes(digest).to_hex().as_str().into()
}

/// A record with its place, its text and its hash.
pub(crate) type Linked<'a> = (i64, &'a JournalWrite, String, Box<str>);

/// Links records to the end of a chain, and says where it ends then.
pub(crate) fn link(
    shard: u32,
    mut head: Head,
    journal: &[JournalWrite],
) -> Result<(Head, Vec<Linked<'_>>), Failure> {
    let mut rows = Vec::with_capacity(journal.len());
    for write in journal {
        let record = serde_json::to_string(&write.record)
            .map_err(|why| Failure::Database(format!("a record is no JSON: {why}").into()))?;
        let link = Link {
            place: place(shard, head.end + 1),
            at: nanos(write.at),
            workflow: write.record.workflow.as_deref(),
            revision: &write.revision,
            record: &record,
        };
        head = Head {
            end: head.end + 1,
            hash: link.hash(&head.hash),
        };
        rows.push((place(shard, head.end), write, record, head.hash.clone()));
    }
    Ok((head, rows))
}

/// Appends records and says where the chain ends then.
pub(crate) async fn write(
    session: &mut Session,
    shard: u32,
    head: Head,
    journal: &[JournalWrite],
) -> Result<Head, Failure> {
    let (head, rows) = link(shard, head, journal)?;
    ROWS.write_all(session, &rows, |(place, write, record, hash)| {
        [
            (*place).into(),
            write.at.into(),
            shard.into(),
            write.record.account.as_str().into(),
            write.record.workflow.as_deref().into(),
            (&*write.revision).into(),
            (&**record).into(),
            (&**hash).into(),
        ]
    })
    .await?;
    Ok(head)
}

impl Sqlite {
    pub(crate) async fn verify_journal(&self, shard: u32) -> Result<Verified, ChainError> {
        let checked = self.read(move |session| {
            Box::pin(async move {
                // One snapshot: the end must belong to the rows.
                session.execute(sqlx::query("BEGIN DEFERRED")).await?;
                let answer = follow(session, shard).await?;
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
    let (removed, hash) = prunes::pruned(session, shard, Kept::Records).await?;
    let mut head = Head { end: removed, hash };
    // What stands where rows were removed is nobody's.
    let mut after = place(shard, 0);
    loop {
        let sql = "SELECT place, at, workflow, revision, record, hash, erased FROM journal \
            WHERE place > ? AND place <= ? ORDER BY place LIMIT ? + 0";
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
    let sql = "SELECT journal_end, journal_hash FROM shard WHERE id = ?";
    let row = session.row(sqlx::query(sql).bind(i64::from(shard))).await?;
    let row = row.ok_or_else(|| Failure::Database(format!("there is no shard {shard}").into()))?;
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

pub(crate) fn step(
    shard: u32,
    head: &Head,
    row: &impl Columns,
) -> Result<Result<Head, ChainError>, Failure> {
    let end = head.end + 1;
    let place = position_of(row.long(0)?);
    if place < end {
        return Ok(Err(ChainError::Changed { shard, place }));
    }
    if place != end {
        return Ok(Err(ChainError::Missing { shard, place: end }));
    }
    let (workflow, revision, record) = (row.maybe_text(2)?, row.text(3)?, row.text(4)?);
    let link = Link {
        place: row.long(0)?,
        at: row.long(1)?,
        workflow: workflow.as_deref(),
        revision: &revision,
        record: &record,
    };
    let written = row.text(5)?;
    if let Some(erased) = row.maybe_text(6)? {
        let is_vouched = erased == vouch(row.long(0)?, &written, &record);
        let next = Head { end, hash: written };
        return Ok(is_vouched
            .then_some(next)
            .ok_or(ChainError::Changed { shard, place: end }));
    }
    let hash = link.hash(&head.hash);
    if hash != written {
        return Ok(Err(ChainError::Changed { shard, place: end }));
    }
    Ok(Ok(Head { end, hash }))
}
