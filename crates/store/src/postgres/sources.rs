//! Sources in their tables; leases run out by the database's clock.

use super::Postgres;
use super::append::{append_facts, known_shards};
use super::parks;
use super::rows::{Columns, nanos, number, signed, word};
use super::session::Session;
use super::tx::Ending;
use crate::sqlite::sources::{COLUMNS, Stepped, joined, position, source_row};
use crate::{Bid, Failure, NewFact, NewSource, SourceError, SourcePosition, SourceRow, SourceStep};
use jiff::Timestamp;

impl Postgres {
    pub(crate) async fn take_source(
        &self,
        source: &NewSource,
        bid: &Bid,
    ) -> Result<Option<SourceRow>, Failure> {
        let (ttl, now) = self.lease_of(bid);
        let input = (source.clone(), bid.owner.clone(), ttl, now);
        self.write(input, |session, (source, owner, ttl, now)| {
            Box::pin(async move {
                let now = instant(session, *now).await?;
                let sql = "INSERT INTO source (name, topic, topic_id, since) VALUES ($1, $2, $3, $4) \
                    ON CONFLICT (name) DO NOTHING";
                let query = sqlx::query(sql)
                    .bind(&*source.name)
                    .bind(&*source.topic)
                    .bind(&*source.topic_id)
                    .bind(now);
                session.execute(query).await?;
                hold(session, &source.name).await?;
                let sql = "UPDATE source SET lease_until = $1, owner = $2, epoch = CASE \
                    WHEN owner IS NOT DISTINCT FROM $2 THEN epoch ELSE epoch + 1 END \
                    WHERE name = $3 AND (owner IS NULL OR owner = $2 OR lease_until <= $4)";
                let query = sqlx::query(sql)
                    .bind(now.saturating_add(*ttl))
                    .bind(&**owner)
                    .bind(&*source.name)
                    .bind(now);
                if session.execute(query).await? == 0 {
                    return Ok(Ending::Rollback(None));
                }
                let sql = "UPDATE source SET topic = $1, topic_id = $2, since = $3, halted = NULL, copied_until = 0 \
                    WHERE name = $4 AND topic <> $1";
                let query = sqlx::query(sql)
                    .bind(&*source.topic)
                    .bind(&*source.topic_id)
                    .bind(now)
                    .bind(&*source.name);
                if session.execute(query).await? > 0 {
                    set_positions(session, &source.name, &[]).await?;
                }
                let mut rows = all(session).await?;
                rows.retain(|row| row.source.name == source.name);
                Ok(Ending::Commit(rows.pop()))
            })
        })
        .await
    }

    pub(crate) async fn release_source(&self, name: &str, owner: &str) -> Result<bool, Failure> {
        let input = (Box::<str>::from(name), Box::<str>::from(owner));
        self.write(input, |session, (name, owner)| {
            Box::pin(async move {
                let sql = "UPDATE source SET owner = NULL, lease_until = 0, epoch = epoch + 1 \
                    WHERE name = $1 AND owner = $2";
                let query = sqlx::query(sql).bind(&**name).bind(&**owner);
                Ok(Ending::Commit(session.execute(query).await? == 1))
            })
        })
        .await
    }

    pub(crate) async fn sources(&self) -> Result<Vec<SourceRow>, Failure> {
        self.read((), |session, ()| Box::pin(all(session))).await
    }

    pub(crate) async fn step_source(&self, step: SourceStep) -> Result<(), SourceError> {
        known_shards(&step.incoming.facts, self.meta().shards)?;
        let stepped = self.write(step, |session, step| {
            Box::pin(async move {
                if hold(session, &step.name).await? != Some(step.epoch) {
                    return Ok(Ending::Rollback(Stepped::Fenced));
                }
                for (before, position) in &step.moves {
                    if !moves(session, &step.name, *before, position).await? {
                        return Ok(Ending::Rollback(Stepped::Moved));
                    }
                }
                let parked: Vec<_> = step.incoming.parked.iter().collect();
                parks::write(session, &parked).await?;
                let facts: Vec<&NewFact> = step.incoming.facts.iter().collect();
                append_facts(session, &facts).await?;
                Ok(Ending::Commit(Stepped::Done))
            })
        });
        stepped.await?.into()
    }

