//! Sources in their tables.

use super::append::{append_facts, known_shards};
use super::leases::until;
use super::rows::{Columns, nanos, signed};
use super::tx::Ending;
use super::{Session, Sqlite, parks};
use crate::{Bid, Failure, NewFact, NewSource, SourceError, SourcePosition, SourceRow, SourceStep};
use jiff::Timestamp;

/// The columns of [`source_row`].
pub(crate) const COLUMNS: &str =
    "name, topic, topic_id, since, owner, epoch, lease_until, halted, copied_until";

/// How a step ended.
pub(crate) enum Stepped {
    Done,
    Fenced,
    Moved,
}

impl From<Stepped> for Result<(), SourceError> {
    fn from(stepped: Stepped) -> Self {
        match stepped {
            Stepped::Done => Ok(()),
            Stepped::Fenced => Err(SourceError::Fenced),
            Stepped::Moved => Err(SourceError::Moved),
        }
    }
}

impl Sqlite {
    pub(crate) async fn take_source(
        &self,
        source: &NewSource,
        bid: &Bid,
    ) -> Result<Option<SourceRow>, Failure> {
        let (source, bid) = (source.clone(), bid.clone());
        self.write(move |session| {
            Box::pin(async move {
                let sql = "INSERT INTO source (name, topic, topic_id, since) VALUES (?, ?, ?, ?) \
                    ON CONFLICT (name) DO NOTHING";
                let query = sqlx::query(sql)
                    .bind(&*source.name)
                    .bind(&*source.topic)
                    .bind(&*source.topic_id)
                    .bind(nanos(bid.now));
                session.execute(query).await?;
                let sql = "UPDATE source SET lease_until = ?, \
                    epoch = CASE WHEN owner IS ? THEN epoch ELSE epoch + 1 END, owner = ? \
                    WHERE name = ? AND (owner IS NULL OR owner = ? OR lease_until <= ?)";
                let query = sqlx::query(sql)
                    .bind(nanos(until(&bid)))
                    .bind(&*bid.owner)
                    .bind(&*bid.owner)
                    .bind(&*source.name)
                    .bind(&*bid.owner)
                    .bind(nanos(bid.now));
                if session.execute(query).await? == 0 {
                    return Ok(Ending::Rollback(None));
                }
                let sql = "UPDATE source SET topic = ?, topic_id = ?, since = ?, halted = NULL, copied_until = 0 \
                    WHERE name = ? AND topic <> ?";
                let query = sqlx::query(sql)
                    .bind(&*source.topic)
                    .bind(&*source.topic_id)
                    .bind(nanos(bid.now))
                    .bind(&*source.name)
                    .bind(&*source.topic);
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
        let (name, owner) = (Box::<str>::from(name), Box::<str>::from(owner));
        self.write(move |session| {
            Box::pin(async move {
                let sql = "UPDATE source SET owner = NULL, lease_until = 0, epoch = epoch + 1 \
                    WHERE name = ? AND owner = ?";
                let query = sqlx::query(sql).bind(&*name).bind(&*owner);
                Ok(Ending::Commit(session.execute(query).await? == 1))
            })
        })
        .await
    }

    pub(crate) async fn sources(&self) -> Result<Vec<SourceRow>, Failure> {
        self.read(|session| Box::pin(all(session))).await
    }

    pub(crate) async fn step_source(&self, step: SourceStep) -> Result<(), SourceError> {
        known_shards(&step.incoming.facts, self.meta().shards)?;
        let stepped = self.write(move |session| {
            Box::pin(async move {
                if epoch(session, &step.name).await? != Some(step.epoch) {
                    return Ok(Ending::Rollback(Stepped::Fenced));
                }
                for (before, position) in &step.moves {
                    if !moves(session, &step.name, *before, position).await? {
                        return Ok(Ending::Rollback(Stepped::Moved));
                    }
                }
                let facts: Vec<&NewFact> = step.incoming.facts.iter().collect();
                append_facts(session, &facts).await?;
                parks::write(session, &step.incoming.parked).await?;
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
        let (name, why) = (Box::<str>::from(name), why.map(Box::<str>::from));
        let stepped = self.write(move |session| {
            Box::pin(async move {
                let sql = "UPDATE source SET halted = ? WHERE name = ? AND epoch = ?";
                let query = sqlx::query(sql)
                    .bind(why.as_deref())
                    .bind(&*name)
                    .bind(signed(epoch));
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
        let name = Box::<str>::from(name);
        let stepped = self.write(move |session| {
            Box::pin(async move {
                let sql = "UPDATE source SET copied_until = ? WHERE name = ? AND epoch = ?";
                let query = sqlx::query(sql)
                    .bind(nanos(until))
                    .bind(&*name)
                    .bind(signed(epoch));
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
        let source = source.clone();
        self.write(move |session| {
            Box::pin(async move {
                let sql = "UPDATE source SET topic = ?, topic_id = ?, halted = NULL, copied_until = 0, \
                    epoch = epoch + 1, owner = NULL, lease_until = 0 WHERE name = ?";
                let query = sqlx::query(sql)
                    .bind(&*source.topic)
                    .bind(&*source.topic_id)
                    .bind(&*source.name);
                if session.execute(query).await? == 0 {
                    return Ok(Ending::Rollback(false));
                }
                set_positions(session, &source.name, &positions).await?;
                Ok(Ending::Commit(true))
            })
        })
        .await
    }
}

async fn epoch(session: &mut Session, name: &str) -> Result<Option<u64>, Failure> {
    let query = sqlx::query("SELECT epoch FROM source WHERE name = ?").bind(name);
    let row = session.row(query).await?;
    row.map(|row| row.count(0)).transpose()
}

/// Moves one partition on from where it was; false if it is somewhere else.
async fn moves(
    session: &mut Session,
    name: &str,
    before: u64,
    to: &SourcePosition,
) -> Result<bool, Failure> {
    let sql = "INSERT INTO source_position (name, partition, next, mark) VALUES (?1, ?2, ?3, ?4) \
        ON CONFLICT (name, partition) DO UPDATE SET next = excluded.next, mark = excluded.mark \
        WHERE source_position.next = ?5";
    let query = sqlx::query(sql)
        .bind(name)
        .bind(i64::from(to.partition))
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
    let query = sqlx::query("DELETE FROM source_position WHERE name = ?").bind(name);
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

/// Sources with the positions of each.
pub(crate) fn joined(
    mut sources: Vec<SourceRow>,
    positions: Vec<(Box<str>, SourcePosition)>,
) -> Vec<SourceRow> {
    for (name, position) in positions {
        if let Some(row) = sources.iter_mut().find(|row| row.source.name == name) {
            row.positions.push(position);
        }
    }
    sources
}

pub(crate) fn source_row(row: &impl Columns) -> Result<SourceRow, Failure> {
    Ok(SourceRow {
        source: NewSource {
            name: row.text(0)?,
            topic: row.text(1)?,
            topic_id: row.text(2)?,
        },
        since: row.instant(3)?,
        owner: row.maybe_text(4)?,
        epoch: row.count(5)?,
        lease_until: row.instant(6)?,
        halted: row.maybe_text(7)?,
        copied_until: row.instant(8)?,
        positions: Vec::new(),
    })
}

pub(crate) fn position(row: &impl Columns) -> Result<(Box<str>, SourcePosition), Failure> {
    let position = SourcePosition {
        partition: row.small(1)?,
        next: row.count(2)?,
        mark: row.text(3)?,
    };
    Ok((row.text(0)?, position))
}
