//! Erasing a person, table by table.

use super::Postgres;
use super::rows::{Columns, number, place, signed};
use super::session::Session;
use super::tx::Ending;
use crate::erase::ERASED;
use crate::sqlite::chain::vouch;
use crate::{Erased, Erasure, Failure, Rewrite};
use model::{Channel, Outgoing};
use std::time::Duration;

/// How long writing a table anew may take.
const COMPACT_MAX: Duration = Duration::from_secs(6 * 3600);
/// Rows looked at with one statement.
const PAGE: i64 = 500;

/// Tables in which something of a person may have stood.
const TABLES: [&str; 16] = [
    "VACUUM (FULL) fact",
    "VACUUM (FULL) account",
    "VACUUM (FULL) account_part",
    "VACUUM (FULL) journal",
    "VACUUM (FULL) task",
    "VACUUM (FULL) parked",
    "VACUUM (FULL) reject",
    "VACUUM (FULL) outbox",
    "VACUUM (FULL) delivery",
    "VACUUM (FULL) attempt",
    "VACUUM (FULL) captured",
    "VACUUM (FULL) answer",
    "VACUUM (FULL) consent",
    "VACUUM (FULL) suppression",
    "VACUUM (FULL) import_file",
    "VACUUM (FULL) switch",
];

impl Postgres {
    pub(crate) async fn erase(&self, erasure: Erasure) -> Result<Erased, Failure> {
        self.write(erasure, |session, erasure| {
            Box::pin(erase(session, erasure))
        })
        .await
    }

    pub(crate) async fn rewrite(&self, rewrite: Rewrite) -> Result<bool, Failure> {
        self.write(rewrite, |session, rewrite| {
            Box::pin(async move {
                let sql = "UPDATE shard SET commits = commits + 1 WHERE id = $1 AND commits = $2";
                let query = sqlx::query(sql)
                    .bind(number(rewrite.shard))
                    .bind(signed(rewrite.commits));
                if session.execute(query).await? == 0 {
                    return Ok(Ending::Rollback(false));
                }
                let sql = "UPDATE account SET head = $1 WHERE shard = $2 AND account = $3";
                let query = sqlx::query(sql)
                    .bind(&*rewrite.head)
                    .bind(number(rewrite.shard))
                    .bind(rewrite.account.as_str());
                session.execute(query).await?;
                super::heads::write_parts(session, rewrite.shard, &rewrite.parts).await?;
                Ok(Ending::Commit(true))
            })
        })
        .await
    }

    /// Writes each table anew; while one is written, it waits for nobody longer than its lock may take.
    pub(crate) async fn compact(&self) -> Result<bool, Failure> {
        let setup = self.inner.setup.patient();
        let compacting = tokio::spawn(async move {
            let mut session = Session::open(&setup).await?.patient(COMPACT_MAX);
            let done = compact(&mut session).await;
            session.cut().await;
            done
        });
        match compacting.await {
            Ok(Err(Failure::Busy)) => Ok(false),
            Ok(done) => done.map(|()| true),
            Err(_) => Err(Failure::Closed),
        }
    }
}

async fn compact(session: &mut Session) -> Result<(), Failure> {
    for sql in TABLES {
        session.execute(sqlx::query(sql)).await?;
    }
    Ok(())
}

async fn erase(session: &mut Session, erasure: &Erasure) -> Result<Ending<Erased>, Failure> {
    let erased = Erased {
        facts: facts(session, erasure).await?,
        messages: 0,
        captured: 0,
        records: records(session, erasure).await?,
        tasks: tasks(session, erasure).await?,
        parked: parked(session, erasure).await?,
        notes: notes(session, erasure).await?,
    };
    let (messages, captured) = messages(session, erasure).await?;
    Ok(Ending::Commit(Erased {
        messages,
        captured,
        ..erased
    }))
}

/// Positions and what lies around them stay; what a fact says of the person goes.
async fn facts(session: &mut Session, erasure: &Erasure) -> Result<u64, Failure> {
    let mut changed = 0;
    for (position, json) in &erasure.facts {
        let query = sqlx::query("UPDATE fact SET event = $1 WHERE place = $2")
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
            WHERE o.account = $1 AND o.id > $2 ORDER BY o.id LIMIT $3";
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
                let sql = "UPDATE delivery SET state = 'withdrawn' WHERE id = $1 AND state IN ('queued', 'deferred')";
                session.execute(sqlx::query(sql).bind(after)).await?;
            }
            if let Some(cleaned) = &cleaned {
                let query = sqlx::query("UPDATE outbox SET outgoing = $1 WHERE id = $2");
                messages += session.execute(query.bind(&**cleaned).bind(after)).await?;
            }
            if is_to_them || cleaned.is_some() {
                let sql = "UPDATE captured SET whom = $1, subject = $1, body = ''::bytea WHERE message = $2";
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
        let query = sqlx::query("UPDATE delivery SET detail = $1 WHERE id = $2");
        session.execute(query.bind(ERASED).bind(delivery)).await?;
    }
    let sql = "SELECT n, detail FROM attempt WHERE delivery = $1";
    for row in session.rows(sqlx::query(sql).bind(delivery)).await? {
        if erasure.scrub.is_theirs(&row.text(1)?) {
            let sql = "UPDATE attempt SET detail = $1 WHERE delivery = $2 AND n = $3";
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
            WHERE a.shard = $1 AND a.account = $2 AND j.place > $3 ORDER BY j.place LIMIT $4";
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
            let vouched = vouch(after, &row.text(2)?, &cleaned);
            let query = sqlx::query("UPDATE journal SET record = $1, erased = $2 WHERE place = $3")
                .bind(&*cleaned)
                .bind(&*vouched)
                .bind(after);
            changed += session.execute(query).await?;
        }
    }
}

async fn tasks(session: &mut Session, erasure: &Erasure) -> Result<u64, Failure> {
    let sql = "SELECT task, change FROM task WHERE account = $1";
    let query = sqlx::query(sql).bind(erasure.account.as_str());
    let mut changed = 0;
    for row in session.rows(query).await? {
        if let Some(cleaned) = erasure.scrub.json(&row.text(1)?) {
            let query = sqlx::query("UPDATE task SET change = $1 WHERE task = $2")
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
        let sql = "SELECT id, event, message FROM parked WHERE id > $1 ORDER BY id LIMIT $2";
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
            let query = sqlx::query("UPDATE parked SET event = $1, message = $2 WHERE id = $3")
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
            let query = sqlx::query("UPDATE reject SET sample = '' WHERE code = $1 AND name = $2")
                .bind(&*row.text(0)?)
                .bind(&*row.text(1)?);
            changed += session.execute(query).await?;
        }
    }
    for (read, write) in [
        (
            "SELECT hash, name FROM import_file",
            "UPDATE import_file SET name = $1 WHERE hash = $2",
        ),
        (
            "SELECT id, detail FROM answer",
            "UPDATE answer SET detail = $1 WHERE id = $2",
        ),
        (
            "SELECT name, note FROM switch",
            "UPDATE switch SET note = $1 WHERE name = $2",
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
            "UPDATE consent SET who = $1 WHERE id = $2",
        ),
        (
            "SELECT id, how FROM consent",
            "UPDATE consent SET how = $1 WHERE id = $2",
        ),
        (
            "SELECT id, wording FROM consent",
            "UPDATE consent SET wording = $1 WHERE id = $2",
        ),
        (
            "SELECT id, proof FROM suppression",
            "UPDATE suppression SET proof = $1 WHERE id = $2",
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
