//! Claims and attempts: the right to hand over one message, and the row that says it has begun.

use super::accounts::json;
use super::rows::{Columns, nanos};
use super::tx::Ending;
use super::{Session, Sqlite, fates, leases, switches};
use crate::{AddressKey, Claim, ClaimRequest, Claimed, ClockMode, Failure, Role, Switch};
use jiff::Timestamp;
use model::Outgoing;
use sqlx::sqlite::SqliteRow;

/// The negative control: attempts are written whether or not the claim holds.
const UNCHECKED: bool = cfg!(sottaku_teeth = "attempt");

/// Whether anything has expired.
pub(crate) const EXPIRING: &str = "SELECT 1 FROM delivery \
    WHERE shard = ? AND state IN ('queued', 'deferred') AND expires_at <= ? LIMIT 1";
/// The next less urgent priority of what waits.
pub(crate) const NEXT_PRIORITY: &str = "SELECT min(priority) FROM delivery \
    WHERE shard = ? AND state IN ('queued', 'deferred') AND priority > ?";
/// What is ready within a priority.
pub(crate) const READY: &str = "SELECT id FROM delivery \
    WHERE shard = ? AND state IN ('queued', 'deferred') AND priority = ? AND ready_at <= ? \
    ORDER BY ready_at, id LIMIT ?";

impl Sqlite {
    pub(crate) async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claimed>, Failure> {
        // Asked without the lock first: most of the time nothing is ready.
        if !self.is_anything_ready(request).await? {
            return Ok(Vec::new());
        }
        let clock = self.meta().clock;
        let claiming = self.inner.writer.run(move |connection| {
            Box::pin(async move {
                let written = connection.transact_settled(
                    move |session| Box::pin(async move { claim(session, request, clock).await }),
                    |session, claimed| Box::pin(async move { is_claimed(session, claimed).await }),
                );
                written.await
            })
        });
        claiming.await?
    }

    pub(crate) async fn attempt(
        &self,
        claim: &Claim,
        n: u32,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let claim = claim.clone();
        self.share(move |session| Box::pin(async move { attempt(session, &claim, n, now).await }))
            .await
    }

    pub(crate) async fn may_send(&self, claim: &Claim, now: Timestamp) -> Result<bool, Failure> {
        let claim = claim.clone();
        self.read(move |session| Box::pin(async move { holds(session, &claim, now).await }))
            .await
    }

    async fn is_anything_ready(&self, request: ClaimRequest) -> Result<bool, Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let query = sqlx::query(EXPIRING)
                    .bind(i64::from(request.shard))
                    .bind(nanos(request.now));
                if session.row(query).await?.is_some() {
                    return Ok(true);
                }
                let one = ClaimRequest {
                    count_max: request.count_max.min(1),
                    ..request
                };
                Ok(!ready(session, one).await?.is_empty())
            })
        })
        .await
    }
}

/// The rows that are ready, most urgent first: each priority by itself, so that what waits is never walked through.
async fn ready(session: &mut Session, request: ClaimRequest) -> Result<Vec<i64>, Failure> {
    let shard = i64::from(request.shard);
    let mut ready = Vec::new();
    let mut left = request.count_max;
    let mut priority = i64::MIN;
    while left > 0 {
        let query = sqlx::query(NEXT_PRIORITY).bind(shard).bind(priority);
        let Some(next) = session.row(query).await?.map(|row| row.maybe_long(0)) else {
            break;
        };
        let Some(next) = next? else {
            break;
        };
        let query = sqlx::query(READY)
            .bind(shard)
            .bind(next)
            .bind(nanos(request.now))
            .bind(left);
        for row in session.rows(query).await? {
            ready.push(row.long(0)?);
            left -= 1;
        }
        priority = next;
    }
    Ok(ready)
}

async fn claim(
    session: &mut Session,
    request: ClaimRequest,
    clock: ClockMode,
) -> Result<Ending<Vec<Claimed>>, Failure> {
    let epoch = leases::epoch(session, request.shard, Role::Send).await?;
    if epoch != request.epoch || !switches::is_on(session, Switch::SEND).await? {
        return Ok(Ending::Rollback(Vec::new()));
    }
    let expired = fates::expire(session, request, clock).await?;
    let ids = json(&ready(session, request).await?);
    let sql = "SELECT d.id, d.claim + 1, d.attempts, o.outgoing, o.addresses FROM json_each(?) j \
        CROSS JOIN delivery d ON d.id = j.value CROSS JOIN outbox o ON o.id = d.id ORDER BY j.key";
    let rows = session.rows(sqlx::query(sql).bind(&*ids)).await?;
    let claimed: Result<Vec<Claimed>, Failure> =
        rows.iter().map(|row| claimed(row, request)).collect();
    let claimed = claimed?;
    if claimed.is_empty() && expired == 0 {
        return Ok(Ending::Rollback(claimed));
    }
    let sql = "UPDATE delivery SET state = 'claimed', claim = claim + 1, claim_epoch = ?1, \
        claimed_at = ?2, updated_at = ?2 WHERE id IN (SELECT value FROM json_each(?3))";
    let query = sqlx::query(sql)
        .bind(super::rows::signed(request.epoch))
        .bind(nanos(request.now))
        .bind(ids);
    session.execute(query).await?;
    Ok(Ending::Commit(claimed))
}

