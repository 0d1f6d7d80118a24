//! Claims: the right to hand over one message.

use super::rows::{Columns, nanos};
use super::tx::Ending;
use super::{Session, Sqlite, admission, fates, leases, switches};
use crate::{ClaimRequest, Claimed, ClockMode, Failure, Role, Switch};

/// Pages of what is ready that one claim looks through for messages that may leave.
const PAGES_MAX: usize = 20;

/// Whether anything has expired.
pub(crate) const EXPIRING: &str = "SELECT 1 FROM delivery \
    WHERE shard = ? AND state IN ('queued', 'deferred') AND expires_at <= ? LIMIT 1";
/// The next less urgent priority of what waits.
pub(crate) const NEXT_PRIORITY: &str = "SELECT min(priority) FROM delivery \
    WHERE shard = ? AND state IN ('queued', 'deferred') AND priority > ?";
/// What is ready within a priority, but for what has an earlier one before it in its lane; as one list. With a sum for a
/// limit SQLite does not plan anew for each that is given.
pub(crate) const READY: &str = "SELECT json_group_array(id) FROM (SELECT id FROM delivery d \
    WHERE shard = ? AND state IN ('queued', 'deferred') AND priority = ? AND ready_at <= ? \
    AND (lane IS NULL OR NOT EXISTS (SELECT 1 FROM delivery e WHERE e.lane = d.lane AND e.id < d.id \
    AND e.state IN ('queued', 'deferred', 'claimed'))) \
    ORDER BY ready_at, id LIMIT ? + 0) j";

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
        let list = session.row(query).await?.map(|row| row.text(0));
        let list = list.transpose()?;
        let found: Vec<i64> = serde_json::from_str(list.as_deref().unwrap_or("[]"))
            .map_err(|why| Failure::unreadable("a list", why))?;
        left -= u32::try_from(found.len()).unwrap_or(left).min(left);
        ready.extend(found);
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
    let mut moved = fates::expire(session, request, clock).await?;
    let mut claimed = Vec::new();
    for _ in 0..PAGES_MAX {
        let count_max = request.count_max - u32::try_from(claimed.len()).unwrap_or(u32::MAX);
        let page = ClaimRequest {
            count_max,
            ..request
        };
        let ids = ready(session, page).await?;
        if ids.is_empty() {
            break;
        }
        moved += ids.len();
        let page = admission::admit(session, page, (ids, clock)).await?;
        claimed.extend(page);
    }
    if moved == 0 {
        return Ok(Ending::Rollback(claimed));
    }
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
