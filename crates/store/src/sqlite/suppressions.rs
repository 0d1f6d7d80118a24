//! What stops messages to an address: the ledger, the address's row and the logs that are told, in one transaction.

use super::append::append_facts;
use super::gate::{self, Stand};
use super::rows::{Columns, nanos};
use super::tx::Ending;
use super::{Session, Sqlite};
use crate::{
    AddressKey, ClockMode, Failure, LedgerRow, Lift, Meta, NewFact, Person, Reason, Scope,
    Suppression, shard_of,
};
use jiff::Timestamp;
use model::fact::{SUPPRESSED, UNSUPPRESSED};
use model::{AccountId, Fact};
use std::collections::BTreeSet;

impl Sqlite {
    pub(crate) async fn suppress(
        &self,
        suppression: Suppression,
        person: Option<Person>,
    ) -> Result<bool, Failure> {
        let meta = self.meta().clone();
        self.write(move |session| {
            Box::pin(async move { suppress(session, &suppression, person, &meta).await })
        })
        .await
    }

    pub(crate) async fn unsuppress(
        &self,
        lift: Lift,
        person: Option<Person>,
    ) -> Result<bool, Failure> {
        let meta = self.meta().clone();
        self.write(move |session| {
            Box::pin(async move { unsuppress(session, &lift, person, &meta).await })
        })
        .await
    }

    pub(crate) async fn suppressions(
        &self,
        key: AddressKey,
        now: Timestamp,
    ) -> Result<Vec<LedgerRow>, Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let sql = "SELECT id, is_lifted, scope, reason, proof, at, until FROM suppression \
                    WHERE address = ? ORDER BY id";
                let query = sqlx::query(sql).bind(key.0.to_vec());
                let rows = session.rows(query).await?;
                let rows: Result<Vec<LedgerRow>, Failure> =
                    rows.iter().map(|row| ledger_row(key, row)).collect();
                let mut rows = rows?;
                let stands = stands_of(session, key).await?;
                mark_in_force(&mut rows, &stands, now);
                Ok(rows)
            })
        })
        .await
    }

    pub(crate) async fn standing(
        &self,
        key: AddressKey,
    ) -> Result<(Vec<(Scope, Reason)>, u64), Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let sql = "SELECT scopes, gate_epoch FROM address WHERE key = ?";
                let row = session.row(sqlx::query(sql).bind(key.0.to_vec())).await?;
                let Some(row) = row else {
                    return Ok((Vec::new(), 0));
                };
                let mut all = Vec::new();
                for stand in gate::stands(&row.text(0)?)? {
                    all.push((stand.scope()?, stand.reason()?));
                }
                Ok((all, row.count(1)?))
            })
        })
        .await
    }
}

/// One entry of the ledger, on its way in.
pub(crate) struct Entry<'e> {
    pub(crate) said: &'e Suppression,
    pub(crate) is_lifted: bool,
}

/// What stands once this is said; none: it does already, at least as long.
pub(crate) fn added(mut stands: Vec<Stand>, said: &Suppression) -> Option<Vec<Stand>> {
    stands.retain(|stand| stand.is_in_force(said.at));
    let (scope, reason) = (said.scope.word(), said.reason.as_str());
    let until = said.until.map(nanos);
    let is_same = |stand: &Stand| stand.scope == scope && *stand.reason == *reason;
    let lasts = |stand: &Stand| match (stand.until, until) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(stands), Some(asked)) => stands >= asked,
    };
    if stands.iter().any(|stand| is_same(stand) && lasts(stand)) {
        return None;
    }
    stands.retain(|stand| !is_same(stand));
    stands.push(Stand {
        scope,
        reason: reason.into(),
        until,
    });
    Some(stands)
}

/// What is lifted, and what is left then; none: nothing is lifted.
pub(crate) fn parted(stands: Vec<Stand>, lift: &Lift) -> Option<(Vec<Stand>, Vec<Stand>)> {
    let scope = lift.scope.word();
    let is_meant = |stand: &Stand| {
        stand.is_in_force(lift.at)
            && stand.scope == scope
            && lift
                .reason
                .is_none_or(|reason| *stand.reason == *reason.as_str())
    };
    let (lifted, left): (Vec<Stand>, Vec<Stand>) = stands.into_iter().partition(is_meant);
    (!lifted.is_empty()).then_some((lifted, left))
}

/// What the ledger says of something lifted.
pub(crate) fn lifting(lift: &Lift, stand: &Stand) -> Result<Suppression, Failure> {
    Ok(Suppression {
        key: lift.key,
        scope: lift.scope.clone(),
        reason: stand.reason()?,
        proof: lift.proof.clone(),
        at: lift.at,
        until: stand.until(),
    })
}

pub(crate) async fn suppress(
    session: &mut Session,
    said: &Suppression,
    person: Option<Person>,
    meta: &Meta,
) -> Result<Ending<bool>, Failure> {
    let stands = gate::lock(session, said.key).await?;
    let Some(stands) = added(stands, said) else {
        return Ok(Ending::Rollback(false));
    };
    gate::write(session, said.key, &stands).await?;
    let entry = Entry {
        said,
        is_lifted: false,
    };
    keep(session, entry, person, meta).await?;
    Ok(Ending::Commit(true))
}

async fn unsuppress(
    session: &mut Session,
    lift: &Lift,
    person: Option<Person>,
    meta: &Meta,
) -> Result<Ending<bool>, Failure> {
    let stands = gate::lock(session, lift.key).await?;
    let Some((lifted, left)) = parted(stands, lift) else {
        return Ok(Ending::Rollback(false));
    };
    gate::write(session, lift.key, &left).await?;
    for stand in lifted {
        let said = lifting(lift, &stand)?;
        let entry = Entry {
            said: &said,
            is_lifted: true,
        };
        keep(session, entry, person.clone(), meta).await?;
    }
    Ok(Ending::Commit(true))
}

