//! Erasing a person, table by table.

use super::rows::{Columns, place, signed};
use super::tx::Ending;
use super::{Session, Sqlite, chain};
use crate::erase::ERASED;
use crate::{Erased, Erasure, Failure, Rewrite};
use model::{Channel, Outgoing};

/// Rows looked at with one statement.
const PAGE: i64 = 500;

impl Sqlite {
    pub(crate) async fn erase(&self, erasure: Erasure) -> Result<Erased, Failure> {
        self.write(move |session| {
            Box::pin(async move {
                let erased = Erased {
                    facts: facts(session, &erasure).await?,
                    messages: 0,
                    captured: 0,
                    records: records(session, &erasure).await?,
                    tasks: tasks(session, &erasure).await?,
                    parked: parked(session, &erasure).await?,
                    notes: notes(session, &erasure).await?,
                };
                let (messages, captured) = messages(session, &erasure).await?;
                Ok(Ending::Commit(Erased {
                    messages,
                    captured,
                    ..erased
                }))
            })
        })
        .await
    }

    pub(crate) async fn rewrite(&self, rewrite: Rewrite) -> Result<bool, Failure> {
        self.write(move |session| {
            Box::pin(async move {
                let sql = "UPDATE shard SET commits = commits + 1 WHERE id = ? AND commits = ?";
                let query = sqlx::query(sql)
                    .bind(i64::from(rewrite.shard))
                    .bind(signed(rewrite.commits));
                if session.execute(query).await? == 0 {
                    return Ok(Ending::Rollback(false));
                }
                let sql = "UPDATE account SET head = ? WHERE shard = ? AND account = ?";
                let query = sqlx::query(sql)
                    .bind(&*rewrite.head)
                    .bind(i64::from(rewrite.shard))
                    .bind(rewrite.account.as_str());
                session.execute(query).await?;
                super::heads::write_parts(session, i64::from(rewrite.shard), &rewrite.parts)
                    .await?;
                Ok(Ending::Commit(true))
            })
        })
        .await
    }

    pub(crate) async fn compact(&self) -> Result<bool, Failure> {
        let work = self
            .inner
            .writer
            .run(|connection| Box::pin(connection.compact()));
        work.await?
    }
}

/// Positions and what lies around them stay; what a fact says of the person goes.
async fn facts(session: &mut Session, erasure: &Erasure) -> Result<u64, Failure> {
    let mut changed = 0;
    for (position, json) in &erasure.facts {
        let query = sqlx::query("UPDATE fact SET event = ? WHERE place = ?")
            .bind(&**json)
            .bind(place(erasure.shard, *position));
        changed += session.execute(query).await?;
    }
    Ok(changed)
}

/// Messages of the account, with what was kept of them; those to the person that still wait leave no more.
async fn messages(session: &mut Session, erasure: &Erasure) -> Result<(u64, u64), Failure> {
    let (mut messages, mut captured, mut after) = (0, 0, 0);
    loop {
        let sql = "SELECT o.id, o.message, o.outgoing, d.detail FROM outbox o JOIN delivery d ON d.id = o.id \
            WHERE o.account = ? AND o.id > ? ORDER BY o.id LIMIT ?";
        let query = sqlx::query(sql)
            .bind(erasure.account.as_str())
            .bind(after)
            .bind(PAGE);
        let rows = session.rows(query).await?;
        if rows.is_empty() {
            return Ok((messages, captured));
        }
        for row in &rows {
            after = row.long(0)?;
            let (message, outgoing) = (row.text(1)?, row.text(2)?);
            details(session, erasure, after, &row.text(3)?).await?;
            let is_to_them = is_to_them(erasure, &outgoing);
            let cleaned = erasure.scrub.json(&outgoing);
            if is_to_them {
                let sql = "UPDATE delivery SET state = 'withdrawn' WHERE id = ? AND state IN ('queued', 'deferred')";
                session.execute(sqlx::query(sql).bind(after)).await?;
            }
            if let Some(cleaned) = &cleaned {
                let query = sqlx::query("UPDATE outbox SET outgoing = ? WHERE id = ?");
                messages += session.execute(query.bind(&**cleaned).bind(after)).await?;
            }
            if is_to_them || cleaned.is_some() {
                let sql =
                    "UPDATE captured SET whom = ?1, subject = ?1, body = x'' WHERE message = ?2";
                let query = sqlx::query(sql).bind(ERASED).bind(&*message);
                captured += session.execute(query).await?;
            }
        }
    }
}

fn is_to_them(erasure: &Erasure, outgoing: &str) -> bool {
    serde_json::from_str::<Outgoing>(outgoing).is_ok_and(|outgoing| match outgoing.channel {
        Channel::Email { contact, .. } => contact == erasure.contact,
        Channel::Route { .. } | Channel::Webhook { .. } => false,
    })
}

/// What servers answered often quotes the address.
async fn details(
    session: &mut Session,
    erasure: &Erasure,
    delivery: i64,
    detail: &str,
) -> Result<(), Failure> {
    if erasure.scrub.is_theirs(detail) {
        let query = sqlx::query("UPDATE delivery SET detail = ? WHERE id = ?");
        session.execute(query.bind(ERASED).bind(delivery)).await?;
    }
    let sql = "SELECT n, detail FROM attempt WHERE delivery = ?";
    for row in session.rows(sqlx::query(sql).bind(delivery)).await? {
        if erasure.scrub.is_theirs(&row.text(1)?) {
            let sql = "UPDATE attempt SET detail = ? WHERE delivery = ? AND n = ?";
            let query = sqlx::query(sql)
                .bind(ERASED)
                .bind(delivery)
                .bind(row.long(0)?);
            session.execute(query).await?;
        }
    }
    Ok(())
}

