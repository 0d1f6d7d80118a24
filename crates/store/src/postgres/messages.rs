//! Messages into the outbox, each once, with a row for each address; and back out, while they wait.

use super::rows::{nanos, number, word};
use super::session::Session;
use crate::sqlite::accounts::json;
use crate::{AddressKey, ClockMode, Commit, Failure, OutboxWrite};
use model::DeliveryState;
use std::collections::{BTreeMap, BTreeSet};

/// In order of their keys, since two shards may write the same ones.
const ADDRESSES: &str = "INSERT INTO address (key) \
    SELECT key FROM unnest($1::bytea[]) WITH ORDINALITY k (key, n) ORDER BY n ON CONFLICT DO NOTHING";
/// Those that are new, in order, with where they stand.
const MESSAGES: &str = "WITH given AS MATERIALIZED (SELECT * FROM unnest( \
        $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::bigint[], \
        $11::bigint[], $12::text[], $14::bigint[]) WITH ORDINALITY \
        g (message, account, addresses, outgoing, state, priority, ready_at, expires_at, lane, related, n)), \
    new AS (INSERT INTO outbox (message, shard, account, decided_at, addresses, outgoing, revision, related_until) \
        SELECT message, $1, account, $2, addresses, outgoing, $13, related FROM given ORDER BY n \
        ON CONFLICT DO NOTHING RETURNING id, message) \
    INSERT INTO delivery (id, shard, state, priority, ready_at, expires_at, updated_at, lane) \
        SELECT new.id, $1, g.state, g.priority, g.ready_at, g.expires_at, $3, g.lane \
        FROM new JOIN given g ON g.message = new.message";
/// Takes back what still waits.
pub(crate) const WITHDRAW: &str = "UPDATE delivery SET state = 'withdrawn', updated_at = $1 \
    WHERE state IN ('queued', 'deferred') \
    AND id = ANY(ARRAY(SELECT id FROM outbox WHERE message = ANY($2)))";

/// Writes new messages and takes back withdrawn ones; says how many were new.
pub(crate) async fn write(
    session: &mut Session,
    commit: &Commit,
    clock: ClockMode,
) -> Result<u32, Failure> {
    let all = commit.outbox.iter().flat_map(|write| &write.addresses);
    let keys: BTreeSet<AddressKey> = all.copied().collect();
    if !keys.is_empty() {
        let keys: Vec<Vec<u8>> = keys.iter().map(|key| key.0.to_vec()).collect();
        session.execute(sqlx::query(ADDRESSES).bind(keys)).await?;
    }
    let queued = insert(session, commit, clock).await?;
    if !commit.withdrawn.is_empty() {
        let messages: Vec<&str> = commit.withdrawn.iter().map(|one| one.as_str()).collect();
        let query = sqlx::query(WITHDRAW).bind(nanos(commit.now)).bind(messages);
        session.execute(query).await?;
    }
    Ok(queued)
}

/// The first of each message that is given several times.
fn firsts(commit: &Commit) -> Vec<&OutboxWrite> {
    let mut seen = BTreeMap::new();
    for (n, write) in commit.outbox.iter().enumerate() {
        seen.entry(write.outgoing.message.as_str()).or_insert(n);
    }
    let mut places: Vec<usize> = seen.into_values().collect();
    places.sort_unstable();
    places.into_iter().map(|n| &commit.outbox[n]).collect()
}

/// Under the log clock a message is ready at once and never expires.
async fn insert(session: &mut Session, commit: &Commit, clock: ClockMode) -> Result<u32, Failure> {
    let writes = firsts(commit);
    if writes.is_empty() {
        return Ok(0);
    }
    let (mut messages, mut accounts, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
    let (mut outgoings, mut states, mut priorities) = (Vec::new(), Vec::new(), Vec::new());
    let (mut readies, mut expiries) = (Vec::new(), Vec::new());
    let (mut lanes, mut related) = (Vec::new(), Vec::new());
    for write in writes {
        let outgoing = &write.outgoing;
        let text = serde_json::to_string(outgoing)
            .map_err(|why| Failure::Database(format!("a message is no JSON: {why}").into()))?;
        let keys: Vec<String> = write.addresses.iter().map(|key| key.hex()).collect();
        let (ready_at, expires_at) = match clock {
            ClockMode::Live => (nanos(outgoing.not_before), outgoing.expires_at.map(nanos)),
            ClockMode::Log => (i64::MIN, None),
        };
        let state = if outgoing.is_shadow {
            DeliveryState::Shadow
        } else {
            DeliveryState::Queued
        };
        messages.push(outgoing.message.as_str());
        accounts.push(word(outgoing.account.as_str()));
        addresses.push(json(&keys));
        outgoings.push(text);
        states.push(state.as_str());
        priorities.push(i64::from(outgoing.priority));
        readies.push(ready_at);
        expiries.push(expires_at);
        lanes.push(write.lane.as_deref().map(word));
        related.push(write.related_until.map(nanos));
    }
    let query = sqlx::query(MESSAGES)
        .bind(number(commit.shard))
        .bind(nanos(commit.now))
        .bind(nanos(commit.now))
        .bind(messages)
        .bind(accounts)
        .bind(addresses)
        .bind(outgoings)
        .bind(states)
        .bind(priorities)
        .bind(readies)
        .bind(expiries)
        .bind(lanes)
        .bind(commit.from.revision.map(|revision| i64::from(revision.0)))
        .bind(related);
    let queued = session.execute(query).await?;
    Ok(u32::try_from(queued).unwrap_or(u32::MAX))
}
