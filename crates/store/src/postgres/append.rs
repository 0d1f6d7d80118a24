//! Appending: many callers share one durable commit. The row of a log's end is held until the commit, so positions
//! become visible in order and without gaps.

use super::rows::{Columns, nanos, number, place, signed};
use super::session::Session;
use super::tx::{Connection, Ending};
use super::{Postgres, parks};
use crate::sqlite::append::gather;
use crate::{AppendError, Appended, Failure, Incoming, NewFact, Tuning};
use std::collections::BTreeMap;
use tokio::sync::mpsc;

pub(crate) use crate::sqlite::append::{Append, known_shards};

/// Takes the ends of some logs, in order.
const ENDS: &str = "SELECT shard, position FROM log_end WHERE shard = ANY($1) \
    ORDER BY shard FOR UPDATE";
const FACTS: &str = "INSERT INTO fact (place, arrived_at, event) \
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[])";
const MOVE_ENDS: &str = "UPDATE log_end SET position = n.position \
    FROM unnest($1::bigint[], $2::bigint[]) n (shard, position) WHERE log_end.shard = n.shard";

impl Postgres {
    pub(crate) async fn append(&self, incoming: Incoming) -> Result<Appended, AppendError> {
        self.inner.writer.appending.append(incoming).await
    }
}

/// Writes what waits, as far as it fits one group, and answers each caller; a lost answer is settled by looking for the
/// group's first fact.
pub(crate) async fn group(
    connection: &mut Connection,
    first: Append,
    waiting: &mut mpsc::Receiver<Append>,
    tuning: &Tuning,
) {
    let (all, callers) = gather(first, waiting, tuning);
    let written = connection
        .transact_settled(
            &all,
            &|session, all: &Vec<Incoming>| {
                Box::pin(async move { Ok(Ending::Commit(write_all(session, all).await?)) })
            },
            &|session, all: &Vec<Incoming>, appended: &Vec<Appended>| {
                Box::pin(is_there(session, all, appended))
            },
        )
        .await;
    callers.tell(written);
}

async fn write_all(session: &mut Session, all: &[Incoming]) -> Result<Vec<Appended>, Failure> {
    let facts: Vec<&NewFact> = all.iter().flat_map(|incoming| &incoming.facts).collect();
    let mut positions = append_facts(session, &facts).await?.into_iter();
    let parked: Vec<_> = all.iter().flat_map(|incoming| &incoming.parked).collect();
    parks::write(session, &parked).await?;
    let split = |incoming: &Incoming| Appended {
        positions: positions.by_ref().take(incoming.facts.len()).collect(),
    };
    Ok(all.iter().map(split).collect())
}

/// Appends facts inside a transaction: each shard's end is taken, and raised with them.
pub(crate) async fn append_facts(
    session: &mut Session,
    facts: &[&NewFact],
) -> Result<Vec<u64>, Failure> {
    if facts.is_empty() {
        return Ok(Vec::new());
    }
    let mut ends = take_ends(session, facts).await?;
    let mut positions = Vec::with_capacity(facts.len());
    let (mut places, mut arrived) = (Vec::new(), Vec::new());
    let mut events: Vec<&str> = Vec::new();
    for fact in facts {
        let Some(end) = ends.get_mut(&fact.shard) else {
            return Err(no_shard(fact.shard));
        };
        *end += 1;
        positions.push(*end);
        places.push(place(fact.shard, *end));
        arrived.push(nanos(fact.arrived_at));
        events.push(&fact.json);
    }
    let query = sqlx::query(FACTS).bind(places).bind(arrived).bind(events);
    session.execute(query).await?;
    let (shards, ends): (Vec<i64>, Vec<i64>) = ends
        .into_iter()
        .map(|(shard, end)| (number(shard), signed(end)))
        .unzip();
    session
        .execute(sqlx::query(MOVE_ENDS).bind(shards).bind(ends))
        .await?;
    Ok(positions)
}

async fn take_ends(
    session: &mut Session,
    facts: &[&NewFact],
) -> Result<BTreeMap<u32, u64>, Failure> {
    let mut shards: Vec<i64> = facts.iter().map(|fact| number(fact.shard)).collect();
    shards.sort_unstable();
    shards.dedup();
    let rows = session.rows(sqlx::query(ENDS).bind(shards)).await?;
    rows.iter()
        .map(|row| Ok((row.small(0)?, row.count(1)?)))
        .collect()
}

pub(crate) fn no_shard(shard: u32) -> Failure {
    Failure::Database(format!("there is no shard {shard}").into())
}

/// The end of a shard's log.
pub(crate) async fn log_end(session: &mut Session, shard: u32) -> Result<u64, Failure> {
    let sql = "SELECT position FROM log_end WHERE shard = $1";
    match session.row(sqlx::query(sql).bind(number(shard))).await? {
        Some(row) => row.count(0),
        None => Err(no_shard(shard)),
    }
}

/// Whether the group's first fact stands where it was put; without one nobody can tell.
async fn is_there(
    session: &mut Session,
    all: &[Incoming],
    appended: &[Appended],
) -> Result<bool, Failure> {
    let fact = all.iter().flat_map(|incoming| &incoming.facts).next();
    let position = appended.iter().flat_map(|one| &one.positions).next();
    let (Some(fact), Some(position)) = (fact, position) else {
        return Err(Failure::Unknown);
    };
    session
        .rows(sqlx::query(ENDS).bind(vec![number(fact.shard)]))
        .await?;
    let sql = "SELECT 1::bigint FROM fact WHERE place = $1 AND arrived_at = $2 AND event = $3";
    let query = sqlx::query(sql)
        .bind(place(fact.shard, *position))
        .bind(nanos(fact.arrived_at))
        .bind(&*fact.json);
    Ok(session.row(query).await?.is_some())
}