/// Records keep their hashes, and the chain vouches for what they say now.
async fn records(session: &mut Session, erasure: &Erasure) -> Result<u64, Failure> {
    let (mut changed, mut after) = (0, 0);
    loop {
        let sql = "SELECT j.place, j.record, j.hash FROM journal j JOIN account a ON a.id = j.account \
            WHERE a.shard = ? AND a.account = ? AND j.place > ? ORDER BY j.place LIMIT ?";
        let query = sqlx::query(sql)
            .bind(i64::from(erasure.shard))
            .bind(erasure.account.as_str())
            .bind(after)
            .bind(PAGE);
        let rows = session.rows(query).await?;
        if rows.is_empty() {
            return Ok(changed);
        }
        for row in &rows {
            after = row.long(0)?;
            let Some(cleaned) = erasure.scrub.json(&row.text(1)?) else {
                continue;
            };
            let vouched = chain::vouch(after, &row.text(2)?, &cleaned);
            let query = sqlx::query("UPDATE journal SET record = ?, erased = ? WHERE place = ?")
                .bind(&*cleaned)
                .bind(&*vouched)
                .bind(after);
            changed += session.execute(query).await?;
        }
    }
}

async fn tasks(session: &mut Session, erasure: &Erasure) -> Result<u64, Failure> {
    let sql = "SELECT task, change FROM task WHERE account = ?";
    let query = sqlx::query(sql).bind(erasure.account.as_str());
    let mut changed = 0;
    for row in session.rows(query).await? {
        if let Some(cleaned) = erasure.scrub.json(&row.text(1)?) {
            let query = sqlx::query("UPDATE task SET change = ? WHERE task = ?")
                .bind(&*cleaned)
                .bind(&*row.text(0)?);
            changed += session.execute(query).await?;
        }
    }
    Ok(changed)
}

/// Facts put aside may be of no account, or not readable at all.
async fn parked(session: &mut Session, erasure: &Erasure) -> Result<u64, Failure> {
    let (mut changed, mut after) = (0, 0);
    loop {
        let sql = "SELECT id, event, message FROM parked WHERE id > ? ORDER BY id LIMIT ?";
        let rows = session
            .rows(sqlx::query(sql).bind(after).bind(PAGE))
            .await?;
        if rows.is_empty() {
            return Ok(changed);
        }
        for row in &rows {
            after = row.long(0)?;
            let (event, message) = (row.text(1)?, row.text(2)?);
            let cleaned = (erasure.scrub.json(&event), erasure.scrub.text(&message));
            if cleaned == (None, None) {
                continue;
            }
            let query = sqlx::query("UPDATE parked SET event = ?, message = ? WHERE id = ?")
                .bind(cleaned.0.unwrap_or_else(|| event.into()))
                .bind(cleaned.1.unwrap_or_else(|| message.into()))
                .bind(after);
            changed += session.execute(query).await?;
        }
    }
}

/// Samples of what was not taken, notes, names of files and proofs of consent.
async fn notes(session: &mut Session, erasure: &Erasure) -> Result<u64, Failure> {
    let mut changed = 0;
    let sql = "SELECT code, name, sample FROM reject";
    for row in session.rows(sqlx::query(sql)).await? {
        let sample = row.text(2)?;
        if erasure.scrub.is_theirs(&sample) || erasure.scrub.is_beginning(&sample) {
            let query = sqlx::query("UPDATE reject SET sample = '' WHERE code = ? AND name = ?")
                .bind(&*row.text(0)?)
                .bind(&*row.text(1)?);
            changed += session.execute(query).await?;
        }
    }
    for (read, write) in [
        (
            "SELECT hash, name FROM import_file",
            "UPDATE import_file SET name = ? WHERE hash = ?",
        ),
        (
            "SELECT id, detail FROM answer",
            "UPDATE answer SET detail = ? WHERE id = ?",
        ),
        (
            "SELECT name, note FROM switch",
            "UPDATE switch SET note = ? WHERE name = ?",
        ),
    ] {
        for row in session.rows(sqlx::query(read)).await? {
            if erasure.scrub.is_theirs(&row.text(1)?) {
                let query = sqlx::query(write).bind(ERASED).bind(&*row.text(0)?);
                changed += session.execute(query).await?;
            }
        }
    }
    for (read, write) in [
        (
            "SELECT id, who FROM consent",
            "UPDATE consent SET who = ? WHERE id = ?",
        ),
        (
            "SELECT id, how FROM consent",
            "UPDATE consent SET how = ? WHERE id = ?",
        ),
        (
            "SELECT id, wording FROM consent",
            "UPDATE consent SET wording = ? WHERE id = ?",
        ),
        (
            "SELECT id, proof FROM suppression",
            "UPDATE suppression SET proof = ? WHERE id = ?",
        ),
    ] {
        for row in session.rows(sqlx::query(read)).await? {
            if erasure.scrub.is_theirs(&row.text(1)?) {
                let query = sqlx::query(write).bind(ERASED).bind(row.long(0)?);
                changed += session.execute(query).await?;
            }
        }
    }
    Ok(changed)
}