    pub(crate) async fn halt_source(
        &self,
        name: &str,
        epoch: u64,
        why: Option<&str>,
    ) -> Result<(), SourceError> {
        let input = (Box::<str>::from(name), epoch, why.map(Box::<str>::from));
        let stepped = self.write(input, |session, (name, epoch, why)| {
            Box::pin(async move {
                let sql = "UPDATE source SET halted = $1 WHERE name = $2 AND epoch = $3";
                let query = sqlx::query(sql)
                    .bind(why.as_deref().map(word))
                    .bind(&**name)
                    .bind(signed(*epoch));
                Ok(match session.execute(query).await? {
                    0 => Ending::Rollback(Stepped::Fenced),
                    _ => Ending::Commit(Stepped::Done),
                })
            })
        });
        stepped.await?.into()
    }

    pub(crate) async fn copied_source(
        &self,
        name: &str,
        epoch: u64,
        until: Timestamp,
    ) -> Result<(), SourceError> {
        let input = (Box::<str>::from(name), epoch, until);
        let stepped = self.write(input, |session, (name, epoch, until)| {
            Box::pin(async move {
                let sql = "UPDATE source SET copied_until = $1 WHERE name = $2 AND epoch = $3";
                let query = sqlx::query(sql)
                    .bind(nanos(*until))
                    .bind(&**name)
                    .bind(signed(*epoch));
                Ok(match session.execute(query).await? {
                    0 => Ending::Rollback(Stepped::Fenced),
                    _ => Ending::Commit(Stepped::Done),
                })
            })
        });
        stepped.await?.into()
    }

    pub(crate) async fn set_source(
        &self,
        source: &NewSource,
        positions: Vec<SourcePosition>,
    ) -> Result<bool, Failure> {
        self.write(
            (source.clone(), positions),
            |session, (source, positions)| {
                Box::pin(async move {
                    let sql = "UPDATE source SET topic = $1, topic_id = $2, halted = NULL, copied_until = 0, \
                    epoch = epoch + 1, owner = NULL, lease_until = 0 WHERE name = $3";
                    let query = sqlx::query(sql)
                        .bind(&*source.topic)
                        .bind(&*source.topic_id)
                        .bind(&*source.name);
                    if session.execute(query).await? == 0 {
                        return Ok(Ending::Rollback(false));
                    }
                    set_positions(session, &source.name, positions).await?;
                    Ok(Ending::Commit(true))
                })
            },
        )
        .await
    }
}

/// The instant that counts: the one that is given, or the database's.
async fn instant(session: &mut Session, given: Option<i64>) -> Result<i64, Failure> {
    if let Some(given) = given {
        return Ok(given);
    }
    let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint";
    match session.row(sqlx::query(sql)).await? {
        Some(row) => row.long(0),
        None => Err(Failure::Database("the database told no time".into())),
    }
}

/// Takes the row of a source until the end of the transaction, and says its epoch.
async fn hold(session: &mut Session, name: &str) -> Result<Option<u64>, Failure> {
    let sql = "SELECT epoch FROM source WHERE name = $1 FOR UPDATE";
    let row = session.row(sqlx::query(sql).bind(name)).await?;
    row.map(|row| row.count(0)).transpose()
}

/// Moves one partition on from where it was; false if it is somewhere else.
async fn moves(
    session: &mut Session,
    name: &str,
    before: u64,
    to: &SourcePosition,
) -> Result<bool, Failure> {
    let sql = "INSERT INTO source_position (name, partition, next, mark) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (name, partition) DO UPDATE SET next = excluded.next, mark = excluded.mark \
        WHERE source_position.next = $5";
    let query = sqlx::query(sql)
        .bind(name)
        .bind(number(to.partition))
        .bind(signed(to.next))
        .bind(&*to.mark)
        .bind(signed(before));
    Ok(session.execute(query).await? == 1)
}

async fn set_positions(
    session: &mut Session,
    name: &str,
    positions: &[SourcePosition],
) -> Result<(), Failure> {
    let query = sqlx::query("DELETE FROM source_position WHERE name = $1").bind(name);
    session.execute(query).await?;
    for position in positions {
        moves(session, name, 0, position).await?;
    }
    Ok(())
}

async fn all(session: &mut Session) -> Result<Vec<SourceRow>, Failure> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM source ORDER BY name"));
    let rows = session.rows(sqlx::query(sql)).await?;
    let sources = rows.iter().map(source_row).collect::<Result<_, _>>()?;
    let sql = "SELECT name, partition, next, mark FROM source_position ORDER BY name, partition";
    let rows = session.rows(sqlx::query(sql)).await?;
    let positions = rows.iter().map(position).collect::<Result<_, _>>()?;
    Ok(joined(sources, positions))
}
