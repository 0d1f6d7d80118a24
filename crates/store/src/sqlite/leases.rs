//! Leases in their table.

use super::rows::{Columns, nanos, signed};
use super::tx::Ending;
use super::{Session, Sqlite};
use crate::{Bid, Failure, Lease, Role};
use jiff::Timestamp;

impl Sqlite {
    pub(crate) async fn acquire(
        &self,
        shard: u32,
        role: Role,
        bid: &Bid,
    ) -> Result<Option<Lease>, Failure> {
        let bid = bid.clone();
        let until = until(&bid);
        self.write(move |session| {
            Box::pin(async move {
                // The epoch rises unless the lease is already the bidder's.
                let sql = "UPDATE lease SET lease_until = ?, owner = ?, \
                    epoch = CASE WHEN owner IS ? THEN epoch ELSE epoch + 1 END \
                    WHERE shard = ? AND role = ? AND (owner IS NULL OR owner = ? OR lease_until <= ?) \
                    RETURNING shard, role, owner, epoch, lease_until";
                let query = sqlx::query(sql)
                    .bind(nanos(until))
                    .bind(&*bid.owner)
                    .bind(&*bid.owner)
                    .bind(i64::from(shard))
                    .bind(role.as_str())
                    .bind(&*bid.owner)
                    .bind(nanos(bid.now));
                match session.rows(query).await?.first() {
                    Some(row) => Ok(Ending::Commit(Some(lease(row)?))),
                    None => Ok(Ending::Rollback(None)),
                }
            })
        })
        .await
    }

    pub(crate) async fn renew(&self, bid: &Bid) -> Result<Vec<Lease>, Failure> {
        let bid = bid.clone();
        let until = until(&bid);
        self.write(move |session| {
            Box::pin(async move {
                let sql = "UPDATE lease SET lease_until = ? WHERE owner = ? \
                    RETURNING shard, role, owner, epoch, lease_until";
                let query = sqlx::query(sql).bind(nanos(until)).bind(&*bid.owner);
                let rows = session.rows(query).await?;
                let mut held: Vec<Lease> = rows.iter().map(lease).collect::<Result<_, _>>()?;
                held.sort_by_key(|lease| (lease.shard, lease.role));
                Ok(Ending::Commit(held))
            })
        })
        .await
    }

    pub(crate) async fn release(
        &self,
        shard: u32,
        role: Role,
        owner: &str,
    ) -> Result<bool, Failure> {
        let owner: Box<str> = owner.into();
        self.write(move |session| {
            Box::pin(async move {
                let sql = "UPDATE lease SET owner = NULL, lease_until = 0, epoch = epoch + 1 \
                    WHERE shard = ? AND role = ? AND owner = ?";
                let query = sqlx::query(sql)
                    .bind(i64::from(shard))
                    .bind(role.as_str())
                    .bind(&*owner);
                Ok(Ending::Commit(session.execute(query).await? == 1))
            })
        })
        .await
    }

    pub(crate) async fn attend(&self, bid: &Bid) -> Result<Vec<Box<str>>, Failure> {
        let bid = bid.clone();
        let until = until(&bid);
        self.write(move |session| {
            Box::pin(async move {
                let query = sqlx::query("DELETE FROM worker WHERE seen_until <= ?");
                session.execute(query.bind(nanos(bid.now))).await?;
                let sql = "INSERT INTO worker (owner, seen_until) VALUES (?, ?) \
                    ON CONFLICT (owner) DO UPDATE SET seen_until = excluded.seen_until";
                let query = sqlx::query(sql).bind(&*bid.owner).bind(nanos(until));
                session.execute(query).await?;
                let query = sqlx::query("SELECT owner FROM worker ORDER BY owner");
                let rows = session.rows(query).await?;
                let owners: Result<Vec<_>, _> = rows.iter().map(|row| row.text(0)).collect();
                Ok(Ending::Commit(owners?))
            })
        })
        .await
    }

    pub(crate) async fn leave(&self, owner: &str) -> Result<(), Failure> {
        let owner: Box<str> = owner.into();
        self.write(move |session| {
            Box::pin(async move {
                let query = sqlx::query("DELETE FROM worker WHERE owner = ?");
                session.execute(query.bind(&*owner)).await?;
                Ok(Ending::Commit(()))
            })
        })
        .await
    }

    pub(crate) async fn leases(&self) -> Result<Vec<Lease>, Failure> {
        self.read(|session| {
            Box::pin(async move {
                let sql =
                    "SELECT shard, role, owner, epoch, lease_until FROM lease ORDER BY shard, role";
                let rows = session.rows(sqlx::query(sql)).await?;
                rows.iter().map(lease).collect()
            })
        })
        .await
    }
}

/// Whether a lease has this epoch now, inside the transaction that depends on it.
pub(crate) async fn epoch(session: &mut Session, shard: u32, role: Role) -> Result<u64, Failure> {
    let sql = "SELECT epoch FROM lease WHERE shard = ? AND role = ?";
    let query = sqlx::query(sql).bind(i64::from(shard)).bind(role.as_str());
    match session.row(query).await? {
        Some(row) => row.count(0),
        None => Err(Failure::Database(
            format!("there is no shard {shard}").into(),
        )),
    }
}

pub(crate) fn until(bid: &Bid) -> Timestamp {
    let end = nanos(bid.now).saturating_add(signed(
        u64::try_from(bid.ttl.as_nanos()).unwrap_or(u64::MAX),
    ));
    super::rows::instant_of(end)
}

pub(crate) fn lease(row: &impl Columns) -> Result<Lease, Failure> {
    let role = match &*row.text(1)? {
        "decide" => Role::Decide,
        "send" => Role::Send,
        other => return Err(Failure::unreadable("a role", other)),
    };
    Ok(Lease {
        shard: row.small(0)?,
        role,
        owner: row.maybe_text(2)?,
        epoch: row.count(3)?,
        lease_until: row.instant(4)?,
    })
}
