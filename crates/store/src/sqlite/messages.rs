//! Messages into the outbox, each once, with a row for each address; and back out, while they wait.

use super::Session;
use super::accounts::json;
use super::flight::{Flight, Part};
use super::rows::{Columns, nanos};
use crate::{AddressKey, ClockMode, Commit, Failure, OutboxWrite};
use model::DeliveryState;
use std::collections::BTreeSet;

static ADDRESSES: Flight = Flight::new(&[Part::over(
    1,
    "WITH j (key) AS ({list}) INSERT INTO address (key) \
    SELECT j.key FROM j WHERE j.key IS NOT NULL ON CONFLICT DO NOTHING",
)]);

/// Takes back what still waits.
pub(crate) const WITHDRAW: &str = "UPDATE delivery SET state = 'withdrawn', updated_at = ? \
        WHERE state IN ('queued', 'deferred') AND id IN ( \
            SELECT id FROM outbox WHERE message IN (SELECT value FROM json_each(?)))";

/// Writes new messages and takes back withdrawn ones; says how many were new.
pub(crate) async fn write(
    session: &mut Session,
    commit: &Commit,
    clock: ClockMode,
) -> Result<u32, Failure> {
    let all = commit.outbox.iter().flat_map(|write| &write.addresses);
    let keys: BTreeSet<AddressKey> = all.copied().collect();
    let keys: Vec<AddressKey> = keys.into_iter().collect();
    ADDRESSES
        .write_all(session, &keys, |key| [key.0.as_slice().into()])
        .await?;
    let mut queued = 0;
    for write in &commit.outbox {
        if let Some(row) = insert(session, commit, write).await? {
            queue(session, commit, write, (row, clock)).await?;
            queued += 1;
        }
    }
    withdraw(session, commit).await?;
    Ok(queued)
}

/// The row of a new message; none if the message is there already.
async fn insert(
    session: &mut Session,
    commit: &Commit,
    write: &OutboxWrite,
) -> Result<Option<i64>, Failure> {
    let outgoing = serde_json::to_string(&write.outgoing)
        .map_err(|why| Failure::Database(format!("a message is no JSON: {why}").into()))?;
    let addresses: Vec<String> = write.addresses.iter().map(|key| key.hex()).collect();
    let sql = "INSERT INTO outbox (message, shard, account, decided_at, addresses, outgoing, revision, related_until) \
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id";
    let query = sqlx::query(sql)
        .bind(write.outgoing.message.as_str())
        .bind(i64::from(commit.shard))
        .bind(write.outgoing.account.as_str())
        .bind(nanos(commit.now))
        .bind(json(&addresses))
        .bind(outgoing)
        .bind(commit.from.revision.map(|revision| i64::from(revision.0)))
        .bind(write.related_until.map(nanos));
    let rows = session.rows(query).await?;
    rows.first().map(|row| row.long(0)).transpose()
}

/// Under the log clock a message is ready at once and never expires.
async fn queue(
    session: &mut Session,
    commit: &Commit,
    write: &OutboxWrite,
    (row, clock): (i64, ClockMode),
) -> Result<(), Failure> {
    let outgoing = &write.outgoing;
    let (ready_at, expires_at) = match clock {
        ClockMode::Live => (nanos(outgoing.not_before), outgoing.expires_at.map(nanos)),
        ClockMode::Log => (i64::MIN, None),
    };
    let state = if outgoing.is_shadow {
        DeliveryState::Shadow
    } else {
        DeliveryState::Queued
    };
    let sql = "INSERT INTO delivery (id, shard, state, priority, ready_at, expires_at, updated_at, lane) \
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    let query = sqlx::query(sql)
        .bind(row)
        .bind(i64::from(commit.shard))
        .bind(state.as_str())
        .bind(i64::from(outgoing.priority))
        .bind(ready_at)
        .bind(expires_at)
        .bind(nanos(commit.now))
        .bind(write.lane.as_deref());
    session.execute(query).await?;
    Ok(())
}

async fn withdraw(session: &mut Session, commit: &Commit) -> Result<(), Failure> {
    if commit.withdrawn.is_empty() {
        return Ok(());
    }
    let query = sqlx::query(WITHDRAW)
        .bind(nanos(commit.now))
        .bind(json(&commit.withdrawn));
    session.execute(query).await?;
    Ok(())
}
