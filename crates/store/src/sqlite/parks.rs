//! Parked facts.

use super::append::{append_facts, known_shards};
use super::flight::{Flight, Part};
use super::rows::{Columns, signed};
use super::tx::Ending;
use super::{Session, Sqlite};
use crate::{AppendError, Failure, NewFact, NewParked, ParkedRow};
use model::{AccountId, ParkCode, Parked};

static ROWS: Flight = Flight::new(&[Part::over(
    8,
    "WITH j (at, shard, position, account, code, message, field, event) AS ({list}) \
    INSERT INTO parked (at, shard, position, account, code, message, field, event) \
    SELECT j.at, j.shard, j.position, j.account, j.code, j.message, j.field, j.event \
    FROM j WHERE j.at IS NOT NULL",
)]);

pub(crate) async fn write(session: &mut Session, parked: &[NewParked]) -> Result<(), Failure> {
    ROWS.write_all(session, parked, |new| {
        [
            new.at.into(),
            new.place.map(|(shard, _)| shard).into(),
            new.place.map(|(_, position)| signed(position)).into(),
            new.account.as_ref().map(AccountId::as_str).into(),
            new.parked.code.as_str().into(),
            (&*new.parked.message).into(),
            new.parked.field.as_deref().into(),
            (&*new.json).into(),
        ]
    })
    .await
}

impl Sqlite {
    pub(crate) async fn parked(
        &self,
        after: u64,
        count_max: u32,
    ) -> Result<Vec<ParkedRow>, Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let sql = "SELECT id, shard, position, at, account, code, message, field, event \
                    FROM parked WHERE id > ? ORDER BY id LIMIT ?";
                let query = sqlx::query(sql).bind(signed(after)).bind(count_max);
                let rows = session.rows(query).await?;
                rows.iter().map(parked_row).collect()
            })
        })
        .await
    }

    pub(crate) async fn parked_count(&self) -> Result<u64, Failure> {
        self.read(|session| {
            Box::pin(async move {
                let row = session.row(sqlx::query("SELECT count(*) FROM parked"));
                row.await?.map_or(Ok(0), |row| row.count(0))
            })
        })
        .await
    }

    pub(crate) async fn replay_parked(
        &self,
        facts: Vec<(u64, NewFact)>,
    ) -> Result<u64, AppendError> {
        let (numbers, facts): (Vec<u64>, Vec<NewFact>) = facts.into_iter().unzip();
        known_shards(&facts, self.meta().shards)?;
        let replayed = self.write(move |session| {
            Box::pin(async move {
                let mut back = Vec::new();
                for (number, fact) in numbers.iter().zip(&facts) {
                    if remove(session, *number).await? == 1 {
                        back.push(fact);
                    }
                }
                let positions = append_facts(session, &back).await?;
                Ok(Ending::Commit(
                    u64::try_from(positions.len()).unwrap_or(u64::MAX),
                ))
            })
        });
        Ok(replayed.await?)
    }

    pub(crate) async fn remove_parked(&self, numbers: Vec<u64>) -> Result<u64, Failure> {
        self.write(move |session| {
            Box::pin(async move {
                let mut removed = 0;
                for number in numbers {
                    removed += remove(session, number).await?;
                }
                Ok(Ending::Commit(removed))
            })
        })
        .await
    }
}

async fn remove(session: &mut Session, number: u64) -> Result<u64, Failure> {
    let query = sqlx::query("DELETE FROM parked WHERE id = ?").bind(signed(number));
    session.execute(query).await
}

pub(crate) fn parked_row(row: &impl Columns) -> Result<ParkedRow, Failure> {
    let place = match (row.maybe_long(1)?, row.maybe_long(2)?) {
        (Some(_), Some(_)) => Some((row.small(1)?, row.count(2)?)),
        (Some(_), None) | (None, Some(_)) | (None, None) => None,
    };
    Ok(ParkedRow {
        number: row.count(0)?,
        parked: NewParked {
            at: row.instant(3)?,
            place,
            account: row.maybe_text(4)?.map(AccountId::new),
            parked: Parked {
                code: code(&row.text(5)?)?,
                message: row.text(6)?,
                field: row.maybe_text(7)?,
            },
            json: row.text(8)?,
        },
    })
}

fn code(word: &str) -> Result<ParkCode, Failure> {
    serde_json::from_value(serde_json::Value::from(word))
        .map_err(|why| Failure::unreadable("why a fact was parked", why))
}
