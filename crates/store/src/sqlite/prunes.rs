//! Removing what is no longer kept.

use super::accounts::json;
use super::rows::{Columns, last_place, nanos, place, position_of, signed};
use super::tx::Ending;
use super::{Session, Sqlite, caps, leases};
use crate::{Failure, Kept, Prune, PruneError, Pruned, Role};
use jiff::Timestamp;
use model::teeth;

/// States in which nothing is to be done with a message any more.
pub(crate) const SETTLED: [&str; 7] = [
    "sent",
    "refused",
    "unknown",
    "suppressed",
    "expired",
    "shadow",
    "withdrawn",
];

/// The shard under whose lease messages are removed.
pub(crate) const MESSAGES_SHARD: u32 = 0;

/// How a kind of rows is read from the oldest on, and removed.
struct Rows {
    oldest: &'static str,
    remove: &'static str,
}

const FACTS: Rows = Rows {
    oldest: "SELECT place, arrived_at, '' FROM fact WHERE place > ? AND place <= ? ORDER BY place LIMIT ?",
    remove: "DELETE FROM fact WHERE place > ? AND place <= ?",
};
const RECORDS: Rows = Rows {
    oldest: "SELECT place, at, hash FROM journal WHERE place > ? AND place <= ? ORDER BY place LIMIT ?",
    remove: "DELETE FROM journal WHERE place > ? AND place <= ?",
};
const COMMITS: Rows = Rows {
    oldest: "SELECT place, now, '' FROM batch WHERE place > ? AND place <= ? ORDER BY place LIMIT ?",
    remove: "DELETE FROM batch WHERE place > ? AND place <= ?",
};

/// Messages from a number on, whether each may go, and when it was decided; the newest is never among them.
pub(crate) const MESSAGES: &str = "SELECT d.id, o.message, \
    d.state IN (SELECT value FROM json_each(?4)) AND d.updated_at < ?3, o.decided_at \
    FROM delivery d JOIN outbox o ON o.id = d.id \
    WHERE d.id > ?1 AND d.id < (SELECT max(id) FROM outbox) ORDER BY d.id LIMIT ?2";

/// What goes with messages, by their numbers; in the order in which rows lean on each other.
pub(crate) const OF_MESSAGES: [&str; 5] = [
    "DELETE FROM answer WHERE delivery IN (SELECT value FROM json_each(?))",
    "DELETE FROM fate WHERE delivery IN (SELECT value FROM json_each(?))",
    "DELETE FROM attempt WHERE delivery IN (SELECT value FROM json_each(?))",
    "DELETE FROM delivery WHERE id IN (SELECT value FROM json_each(?))",
    "DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?))",
];

/// A shard's row as a page finds it.
pub(crate) struct Found {
    pub(crate) epoch: u64,
    /// How far each kind may go: the newest row of it stays.
    pub(crate) facts_max: u64,
    pub(crate) records_max: u64,
    pub(crate) commits_max: u64,
    /// Whether a text is taking effect, here or, where that counts, in any shard.
    pub(crate) is_taking_effect: bool,
}

impl Found {
    /// What is decided goes, but for the log's last fact; of the rest all but the last.
    pub(crate) fn of(row: &impl Columns, epoch: u64) -> Result<Self, Failure> {
        let (position, log_end) = (row.count(0)?, row.count(1)?);
        // A negative control: anybody removes, also what is not decided, and while a text takes effect.
        if teeth::is_out("keep") {
            return Ok(Self {
                epoch: 0,
                facts_max: log_end,
                records_max: row.count(2)?,
                commits_max: row.count(3)?,
                is_taking_effect: false,
            });
        }
        Ok(Self {
            epoch,
            facts_max: position.min(log_end.saturating_sub(1)),
            records_max: row.count(2)?.saturating_sub(1),
            commits_max: row.count(3)?.saturating_sub(1),
            is_taking_effect: row.count(4)? > 0,
        })
    }

    /// The last position of a kind that may go; none: the kind has no positions.
    pub(crate) fn most(&self, kind: Kept) -> Option<u64> {
        match kind {
            Kept::Facts => Some(self.facts_max),
            Kept::Records => Some(self.records_max),
            Kept::Commits => Some(self.commits_max),
            Kept::Messages => None,
        }
    }

