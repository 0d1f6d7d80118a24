//! Claims: the right to hand over one message.
//!
//! They, and attempts, hold the row of the sender's lease until their commit, so nothing of an older epoch comes after a
//! takeover: the successor sees all of it.

use super::rows::{Columns, nanos, number, signed};
use super::session::Session;
use super::tx::Ending;
use super::{Postgres, admission, append, fates, switches};
use crate::{ClaimRequest, Claimed, ClockMode, Failure, Switch};

/// The negative control: what is ready is claimed under whatever epoch.
fn is_unleased() -> bool {
    model::teeth::is_out("lease")
}

/// Pages of what is ready that one claim looks through for messages that may leave.
const PAGES_MAX: usize = 20;

/// Whether anything has expired.
pub(crate) const EXPIRING: &str = "SELECT id FROM delivery \
    WHERE shard = $1 AND state IN ('queued', 'deferred') AND expires_at <= $2 LIMIT 1";
/// The next less urgent priority of what waits.
pub(crate) const NEXT_PRIORITY: &str = "SELECT min(priority) FROM delivery \
    WHERE shard = $1 AND state IN ('queued', 'deferred') AND priority > $2";

/// What is ready within a priority, but for what has an earlier one before it in its lane.
macro_rules! ready {
    ($hold:literal) => {
        concat!(
            "SELECT d.id FROM delivery d \
            WHERE shard = $1 AND state IN ('queued', 'deferred') AND priority = $2 AND ready_at <= $3 \
            AND (lane IS NULL OR NOT EXISTS (SELECT 1 FROM delivery e \
                WHERE e.lane = d.lane AND e.lane IS NOT NULL AND e.id < d.id \
                AND e.state IN ('queued', 'deferred', 'claimed'))) \
            ORDER BY ready_at, id LIMIT $4",
            $hold
        )
    };
}

/// Only asked.
pub(crate) const READY: &str = ready!("");
/// Taken, but for what another claim has taken.
pub(crate) const READY_TAKEN: &str = ready!(" FOR UPDATE OF d SKIP LOCKED");

impl Postgres {
    pub(crate) async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claimed>, Failure> {
        // Asked without a lock first: most of the time nothing is ready.
        if !self.is_anything_ready(request).await? {
            return Ok(Vec::new());
        }
        let input = (request, self.meta().clock);
        self.settled(
            request.shard,
            input,
            (
                |session, &(request, clock): &(ClaimRequest, ClockMode)| {
                    Box::pin(claim(session, request, clock))
                },
                |session, (request, _): &(ClaimRequest, ClockMode), claimed: &Vec<Claimed>| {
                    Box::pin(is_claimed(session, request.shard, claimed))
                },
            ),
        )
        .await
    }

    async fn is_anything_ready(&self, request: ClaimRequest) -> Result<bool, Failure> {
        self.read(request, |session, request| {
            Box::pin(async move {
                let query = sqlx::query(EXPIRING)
                    .bind(number(request.shard))
                    .bind(nanos(request.now));
                if session.row(query).await?.is_some() {
                    return Ok(true);
                }
                let one = ClaimRequest {
                    count_max: request.count_max.min(1),
                    ..*request
                };
                Ok(!ready(session, one, READY).await?.is_empty())
            })
        })
        .await
    }
}

/// The rows that are ready, most urgent first: each priority by itself, so that what waits is never walked through.
async fn ready(
    session: &mut Session,
    request: ClaimRequest,
    sql: &'static str,
) -> Result<Vec<i64>, Failure> {
    let shard = number(request.shard);
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
        let query = sqlx::query(sql)
            .bind(shard)
            .bind(next)
            .bind(nanos(request.now))
            .bind(i64::from(left));
        for row in session.rows(query).await? {
            ready.push(row.long(0)?);
            left -= 1;
        }
        priority = next;
    }
    Ok(ready)
}

/// The epoch of the sender's lease, whose row is held until the commit.
pub(crate) async fn sender(session: &mut Session, shard: u32) -> Result<u64, Failure> {
    let sql = "SELECT epoch FROM lease WHERE shard = $1 AND role = 'send' FOR SHARE";
    let row = session.row(sqlx::query(sql).bind(number(shard))).await?;
    row.map_or_else(|| Err(append::no_shard(shard)), |row| row.count(0))
}

async fn claim(
    session: &mut Session,
    request: ClaimRequest,
    clock: ClockMode,
) -> Result<Ending<Vec<Claimed>>, Failure> {
    let epoch = sender(session, request.shard).await?;
    if !is_unleased() && epoch != request.epoch {
        return Ok(Ending::Rollback(Vec::new()));
    }
    if !switches::is_on(session, Switch::SEND).await? {
        return Ok(Ending::Rollback(Vec::new()));
    }
    let mut ended = fates::expire(session, request).await?;
    let mut moved = ended.len();
    let mut claimed = Vec::new();
    for _ in 0..PAGES_MAX {
        let count_max = request.count_max - u32::try_from(claimed.len()).unwrap_or(u32::MAX);
        let page = ClaimRequest {
            count_max,
            ..request
        };
        let ids = ready(session, page, READY_TAKEN).await?;
        if ids.is_empty() {
            break;
        }
        moved += ids.len();
        let page = admission::admit(session, page, (ids, clock)).await?;
        claimed.extend(page.admitted);
        ended.extend(page.stopped);
    }
    fates::tell(session, ended, clock).await?;
    if moved == 0 {
        return Ok(Ending::Rollback(claimed));
    }
    Ok(Ending::Commit(claimed))
}

/// Whether claims whose answer was lost are there; without one there is nothing to lose.
async fn is_claimed(
    session: &mut Session,
    shard: u32,
    claimed: &[Claimed],
) -> Result<bool, Failure> {
    let Some(first) = claimed.first() else {
        return Ok(true);
    };
    sender(session, shard).await?;
    let sql = "SELECT id FROM delivery \
        WHERE id = $1 AND state = 'claimed' AND claim = $2 AND claim_epoch = $3";
    let query = sqlx::query(sql)
        .bind(first.claim.row)
        .bind(first.claim.id)
        .bind(signed(first.claim.epoch));
    Ok(session.row(query).await?.is_some())
}
