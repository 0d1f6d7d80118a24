//! What stops messages to an address: the ledger, the address's row and the logs that are told, in one transaction.

use super::append::append_facts;
use super::rows::{Columns, nanos, word};
use super::session::Session;
use super::tx::Ending;
use super::{Postgres, gate};
use crate::sqlite::gate::stands;
use crate::sqlite::suppressions::{
    Entry, added, ledger_row, lifting, mark_in_force, news, parted, person,
};
use crate::{
    AddressKey, Failure, LedgerRow, Lift, Meta, NewFact, Person, Reason, Scope, Suppression,
};
use jiff::Timestamp;
use std::collections::BTreeSet;

impl Postgres {
    pub(crate) async fn suppress(
        &self,
        suppression: Suppression,
        person: Option<Person>,
    ) -> Result<bool, Failure> {
        let input = (suppression, person, self.meta().clone());
        self.write(input, |session, (said, person, meta)| {
            Box::pin(async move {
                let Some(facts) = suppress(session, said, person.as_ref(), meta).await? else {
                    return Ok(Ending::Rollback(false));
                };
                append(session, &facts).await?;
                Ok(Ending::Commit(true))
            })
        })
        .await
    }

    pub(crate) async fn unsuppress(
        &self,
        lift: Lift,
        person: Option<Person>,
    ) -> Result<bool, Failure> {
        let input = (lift, person, self.meta().clone());
        self.write(input, |session, (lift, person, meta)| {
            Box::pin(unsuppress(session, lift, person.as_ref(), meta))
        })
        .await
    }

    pub(crate) async fn suppressions(
        &self,
        key: AddressKey,
        now: Timestamp,
    ) -> Result<Vec<LedgerRow>, Failure> {
        self.read((key, now), |session, (key, now)| {
            Box::pin(async move {
                let sql = "SELECT id, is_lifted::int::bigint, scope, reason, proof, at, until \
                    FROM suppression WHERE address = $1 ORDER BY id";
                let rows = session.rows(sqlx::query(sql).bind(key.0.to_vec())).await?;
                let rows: Result<Vec<LedgerRow>, Failure> =
                    rows.iter().map(|row| ledger_row(*key, row)).collect();
                let mut rows = rows?;
                let sql = "SELECT scopes FROM address WHERE key = $1";
                let row = session.row(sqlx::query(sql).bind(key.0.to_vec())).await?;
                let stands = row.map_or(Ok(Vec::new()), |row| stands(&row.text(0)?))?;
                mark_in_force(&mut rows, &stands, *now);
                Ok(rows)
            })
        })
        .await
    }

    pub(crate) async fn standing(
        &self,
        key: AddressKey,
    ) -> Result<(Vec<(Scope, Reason)>, u64), Failure> {
        self.read(key, |session, key| {
            Box::pin(async move {
                let sql = "SELECT scopes, gate_epoch FROM address WHERE key = $1";
                let row = session.row(sqlx::query(sql).bind(key.0.to_vec())).await?;
                let Some(row) = row else {
                    return Ok((Vec::new(), 0));
                };
                let mut all = Vec::new();
                for stand in stands(&row.text(0)?)? {
                    all.push((stand.scope()?, stand.reason()?));
                }
                Ok((all, row.count(1)?))
            })
        })
        .await
    }
}

/// Appends at the end of the transaction: the ends of logs are the last rows that any takes.
pub(crate) async fn append(session: &mut Session, facts: &[NewFact]) -> Result<(), Failure> {
    let facts: Vec<&NewFact> = facts.iter().collect();
    append_facts(session, &facts).await?;
    Ok(())
}

/// Stops, and gives the facts that tell it; none: the same stands already.
pub(crate) async fn suppress(
    session: &mut Session,
    said: &Suppression,
    person: Option<&Person>,
    meta: &Meta,
) -> Result<Option<Vec<NewFact>>, Failure> {
    let stands = gate::lock(session, said.key).await?;
    let Some(stands) = added(stands, said) else {
        return Ok(None);
    };
    gate::write(session, said.key, &stands).await?;
    let entry = Entry {
        said,
        is_lifted: false,
    };
    Ok(Some(keep(session, entry, person, meta).await?))
}

async fn unsuppress(
    session: &mut Session,
    lift: &Lift,
    person: Option<&Person>,
    meta: &Meta,
) -> Result<Ending<bool>, Failure> {
    let stands = gate::lock(session, lift.key).await?;
    let Some((lifted, left)) = parted(stands, lift) else {
        return Ok(Ending::Rollback(false));
    };
    gate::write(session, lift.key, &left).await?;
    let mut facts = Vec::new();
    for stand in lifted {
        let entry = Entry {
            said: &lifting(lift, &stand)?,
            is_lifted: true,
        };
        facts.extend(keep(session, entry, person, meta).await?);
    }
    append(session, &facts).await?;
    Ok(Ending::Commit(true))
}

/// Writes an entry into the ledger; the facts for the logs of those who are known by the address.
async fn keep(
    session: &mut Session,
    entry: Entry<'_>,
    person: Option<&Person>,
    meta: &Meta,
) -> Result<Vec<NewFact>, Failure> {
    let said = entry.said;
    let sql = "INSERT INTO suppression (address, is_lifted, scope, reason, proof, at, until) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id";
    let query = sqlx::query(sql)
        .bind(said.key.0.to_vec())
        .bind(entry.is_lifted)
        .bind(said.scope.word().into_string())
        .bind(said.reason.as_str())
        .bind(word(&said.proof))
        .bind(nanos(said.at))
        .bind(said.until.map(nanos));
    let row = session.row(query).await?;
    let number = row.map_or(Ok(0), |row| row.count(0))?;
    if let Some(person) = person {
        meet(session, said.key, person).await?;
    }
    let people = acquaintances(session, said.key).await?;
    let facts = people
        .iter()
        .map(|person| news((&entry, number), person, meta));
    facts.collect()
}

/// Remembers that the log of this person's account knows of what stands against the address.
pub(crate) async fn meet(
    session: &mut Session,
    key: AddressKey,
    person: &Person,
) -> Result<(), Failure> {
    let sql = "INSERT INTO told (address, account, contact) VALUES ($1, $2, $3) \
        ON CONFLICT DO NOTHING";
    let query = sqlx::query(sql)
        .bind(key.0.to_vec())
        .bind(word(person.account.as_str()))
        .bind(word(&person.contact));
    session.execute(query).await?;
    Ok(())
}

async fn acquaintances(
    session: &mut Session,
    key: AddressKey,
) -> Result<BTreeSet<Person>, Failure> {
    let sql = "SELECT account, contact FROM told WHERE address = $1";
    let rows = session.rows(sqlx::query(sql).bind(key.0.to_vec())).await?;
    rows.iter().map(person).collect()
}
