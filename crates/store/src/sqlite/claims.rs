//! Claims: the right to hand over one message.

use super::admission::Candidate;
use super::flight::{Answer, Flight, Part, Value, Values};
use super::rows::{Columns, instant_of, nanos};
use super::tx::Ending;
use super::{Session, Sqlite, admission, fates};
use crate::{ClaimRequest, Claimed, ClockMode, Failure, Switch};
use model::Outgoing;
use std::sync::PoisonError;

/// The next less urgent priority of what waits in a shard.
macro_rules! next_priority {
    () => {
        "SELECT min(priority) FROM delivery \
        WHERE shard = ? AND state IN ('queued', 'deferred') AND priority > ?"
    };
}

/// Pages of what is ready that one claim looks through for messages that may leave …
const PAGES_MAX: usize = 20;
/// … each of so many at the most.
const PAGE_MAX: u32 = 256;

/// Whether anything has expired.
pub(crate) const EXPIRING: &str = "SELECT 1 FROM delivery \
    WHERE shard = ? AND state IN ('queued', 'deferred') AND expires_at <= ? LIMIT 1";
/// The next less urgent priority of what waits.
pub(crate) const NEXT_PRIORITY: Part = Part::plain(next_priority!());
/// What is ready within the next less urgent priority, but for what has an earlier one before it in its lane; with all that
/// is asked of it before it leaves, in one text: the way of a row to its reader is longer than to its place there. With a
/// sum for a limit SQLite does not plan anew for each that is given.
pub(crate) const CANDIDATES: Part = Part::plain(concat!(
    "SELECT '[' || group_concat('[' || d.id || ',' || d.attempts || ',' || (d.claim + 1) || ',' || \
        coalesce(o.revision, 'null') || ',' || coalesce(o.related_until, 'null') || ',' || d.ready_at || ',' || \
        o.addresses || ',' || o.outgoing || ']') || ']' \
    FROM (SELECT id FROM delivery d WHERE shard = ? AND state IN ('queued', 'deferred') AND priority = (",
    next_priority!(),
    ") AND ready_at <= ? AND (lane IS NULL OR NOT EXISTS (SELECT 1 FROM delivery e WHERE e.lane = d.lane \
    AND e.id < d.id AND e.state IN ('queued', 'deferred', 'claimed'))) ORDER BY ready_at, id LIMIT ? + 0) j \
    CROSS JOIN delivery d ON d.id = j.id CROSS JOIN outbox o ON o.id = d.id"
));
/// Who may claim: the lease's epoch, and whether the switch of all that is sent is on.
const RIGHT: Part = Part::plain(
    "SELECT epoch, (SELECT is_on FROM switch WHERE name = ?) FROM lease WHERE shard = ? AND role = 'send'",
);

static BEGINNING: Flight = Flight::new(&[RIGHT, fates::EXPIRED, NEXT_PRIORITY, CANDIDATES]);
static GOING_ON: Flight = Flight::new(&[NEXT_PRIORITY, CANDIDATES]);

impl Sqlite {
    pub(crate) async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claimed>, Failure> {
        // Asked without the lock first: most of the time nothing is ready.
        if !self.was_full(request.shard) && !self.is_anything_ready(request).await? {
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
        let claimed = claiming.await??;
        let count = u32::try_from(claimed.len()).unwrap_or(u32::MAX);
        let is_full = count > 0 && count == request.count_max;
        self.note_full(request.shard, is_full);
        Ok(claimed)
    }

    fn was_full(&self, shard: u32) -> bool {
        let full = self.inner.full.lock();
        full.unwrap_or_else(PoisonError::into_inner)
            .contains(&shard)
    }

    fn note_full(&self, shard: u32, is_full: bool) {
        let full = self.inner.full.lock();
        let mut full = full.unwrap_or_else(PoisonError::into_inner);
        match is_full {
            true => full.insert(shard),
            false => full.remove(&shard),
        };
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
                is_ready(session, request).await
            })
        })
        .await
    }
}

/// Whether anything is ready: each priority by itself, so that what waits is never walked through.
async fn is_ready(session: &mut Session, request: ClaimRequest) -> Result<bool, Failure> {
    let one = ClaimRequest {
        count_max: request.count_max.min(1),
        ..request
    };
    let mut after = i64::MIN;
    loop {
        let [next, ready] = GOING_ON.read(session, Page::values(one, after)).await?;
        if listed(&ready)?.is_some() {
            return Ok(true);
        }
        match priority(&next)? {
            Some(priority) => after = priority,
            None => return Ok(false),
        }
    }
}

/// The priority that is next; none: nothing waits behind.
fn priority(next: &Answer) -> Result<Option<i64>, Failure> {
    let priority = next.rows.first().map(|row| row.maybe_long(0));
    Ok(priority.transpose()?.flatten())
}