/// Whether claims whose answer was lost are there; without one there is nothing to lose.
async fn is_claimed(session: &mut Session, claimed: &[Claimed]) -> Result<bool, Failure> {
    let Some(first) = claimed.first() else {
        return Ok(true);
    };
    let sql = "SELECT 1 FROM delivery WHERE id = ? AND state = 'claimed' AND claim = ? AND claim_epoch = ?";
    let query = sqlx::query(sql)
        .bind(first.claim.row)
        .bind(first.claim.id)
        .bind(super::rows::signed(first.claim.epoch));
    Ok(session.row(query).await?.is_some())
}

fn claimed(row: &SqliteRow, request: ClaimRequest) -> Result<Claimed, Failure> {
    let outgoing: Outgoing =
        serde_json::from_str(&row.text(3)?).map_err(|why| Failure::unreadable("a message", why))?;
    Ok(Claimed {
        claim: Claim {
            message: outgoing.message.clone(),
            shard: request.shard,
            epoch: request.epoch,
            row: row.long(0)?,
            id: row.long(1)?,
        },
        outgoing,
        addresses: addresses(&row.text(4)?)?,
        attempts: row.small(2)?,
    })
}

fn addresses(text: &str) -> Result<Vec<AddressKey>, Failure> {
    let keys: Vec<String> =
        serde_json::from_str(text).map_err(|why| Failure::unreadable("addresses", why))?;
    let key = |hex: &String| {
        let hash = blake3::Hash::from_hex(hex.as_bytes());
        let hash = hash.map_err(|why| Failure::unreadable("an address", why))?;
        Ok(AddressKey(*hash.as_bytes()))
    };
    keys.iter().map(key).collect()
}

/// Whether a claim still gives the right to send: claimed with this id, under an epoch that is the lease's, not
/// expired, and sending is on.
async fn holds(session: &mut Session, claim: &Claim, now: Timestamp) -> Result<bool, Failure> {
    if UNCHECKED {
        return Ok(true);
    }
    if !switches::is_on(session, Switch::SEND).await? {
        return Ok(false);
    }
    let sql = "SELECT 1 FROM delivery d JOIN lease l ON l.shard = d.shard AND l.role = 'send' \
        WHERE d.id = ? AND d.state = 'claimed' AND d.claim = ? AND d.claim_epoch = ? \
        AND l.epoch = d.claim_epoch AND (d.expires_at IS NULL OR d.expires_at > ?)";
    let query = sqlx::query(sql)
        .bind(claim.row)
        .bind(claim.id)
        .bind(super::rows::signed(claim.epoch))
        .bind(nanos(now));
    Ok(session.row(query).await?.is_some())
}

/// Written again by the same claim it stays as it is; a number that another claim used is refused.
async fn attempt(
    session: &mut Session,
    claim: &Claim,
    n: u32,
    now: Timestamp,
) -> Result<Ending<bool>, Failure> {
    if !holds(session, claim, now).await? {
        return Ok(Ending::Rollback(false));
    }
    let sql = "INSERT INTO attempt (delivery, n, claim, epoch, started_at) VALUES (?, ?, ?, ?, ?) \
        ON CONFLICT (delivery, n) DO UPDATE SET claim = claim \
        WHERE claim = excluded.claim AND epoch = excluded.epoch AND ended_at IS NULL";
    let query = sqlx::query(sql)
        .bind(claim.row)
        .bind(i64::from(n))
        .bind(claim.id)
        .bind(super::rows::signed(claim.epoch))
        .bind(nanos(now));
    let is_written = session.execute(query).await? == 1;
    if !is_written && !UNCHECKED {
        return Ok(Ending::Rollback(false));
    }
    let sql = "UPDATE delivery SET attempts = max(attempts, ?) WHERE id = ?";
    let query = sqlx::query(sql).bind(i64::from(n)).bind(claim.row);
    session.execute(query).await?;
    Ok(Ending::Commit(true))
}