    /// Why nothing may go, or that nothing may go now.
    pub(crate) fn refuse(&self, page: &Prune) -> Option<Result<Pruned, PruneError>> {
        if self.epoch != page.epoch && !teeth::is_out("keep") {
            return Some(Err(PruneError::Fenced {
                shard: page.shard,
                epoch: self.epoch,
            }));
        }
        self.is_taking_effect.then(|| Ok(Pruned::default()))
    }
}

/// The oldest rows of a page, each with its place, its instant and its hash.
pub(crate) struct Oldest(Vec<(i64, i64, Box<str>)>);

impl Oldest {
    pub(crate) fn of(rows: &[impl Columns]) -> Result<Self, Failure> {
        let rows = rows.iter();
        let rows = rows.map(|row| Ok((row.long(0)?, row.long(1)?, row.text(2)?)));
        Ok(Self(rows.collect::<Result<_, Failure>>()?))
    }

    /// The last one of those that are older without a younger one before them.
    pub(crate) fn last_before(&self, before: i64) -> Option<&(i64, i64, Box<str>)> {
        self.0.iter().take_while(|(_, at, _)| *at < before).last()
    }

    /// What a page came to: there may be more of it where all that was looked at went.
    pub(crate) fn came_to(&self, last: i64, (removed, rows_max): (u64, u32)) -> Pruned {
        Pruned {
            rows: removed,
            after: (removed >= u64::from(rows_max)).then(|| position_of(last)),
        }
    }
}

/// The messages of a page, as far as they were decided before an instant.
pub(crate) struct Walked {
    /// Those that may go.
    pub(crate) ids: Vec<i64>,
    pub(crate) messages: Vec<Box<str>>,
    /// Where the next page begins.
    pub(crate) after: Option<u64>,
}

impl Walked {
    pub(crate) fn of(rows: &[impl Columns], page: &Prune) -> Result<Self, Failure> {
        let mut walked = Self {
            ids: Vec::new(),
            messages: Vec::new(),
            after: None,
        };
        for row in rows {
            if row.long(3)? >= nanos(page.before) {
                walked.after = None;
                return Ok(walked);
            }
            if row.long(2)? != 0 {
                walked.ids.push(row.long(0)?);
                walked.messages.push(row.text(1)?);
            }
            walked.after = Some(row.count(0)?);
        }
        let is_last = rows.len() < usize::try_from(page.rows_max).unwrap_or(usize::MAX);
        walked.after = walked.after.filter(|_| !is_last);
        Ok(walked)
    }
}

impl Sqlite {
    pub(crate) async fn prune(&self, kind: Kept, page: Prune) -> Result<Pruned, PruneError> {
        let pruning =
            self.write(move |session| Box::pin(async move { follow(session, kind, &page).await }));
        pruning.await?
    }

    pub(crate) async fn messages_kept_from(&self) -> Result<Option<Timestamp>, Failure> {
        self.read(|session| {
            Box::pin(async move {
                let sql = "SELECT kept_from FROM pruned WHERE shard = ? AND kind = ?";
                let query = sqlx::query(sql)
                    .bind(i64::from(MESSAGES_SHARD))
                    .bind(Kept::Messages.as_str());
                let row = session.row(query).await?;
                row.map(|row| row.instant(0)).transpose()
            })
        })
        .await
    }
}

async fn follow(
    session: &mut Session,
    kind: Kept,
    page: &Prune,
) -> Result<Ending<Result<Pruned, PruneError>>, Failure> {
    let found = find(session, page.shard, kind).await?;
    if let Some(refusal) = found.refuse(page) {
        return Ok(Ending::Rollback(refusal));
    }
    let rows = match kind {
        Kept::Facts => &FACTS,
        Kept::Records => &RECORDS,
        Kept::Commits => &COMMITS,
        Kept::Messages => return Ok(Ending::Commit(Ok(messages(session, page).await?))),
    };
    let most = found.most(kind).unwrap_or_default();
    let pruned = oldest(session, (kind, rows), most, page).await?;
    Ok(Ending::Commit(Ok(pruned)))
}

