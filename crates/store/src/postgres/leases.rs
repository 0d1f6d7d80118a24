//! Leases in their table, by the database's clock: those of many machines need not agree.

use super::rows::{Columns, number, signed};
use super::session::Session;
use super::setup::LeaseClock;
use super::tx::Ending;
use super::{Postgres, append};
use crate::sqlite::leases::{lease, until};
use crate::{Bid, Failure, Lease, Role};
use jiff::Timestamp;

/// The instant that counts: the one that is given, or the database's.
macro_rules! now {
    ($place:literal) => {
        concat!(
            "(SELECT coalesce(",
            $place,
            "::bigint, (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint) AS now) n"
        )
    };
}

/// Who asks, and by which clock.
struct Asked {
    bid: Bid,
    now: Option<i64>,
}

impl Asked {
    fn ttl(&self) -> i64 {
        signed(u64::try_from(self.bid.ttl.as_nanos()).unwrap_or(u64::MAX))
    }

    /// The end of a lease by the bidder's own clock, whatever the database's says.
    fn ends(&self) -> Timestamp {
        until(&self.bid)
    }
}

impl Postgres {
    fn asked(&self, bid: &Bid) -> Asked {
        let now = match self.inner.setup.lease_clock {
            LeaseClock::Database => None,
            #[cfg(test)]
            LeaseClock::Bids => Some(super::rows::nanos(bid.now)),
        };
        Asked {
            bid: bid.clone(),
            now,
        }
    }

    /// How long a bid lasts, and when it is made where the bids' own clock counts.
    pub(super) fn lease_of(&self, bid: &Bid) -> (i64, Option<i64>) {
        let asked = self.asked(bid);
        (asked.ttl(), asked.now)
    }

    pub(crate) async fn acquire(
        &self,
        shard: u32,
        role: Role,
        bid: &Bid,
    ) -> Result<Option<Lease>, Failure> {
        let input = (shard, role, self.asked(bid));
        self.write(input, |session, (shard, role, asked)| {
            Box::pin(async move {
                hold(session, *shard, *role).await?;
                // The epoch rises unless the lease is already the bidder's.
                let sql = concat!(
                    "UPDATE lease SET lease_until = n.now + $1, owner = $2, epoch = CASE \
                    WHEN owner IS NOT DISTINCT FROM $2 THEN epoch ELSE epoch + 1 END FROM ",
                    now!("$5"),
                    " WHERE shard = $3 AND role = $4 \
                    AND (owner IS NULL OR owner = $2 OR lease_until <= n.now) \
                    RETURNING shard, role, owner, epoch, lease_until"
                );
                let query = sqlx::query(sql)
                    .bind(asked.ttl())
                    .bind(&*asked.bid.owner)
                    .bind(number(*shard))
                    .bind(role.as_str())
                    .bind(asked.now);
                match session.row(query).await? {
                    Some(row) => Ok(Ending::Commit(Some(Lease {
                        lease_until: asked.ends(),
                        ..lease(&row)?
                    }))),
                    None => Ok(Ending::Rollback(None)),
                }
            })
        })
        .await
    }

    pub(crate) async fn renew(&self, bid: &Bid) -> Result<Vec<Lease>, Failure> {
        self.write(self.asked(bid), |session, asked| {
            Box::pin(async move {
                let sql = concat!(
                    "UPDATE lease SET lease_until = n.now + $1 FROM ",
                    now!("$3"),
                    ", (SELECT shard, role FROM lease WHERE owner = $2 \
                        ORDER BY shard, role FOR UPDATE) mine \
                    WHERE lease.shard = mine.shard AND lease.role = mine.role AND owner = $2 \
                    RETURNING lease.shard, lease.role, owner, epoch, lease_until"
                );
                let query = sqlx::query(sql)
                    .bind(asked.ttl())
                    .bind(&*asked.bid.owner)
                    .bind(asked.now);
                let rows = session.rows(query).await?;
                let mut held = Vec::new();
                for row in &rows {
                    held.push(Lease {
                        lease_until: asked.ends(),
                        ..lease(row)?
                    });
                }
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
        let input = (shard, role, Box::<str>::from(owner));
        self.write(input, |session, (shard, role, owner)| {
            Box::pin(async move {
                hold(session, *shard, *role).await?;
                let sql = "UPDATE lease SET owner = NULL, lease_until = 0, epoch = epoch + 1 \
                    WHERE shard = $1 AND role = $2 AND owner = $3";
                let query = sqlx::query(sql)
                    .bind(number(*shard))
                    .bind(role.as_str())
                    .bind(&**owner);
                Ok(Ending::Commit(session.execute(query).await? == 1))
            })
        })
        .await
    }

    pub(crate) async fn attend(&self, bid: &Bid) -> Result<Vec<Box<str>>, Failure> {
        self.write(self.asked(bid), |session, asked| {
            Box::pin(async move {
                let sql = concat!(
                    "DELETE FROM worker USING ",
                    now!("$1"),
                    " WHERE seen_until <= n.now AND owner <> $2"
                );
                let query = sqlx::query(sql).bind(asked.now).bind(&*asked.bid.owner);
                session.execute(query).await?;
                let sql = concat!(
                    "INSERT INTO worker (owner, seen_until) SELECT $2, n.now + $3 FROM ",
                    now!("$1"),
                    " ON CONFLICT (owner) DO UPDATE SET seen_until = excluded.seen_until"
                );
                let query = sqlx::query(sql)
                    .bind(asked.now)
                    .bind(&*asked.bid.owner)
                    .bind(asked.ttl());
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
        self.write(Box::<str>::from(owner), |session, owner| {
            Box::pin(async move {
                let query = sqlx::query("DELETE FROM worker WHERE owner = $1");
                session.execute(query.bind(&**owner)).await?;
                Ok(Ending::Commit(()))
            })
        })
        .await
    }

    pub(crate) async fn leases(&self) -> Result<Vec<Lease>, Failure> {
        self.read((), |session, ()| {
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

/// A decider's commit holds the row of its shard while it compares the epoch: whoever changes the epoch waits for it.
/// A sender's writes hold the row of the lease itself.
async fn hold(session: &mut Session, shard: u32, role: Role) -> Result<(), Failure> {
    match role {
        Role::Decide => {
            let query = sqlx::query("SELECT id FROM shard WHERE id = $1 FOR UPDATE");
            session.rows(query.bind(number(shard))).await?;
        }
        Role::Send => {}
    }
    Ok(())
}

/// The epoch of the decider's lease, under the lock of its shard's row.
pub(crate) async fn decider(session: &mut Session, shard: u32) -> Result<u64, Failure> {
    let sql = "SELECT epoch FROM lease WHERE shard = $1 AND role = 'decide'";
    let row = session.row(sqlx::query(sql).bind(number(shard))).await?;
    row.map_or_else(|| Err(append::no_shard(shard)), |row| row.count(0))
}