/// Writes an entry into the ledger and tells the logs of those who are known by the address.
async fn keep(
    session: &mut Session,
    entry: Entry<'_>,
    person: Option<Person>,
    meta: &Meta,
) -> Result<(), Failure> {
    let said = entry.said;
    let sql = "INSERT INTO suppression (address, is_lifted, scope, reason, proof, at, until) \
        VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id";
    let query = sqlx::query(sql)
        .bind(said.key.0.to_vec())
        .bind(i64::from(entry.is_lifted))
        .bind(said.scope.word().into_string())
        .bind(said.reason.as_str())
        .bind(&*said.proof)
        .bind(nanos(said.at))
        .bind(said.until.map(nanos));
    let row = session.row(query).await?;
    let number = row.map_or(Ok(0), |row| row.count(0))?;
    if let Some(person) = &person {
        meet(session, said.key, person).await?;
    }
    for person in acquaintances(session, said.key).await? {
        tell(session, (&entry, number), &person, meta).await?;
    }
    Ok(())
}

/// Remembers that the log of this person's account knows of what stands against the address.
pub(crate) async fn meet(
    session: &mut Session,
    key: AddressKey,
    person: &Person,
) -> Result<(), Failure> {
    let sql =
        "INSERT INTO told (address, account, contact) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
    let query = sqlx::query(sql)
        .bind(key.0.to_vec())
        .bind(person.account.as_str())
        .bind(&*person.contact);
    session.execute(query).await?;
    Ok(())
}

async fn acquaintances(
    session: &mut Session,
    key: AddressKey,
) -> Result<BTreeSet<Person>, Failure> {
    let sql = "SELECT account, contact FROM told WHERE address = ?";
    let rows = session.rows(sqlx::query(sql).bind(key.0.to_vec())).await?;
    rows.iter().map(person).collect()
}

pub(crate) fn person(row: &impl Columns) -> Result<Person, Failure> {
    Ok(Person {
        account: AccountId::new(row.text(0)?),
        contact: row.text(1)?,
    })
}

/// Appends the fact to the person's account.
async fn tell(
    session: &mut Session,
    (entry, number): (&Entry<'_>, u64),
    person: &Person,
    meta: &Meta,
) -> Result<(), Failure> {
    let fact = news((entry, number), person, meta)?;
    append_facts(session, &[&fact]).await?;
    Ok(())
}

/// The fact that tells a person's account. Under the log clock it carries no time: the account's own counts.
pub(crate) fn news(
    (entry, number): (&Entry<'_>, u64),
    person: &Person,
    meta: &Meta,
) -> Result<NewFact, Failure> {
    let (said, account) = (entry.said, person.account.as_str());
    let kind = if entry.is_lifted {
        UNSUPPRESSED
    } else {
        SUPPRESSED
    };
    let digest = model::id::digest(&[kind, &number.to_string(), account, &person.contact]);
    let id = blake3::Hash::from_bytes(digest).to_hex();
    let mut data = serde_json::Map::new();
    data.insert("contact".to_owned(), (&*person.contact).into());
    data.insert("scope".to_owned(), (&*said.scope.word()).into());
    data.insert("reason".to_owned(), said.reason.as_str().into());
    if let Some(until) = said.until.filter(|_| !entry.is_lifted) {
        data.insert("until".to_owned(), until.to_string().into());
    }
    let fact = Fact {
        specversion: "1.0".into(),
        id: id[..32].into(),
        source: "sottaku".into(),
        kind: kind.into(),
        subject: Some(account.into()),
        time: match meta.clock {
            ClockMode::Live => Some(said.at),
            ClockMode::Log => None,
        },
        is_history: false,
        arrived_at: None,
        data,
    };
    let json = serde_json::to_string(&fact)
        .map_err(|why| Failure::Database(format!("a suppression is no JSON: {why}").into()))?;
    Ok(NewFact {
        shard: shard_of(account, meta.shards),
        arrived_at: said.at,
        json: json.into(),
    })
}

async fn stands_of(session: &mut Session, key: AddressKey) -> Result<Vec<Stand>, Failure> {
    let sql = "SELECT scopes FROM address WHERE key = ?";
    let row = session.row(sqlx::query(sql).bind(key.0.to_vec())).await?;
    row.map_or(Ok(Vec::new()), |row| gate::stands(&row.text(0)?))
}

pub(crate) fn ledger_row(key: AddressKey, row: &impl Columns) -> Result<LedgerRow, Failure> {
    let (scope, reason) = (row.text(2)?, row.text(3)?);
    Ok(LedgerRow {
        number: row.count(0)?,
        is_lifted: row.long(1)? != 0,
        is_in_force: false,
        said: Suppression {
            key,
            scope: Scope::parse(&scope).ok_or_else(|| Failure::unreadable("a scope", &scope))?,
            reason: Reason::parse(&reason)
                .ok_or_else(|| Failure::unreadable("a reason", &reason))?,
            proof: row.text(4)?,
            at: row.instant(5)?,
            until: row.maybe_instant(6)?,
        },
    })
}

/// The last row of what stands is the one in force.
pub(crate) fn mark_in_force(rows: &mut [LedgerRow], stands: &[Stand], now: Timestamp) {
    for stand in stands.iter().filter(|stand| stand.is_in_force(now)) {
        let is_its = |row: &&mut LedgerRow| {
            row.said.scope.word() == stand.scope && row.said.reason.as_str() == &*stand.reason
        };
        if let Some(row) = rows.iter_mut().rev().find(is_its) {
            row.is_in_force = !row.is_lifted;
        }
    }
}
