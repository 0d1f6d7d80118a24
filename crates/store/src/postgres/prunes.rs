//! Removing what is no longer kept. The shard's row is held, as for a commit.

use super::rows::{Columns, last_place, nanos, number, place, position_of, signed};
use super::session::Session;
use super::tx::Ending;
use super::{Postgres, append, caps, leases};
use crate::sqlite::prunes::{Found, MESSAGES_SHARD, Oldest, SETTLED, Walked};
use crate::{Failure, Kept, Prune, PruneError, Pruned};
use jiff::Timestamp;

/// How a kind of rows is read from the oldest on, and removed.
pub(crate) struct Rows {
    pub(crate) oldest: &'static str,
    remove: &'static str,
}

pub(crate) const FACTS: Rows = Rows {
    oldest: "SELECT place, arrived_at, '' FROM fact WHERE place > $1 AND place <= $2 ORDER BY place LIMIT $3",
    remove: "DELETE FROM fact WHERE place > $1 AND place <= $2",
};
pub(crate) const RECORDS: Rows = Rows {
    oldest: "SELECT place, at, hash FROM journal WHERE place > $1 AND place <= $2 ORDER BY place LIMIT $3",
    remove: "DELETE FROM journal WHERE place > $1 AND place <= $2",
};
pub(crate) const COMMITS: Rows = Rows {
    oldest: "SELECT place, now, '' FROM batch WHERE place > $1 AND place <= $2 ORDER BY place LIMIT $3",
    remove: "DELETE FROM batch WHERE place > $1 AND place <= $2",
};
pub(crate) const FATES: Rows = Rows {
    oldest: "SELECT id, at, '' FROM fate WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3",
    remove: "DELETE FROM fate WHERE id > $1 AND id <= $2",
};
/// Fates have no index but their own order, so they go by that.
const FATE: &str = "fates";

/// Messages from a number on, whether each may go, and when it was decided; the newest is never among them.
pub(crate) const MESSAGES: &str = "SELECT d.id, o.message, \
    (d.state = ANY($4) AND d.updated_at < $3)::int::bigint, o.decided_at \
    FROM delivery d JOIN outbox o ON o.id = d.id \
    WHERE d.id > $1 AND d.id < (SELECT max(id) FROM outbox) ORDER BY d.id LIMIT $2";

/// Takes those that may go: they are told again by nobody, but somebody may look at one just now.
pub(crate) const TAKEN: &str =
    "SELECT id FROM delivery WHERE id = ANY($1) AND state = ANY($2) ORDER BY id FOR UPDATE";

/// What goes with messages, by their numbers; in the order in which rows lean on each other.
pub(crate) const OF_MESSAGES: [&str; 4] = [
    "DELETE FROM answer WHERE delivery = ANY($1)",
    "DELETE FROM attempt WHERE delivery = ANY($1)",
    "DELETE FROM delivery WHERE id = ANY($1)",
    "DELETE FROM outbox WHERE id = ANY($1)",
];

impl Postgres {
    pub(crate) async fn prune(&self, kind: Kept, page: Prune) -> Result<Pruned, PruneError> {
        let input = (kind, page);
        let pruning = self
            .inner
            .writer
            .write(Some(page.shard), input, |session, (kind, page)| {
                Box::pin(follow(session, *kind, page))
            });
        pruning.await?
    }