/// The page of a claim: those of one priority that are ready, in their order.
struct Page {
    /// None: nothing waits any more.
    priority: Option<i64>,
    /// So many were asked for at the most.
    asked: usize,
    candidates: Vec<Claimed>,
}

impl Page {
    /// What is asked for a page behind a priority.
    fn values(request: ClaimRequest, after: i64) -> [Values<'static>; 2] {
        let shard = Value::from(request.shard);
        let (after, limit) = (after.into(), request.count_max.min(PAGE_MAX).into());
        [
            vec![shard, after],
            vec![shard, shard, after, request.now.into(), limit],
        ]
    }

    fn of(
        (next, candidates): (&Answer, &Answer),
        request: ClaimRequest,
        clock: ClockMode,
    ) -> Result<Self, Failure> {
        let text = listed(candidates)?;
        let mut ready: Vec<Ready> = serde_json::from_str(text.as_deref().unwrap_or("[]"))
            .map_err(|why| Failure::unreadable("messages that are ready", why))?;
        ready.sort_by_key(|(row, _, _, _, _, ready_at, ..)| (*ready_at, *row));
        let candidates = ready.into_iter().map(candidate);
        let claimed = candidates.map(|found| Ok(found?.claimed(request, clock)));
        Ok(Self {
            priority: priority(next)?,
            asked: usize::try_from(request.count_max.min(PAGE_MAX)).unwrap_or(usize::MAX),
            candidates: claimed.collect::<Result<_, Failure>>()?,
        })
    }
}

/// The list of what is ready; none: nothing is.
fn listed(candidates: &Answer) -> Result<Option<Box<str>>, Failure> {
    let row = candidates.rows.first();
    Ok(row.map(|row| row.maybe_text(0)).transpose()?.flatten())
}

/// One of them: id, attempts, claim, revision, end of the relation, when it was ready, addresses, what was decided.
type Ready = (
    i64,
    u32,
    i64,
    Option<i64>,
    Option<i64>,
    i64,
    Vec<Box<str>>,
    Outgoing,
);

fn candidate(
    (row, attempts, claim, revision, related_until, _, addresses, outgoing): Ready,
) -> Result<Candidate, Failure> {
    Ok(Candidate {
        row,
        attempts,
        claim,
        revision: admission::revision_of(revision)?,
        related_until: related_until.map(instant_of),
        addresses: admission::keys_of(&addresses)?,
        outgoing,
    })
}

async fn claim(
    session: &mut Session,
    request: ClaimRequest,
    clock: ClockMode,
) -> Result<Ending<Vec<Claimed>>, Failure> {
    let mut after = i64::MIN;
    let [next, ready] = Page::values(request, after);
    let shard = Value::from(request.shard);
    let asking = [
        vec![Switch::SEND.into(), shard],
        fates::expired(request),
        next,
        ready,
    ];
    let [right, expired, next, ready] = BEGINNING.read(session, asking).await?;
    if !has_right(&right, request)? {
        return Ok(Ending::Rollback(Vec::new()));
    }
    let mut moved = fates::expire(session, &expired.rows, (request, clock)).await?;
    let mut page = match moved {
        0 => Page::of((&next, &ready), request, clock)?,
        // What has expired was ready, too.
        _ => page(session, (request, after), clock).await?,
    };
    let mut claimed = Vec::new();
    for _ in 0..PAGES_MAX {
        let Some(priority) = page.priority else {
            break;
        };
        let found = page.candidates.len();
        moved += found;
        let admitted = admission::admit(session, request, (page.candidates, clock)).await?;
        claimed.extend(admitted);
        let taken = u32::try_from(claimed.len()).unwrap_or(u32::MAX);
        let Some(count_max @ 1..) = request.count_max.checked_sub(taken) else {
            break;
        };
        // Nothing more is ready in a priority of which not all that was asked for was found.
        if found < page.asked {
            after = priority;
        }
        let next = ClaimRequest {
            count_max,
            ..request
        };
        page = self::page(session, (next, after), clock).await?;
    }
    if moved == 0 {
        return Ok(Ending::Rollback(claimed));
    }
    Ok(Ending::Commit(claimed))
}

/// Whether the lease is that of the claim, and sending is switched on.
fn has_right(right: &Answer, request: ClaimRequest) -> Result<bool, Failure> {
    let Some(row) = right.rows.first() else {
        let shard = request.shard;
        return Err(Failure::Database(
            format!("there is no shard {shard}").into(),
        ));
    };
    let is_on = row.maybe_long(1)?.is_none_or(|is_on| is_on != 0);
    Ok(row.count(0)? == request.epoch && is_on)
}

async fn page(
    session: &mut Session,
    (request, after): (ClaimRequest, i64),
    clock: ClockMode,
) -> Result<Page, Failure> {
    let [next, ready] = GOING_ON.read(session, Page::values(request, after)).await?;
    Page::of((&next, &ready), request, clock)
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
