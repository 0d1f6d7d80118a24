//! Parked facts.

use super::Postgres;
use super::append::{append_facts, known_shards};
use super::rows::{Columns, nanos, number, signed, word};
use super::session::Session;
use super::tx::Ending;
use crate::sqlite::parks::parked_row;
use crate::{AppendError, Failure, NewFact, NewParked, ParkedRow};
use std::collections::BTreeSet;

const ROWS: &str = "INSERT INTO parked (shard, position, at, account, code, message, field, event) \
    SELECT shard, position, at, account, code, message, field, event \
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], \
        $7::text[], $8::text[]) WITH ORDINALITY \
        p (shard, position, at, account, code, message, field, event, n) ORDER BY n";

pub(crate) async fn write(session: &mut Session, parked: &[&NewParked]) -> Result<(), Failure> {
    if parked.is_empty() {
        return Ok(());
    }
    let (mut shards, mut positions, mut instants) = (Vec::new(), Vec::new(), Vec::new());
    let (mut accounts, mut codes, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    let (mut fields, mut events) = (Vec::new(), Vec::new());
    for new in parked {
        shards.push(new.place.map(|(shard, _)| number(shard)));
        positions.push(new.place.map(|(_, position)| signed(position)));
        instants.push(nanos(new.at));
        accounts.push(new.account.as_ref().map(|account| word(account.as_str())));
        codes.push(new.parked.code.as_str());
        messages.push(word(&new.parked.message));
        fields.push(new.parked.field.as_deref().map(word));
        events.push(word(&new.json));
    }
    let query = sqlx::query(ROWS)
        .bind(shards)
        .bind(positions)
        .bind(instants)
        .bind(accounts)
        .bind(codes)
        .bind(messages)
        .bind(fields)
        .bind(events);
    session.execute(query).await?;
    Ok(())
}

impl Postgres {
    pub(crate) async fn parked(
        &self,
        after: u64,
        count_max: u32,
    ) -> Result<Vec<ParkedRow>, Failure> {
        self.read((after, count_max), |session, &(after, count_max)| {
            Box::pin(async move {
                let sql = "SELECT id, shard, position, at, account, code, message, field, event \
                    FROM parked WHERE id > $1 ORDER BY id LIMIT $2";
                let query = sqlx::query(sql)
                    .bind(signed(after))
                    .bind(i64::from(count_max));
                let rows = session.rows(query).await?;
                rows.iter().map(parked_row).collect()
            })
        })
        .await
    }

    pub(crate) async fn parked_count(&self) -> Result<u64, Failure> {
        self.read((), |session, ()| {
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
        let replayed = self.write((numbers, facts), |session, (numbers, facts)| {
            Box::pin(async move {
                let mut removed = remove(session, numbers).await?;
                let back: Vec<&NewFact> = numbers
                    .iter()
                    .zip(facts)
                    .filter(|(number, _)| removed.remove(number))
                    .map(|(_, fact)| fact)
                    .collect();
                let positions = append_facts(session, &back).await?;
                Ok(Ending::Commit(
                    u64::try_from(positions.len()).unwrap_or(u64::MAX),
                ))
            })
        });
        Ok(replayed.await?)
    }

    pub(crate) async fn remove_parked(&self, numbers: Vec<u64>) -> Result<u64, Failure> {
        self.write(numbers, |session, numbers| {
            Box::pin(async move {
                let removed = remove(session, numbers).await?;
                Ok(Ending::Commit(
                    u64::try_from(removed.len()).unwrap_or(u64::MAX),
                ))
            })
        })
        .await
    }
}

/// Takes them away; says which were there.
async fn remove(session: &mut Session, numbers: &[u64]) -> Result<BTreeSet<u64>, Failure> {
    let ids: Vec<i64> = numbers.iter().copied().map(signed).collect();
    let query = sqlx::query("DELETE FROM parked WHERE id = ANY($1) RETURNING id").bind(ids);
    let rows = session.rows(query).await?;
    rows.iter().map(|row| row.count(0)).collect()
}