async fn find(session: &mut Session, shard: u32, kind: Kept) -> Result<Found, Failure> {
    let sql = "SELECT s.position, e.position, s.journal_end, s.commits, EXISTS (SELECT 1 FROM shard t \
        WHERE (t.id = s.id OR ?2) AND (t.backfill IS NOT NULL OR t.rebased IS NOT t.revision)) \
        FROM shard s JOIN log_end e ON e.shard = s.id WHERE s.id = ?1";
    let query = sqlx::query(sql)
        .bind(i64::from(shard))
        .bind(kind == Kept::Messages);
    let row = session.row(query).await?;
    let row = row.ok_or_else(|| Failure::Database(format!("there is no shard {shard}").into()))?;
    Found::of(&row, leases::epoch(session, shard, Role::Decide).await?)
}

/// Removes the oldest rows of a kind, and notes how far.
async fn oldest(
    session: &mut Session,
    (kind, rows): (Kept, &Rows),
    most: u64,
    page: &Prune,
) -> Result<Pruned, Failure> {
    let from = place(page.shard, start(session, page.shard, kind).await?);
    let query = sqlx::query(rows.oldest)
        .bind(from)
        .bind(place(page.shard, most).min(last_place(page.shard)))
        .bind(page.rows_max);
    let found = Oldest::of(&session.rows(query).await?)?;
    let Some((last, _, hash)) = found.last_before(nanos(page.before)) else {
        return Ok(Pruned::default());
    };
    let query = sqlx::query(rows.remove).bind(from).bind(*last);
    let removed = session.execute(query).await?;
    note(session, (page, kind), position_of(*last), hash).await?;
    Ok(found.came_to(*last, (removed, page.rows_max)))
}

/// Up to where a kind was removed.
async fn start(session: &mut Session, shard: u32, kind: Kept) -> Result<u64, Failure> {
    Ok(pruned(session, shard, kind).await?.0)
}

/// Up to where a kind was removed, and the hash there.
pub(super) async fn pruned(
    session: &mut Session,
    shard: u32,
    kind: Kept,
) -> Result<(u64, Box<str>), Failure> {
    let sql = "SELECT upto, hash FROM pruned WHERE shard = ? AND kind = ?";
    let query = sqlx::query(sql).bind(i64::from(shard)).bind(kind.as_str());
    match session.row(query).await? {
        Some(row) => Ok((row.count(0)?, row.text(1)?)),
        None => Ok((0, "".into())),
    }
}

/// Notes how far a kind was removed.
async fn note(
    session: &mut Session,
    (page, kind): (&Prune, Kept),
    upto: u64,
    hash: &str,
) -> Result<(), Failure> {
    let sql = "INSERT INTO pruned (shard, kind, upto, hash, kept_from) VALUES (?, ?, ?, ?, ?) \
        ON CONFLICT (shard, kind) DO UPDATE SET upto = excluded.upto, hash = excluded.hash, \
        kept_from = max(kept_from, excluded.kept_from)";
    let query = sqlx::query(sql)
        .bind(i64::from(page.shard))
        .bind(kind.as_str())
        .bind(signed(upto))
        .bind(hash)
        .bind(nanos(page.before));
    session.execute(query).await?;
    Ok(())
}

/// Removes settled messages, and all that is known of them; of what waits or is under way nothing.
async fn messages(session: &mut Session, page: &Prune) -> Result<Pruned, Failure> {
    let query = sqlx::query(MESSAGES)
        .bind(signed(page.after))
        .bind(page.rows_max)
        .bind(nanos(page.before))
        .bind(json(&SETTLED));
    let walked = Walked::of(&session.rows(query).await?, page)?;
    let Some(last) = walked.ids.last() else {
        let after = walked.after;
        return Ok(Pruned { rows: 0, after });
    };
    let sql = "DELETE FROM captured WHERE message IN (SELECT value FROM json_each(?))";
    let query = sqlx::query(sql).bind(json(&walked.messages));
    session.execute(query).await?;
    caps::give_back(session, &walked.ids).await?;
    for sql in OF_MESSAGES {
        let query = sqlx::query(sql).bind(json(&walked.ids));
        session.execute(query).await?;
    }
    note(session, (page, Kept::Messages), last.cast_unsigned(), "").await?;
    Ok(Pruned {
        rows: walked.ids.len() as u64,
        after: walked.after,
    })
}