    pub(crate) async fn messages_kept_from(&self) -> Result<Option<Timestamp>, Failure> {
        self.read((), |session, ()| {
            Box::pin(async move {
                let sql = "SELECT kept_from FROM pruned WHERE shard = $1 AND kind = $2";
                let query = sqlx::query(sql)
                    .bind(number(MESSAGES_SHARD))
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
    let from = pruned(session, page.shard, kind.as_str()).await?.0;
    let from = place(page.shard, from);
    let most = place(page.shard, found.most(kind).unwrap_or_default());
    let range = (from, most.min(last_place(page.shard)));
    let Some((last, hash, removed)) = oldest(session, rows, range, page).await? else {
        return Ok(Ending::Rollback(Ok(Pruned::default())));
    };
    let upto = (position_of(last), &*hash);
    note(session, (page, kind.as_str()), upto).await?;
    let after = (removed >= u64::from(page.rows_max)).then(|| position_of(last));
    Ok(Ending::Commit(Ok(Pruned {
        rows: removed,
        after,
    })))
}

/// Takes the shard's row; the epoch is read once it is held.
async fn find(session: &mut Session, shard: u32, kind: Kept) -> Result<Found, Failure> {
    let query = sqlx::query("SELECT id FROM shard WHERE id = $1 FOR UPDATE");
    session.rows(query.bind(number(shard))).await?;
    let sql = "SELECT s.position, e.position, s.journal_end, s.commits, (EXISTS (SELECT 1 FROM shard t \
        WHERE (t.id = s.id OR $2) AND (t.backfill IS NOT NULL OR t.rebased IS DISTINCT FROM t.revision)))::int::bigint \
        FROM shard s JOIN log_end e ON e.shard = s.id WHERE s.id = $1";
    let query = sqlx::query(sql)
        .bind(number(shard))
        .bind(kind == Kept::Messages);
    let row = session.row(query).await?;
    let row = row.ok_or_else(|| append::no_shard(shard))?;
    Found::of(&row, leases::decider(session, shard).await?)
}

/// Removes the oldest rows between two places; the last one, its hash, and how many went.
async fn oldest(
    session: &mut Session,
    rows: &Rows,
    (from, most): (i64, i64),
    page: &Prune,
) -> Result<Option<(i64, Box<str>, u64)>, Failure> {
    let query = sqlx::query(rows.oldest)
        .bind(from)
        .bind(most)
        .bind(i64::from(page.rows_max));
    let found = Oldest::of(&session.rows(query).await?)?;
    let Some((last, _, hash)) = found.last_before(nanos(page.before)) else {
        return Ok(None);
    };
    let query = sqlx::query(rows.remove).bind(from).bind(*last);
    let removed = session.execute(query).await?;
    Ok(Some((*last, hash.clone(), removed)))
}

/// Up to where a kind was removed, and the hash there.
pub(super) async fn pruned(
    session: &mut Session,
    shard: u32,
    kind: &str,
) -> Result<(u64, Box<str>), Failure> {
    let sql = "SELECT upto, hash FROM pruned WHERE shard = $1 AND kind = $2";
    let query = sqlx::query(sql).bind(number(shard)).bind(kind);
    match session.row(query).await? {
        Some(row) => Ok((row.count(0)?, row.text(1)?)),
        None => Ok((0, "".into())),
    }
}

/// Notes how far a kind was removed.
async fn note(
    session: &mut Session,
    (page, kind): (&Prune, &str),
    (upto, hash): (u64, &str),
) -> Result<(), Failure> {
    let sql = "INSERT INTO pruned (shard, kind, upto, hash, kept_from) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (shard, kind) DO UPDATE SET upto = excluded.upto, hash = excluded.hash, \
        kept_from = greatest(pruned.kept_from, excluded.kept_from)";
    let query = sqlx::query(sql)
        .bind(number(page.shard))
        .bind(kind)
        .bind(signed(upto))
        .bind(hash)
        .bind(nanos(page.before));
    session.execute(query).await?;
    Ok(())
}

/// Removes settled messages, and all that is known of them; of what waits or is under way nothing.
async fn messages(session: &mut Session, page: &Prune) -> Result<Pruned, Failure> {
    fates(session, page).await?;
    let query = sqlx::query(MESSAGES)
        .bind(signed(page.after))
        .bind(i64::from(page.rows_max))
        .bind(nanos(page.before))
        .bind(&SETTLED[..]);
    let walked = Walked::of(&session.rows(query).await?, page)?;
    let after = walked.after;
    let query = sqlx::query(TAKEN).bind(walked.ids).bind(&SETTLED[..]);
    let mut ids = Vec::new();
    for row in session.rows(query).await? {
        ids.push(row.long(0)?);
    }
    let Some(last) = ids.last().copied() else {
        return Ok(Pruned { rows: 0, after });
    };
    let query = sqlx::query("DELETE FROM captured WHERE message = ANY($1)");
    session.execute(query.bind(walked.messages)).await?;
    caps::give_back(session, ids.clone()).await?;
    for sql in OF_MESSAGES {
        session.execute(sqlx::query(sql).bind(ids.clone())).await?;
    }
    let upto = (last.cast_unsigned(), "");
    note(session, (page, Kept::Messages.as_str()), upto).await?;
    Ok(Pruned {
        rows: ids.len() as u64,
        after,
    })
}

/// Removes as many of the oldest fates.
async fn fates(session: &mut Session, page: &Prune) -> Result<(), Failure> {
    let from = signed(pruned(session, page.shard, FATE).await?.0);
    let Some((last, _, _)) = oldest(session, &FATES, (from, i64::MAX), page).await? else {
        return Ok(());
    };
    note(session, (page, FATE), (last.cast_unsigned(), "")).await
}
