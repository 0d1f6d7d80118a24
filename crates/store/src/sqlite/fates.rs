//! Fates: what became of a message, and the fact that tells it.

use super::append::append_facts;
use super::flight::{Flight, Part, Values};
use super::gate::Stand;
use super::rows::{Columns, nanos, signed};
use super::tx::Ending;
use super::{Session, Sqlite, caps, leases, settlements};
use crate::{Claim, ClaimRequest, ClockMode, Failure, NewFact, Recovered, Role};
use jiff::Timestamp;
use model::{AccountId, Channel, DeliveryState, Fact, MessageId, Outgoing};

/// Messages that expire in one transaction.
pub(crate) const EXPIRED_MAX: i64 = 500;
/// Attempts of a message whose fate is unknown, where its topic has it sent again.
pub(crate) const RESENDS_MAX: u32 = 3;

/// A delivery about to end, or to be tried again.
pub(crate) struct Standing {
    pub(crate) row: i64,
    pub(crate) shard: u32,
    pub(crate) attempts: u32,
    pub(crate) message: MessageId,
    pub(crate) account: AccountId,
    pub(crate) resends_unknown: bool,
}

impl Standing {
    pub(crate) fn of((row, shard, attempts): (i64, u32, u32), outgoing: &Outgoing) -> Self {
        Self {
            row,
            shard,
            attempts,
            message: outgoing.message.clone(),
            account: outgoing.account.clone(),
            resends_unknown: outgoing.resends_unknown,
        }
    }
}

/// Where a delivery goes: to its end, or back into the queue until then.
pub(crate) struct Move<'a> {
    pub(crate) row: i64,
    pub(crate) state: DeliveryState,
    pub(crate) until: Option<Timestamp>,
    pub(crate) detail: &'a str,
    pub(crate) now: Timestamp,
}

/// A delivery that has ended, and is to be told.
pub(crate) struct Ended {
    pub(crate) row: i64,
    pub(crate) state: DeliveryState,
    pub(crate) attempts: u32,
    pub(crate) at: Timestamp,
    /// Under the live clock, its fact.
    pub(crate) fact: Option<NewFact>,
}

impl Ended {
    pub(crate) fn of(standing: &Standing, end: &End<'_>) -> Result<Self, Failure> {
        let fact = match end.clock {
            ClockMode::Live => Some(settled(standing, end)?),
            ClockMode::Log => None,
        };
        Ok(Self {
            row: standing.row,
            state: end.state,
            attempts: standing.attempts,
            at: end.now,
            fact,
        })
    }
}

/// How it ends.
#[derive(Clone)]
pub(crate) struct End<'a> {
    pub(crate) state: DeliveryState,
    pub(crate) detail: &'a str,
    /// What the gate found, where it said no.
    pub(crate) stopped: Option<&'a Stand>,
    pub(crate) now: Timestamp,
    pub(crate) clock: ClockMode,
}

/// What senders of older epochs left claimed.
pub(crate) const LEFT: &str = "SELECT d.id, d.shard, d.attempts, o.outgoing, d.claim, d.claim_epoch, \
        EXISTS (SELECT 1 FROM attempt t WHERE t.delivery = d.id AND t.claim = d.claim) \
        FROM delivery d JOIN outbox o ON o.id = d.id \
        WHERE d.shard = ? AND d.state = 'claimed' AND d.claim_epoch < ? ORDER BY d.id";

/// What of a shard expired while it waited.
pub(crate) const EXPIRED: Part = Part::plain(
    "SELECT d.id, d.shard, d.attempts, o.outgoing FROM delivery d JOIN outbox o ON o.id = d.id \
    WHERE d.shard = ? AND d.state IN ('queued', 'deferred') AND d.expires_at <= ? \
    ORDER BY d.expires_at, d.id LIMIT ? + 0",
);
/// Moves a list of deliveries: those without an instant to wait for keep theirs.
pub(crate) const PLACE: Part = Part::over(
    5,
    "WITH j (id, state, until, detail, now) AS ({list}) \
    UPDATE OR ROLLBACK delivery SET state = j.state, ready_at = coalesce(j.until, ready_at), detail = j.detail, \
        updated_at = j.now FROM j WHERE delivery.id = j.id",
);
/// Writes a list of fates.
pub(crate) const FATES: Part = Part::over(
    5,
    "WITH j (id, state, attempt, at, position) AS ({list}) \
    INSERT INTO fate (delivery, state, attempt, at, position) \
    SELECT j.id, j.state, j.attempt, j.at, j.position FROM j WHERE j.id IS NOT NULL",
);

static PLACING: Flight = Flight::new(&[PLACE]);
static TELLING: Flight = Flight::new(&[FATES]);

impl Sqlite {
    pub(crate) async fn recover(
        &self,
        shard: u32,
        epoch: u64,
        now: Timestamp,
    ) -> Result<Recovered, Failure> {
        let clock = self.meta().clock;
        self.write(move |session| {
            Box::pin(async move { recover(session, (shard, epoch), now, clock).await })
        })
        .await
    }
}

/// The delivery in the columns 0 to 3: id, shard, attempts, outgoing.
pub(crate) fn standing(row: &impl Columns) -> Result<(Standing, Outgoing), Failure> {
    let outgoing = serde_json::from_str(&row.text(3)?);
    let outgoing = outgoing.map_err(|why| Failure::unreadable("a message", why))?;
    let standing = Standing::of((row.long(0)?, row.small(1)?, row.small(2)?), &outgoing);
    Ok((standing, outgoing))
}

/// Moves deliveries; each stands once among them.
pub(crate) async fn place(session: &mut Session, moves: &[Move<'_>]) -> Result<(), Failure> {
    PLACING.write(session, [placed(moves)]).await?;
    Ok(())
}

/// Moves as values of their statement.
pub(crate) fn placed<'m>(moves: &'m [Move<'_>]) -> Values<'m> {
    let row = |one: &'m Move<'_>| {
        let (state, detail) = (one.state.as_str().into(), one.detail.into());
        [
            one.row.into(),
            state,
            one.until.into(),
            detail,
            one.now.into(),
        ]
    };
    moves.iter().flat_map(row).collect()
}

/// Fates as values of their statement, with their places in the log where they have any.
pub(crate) fn told<'e>(ended: &'e [Ended], positions: &[u64]) -> Values<'e> {
    let positions = positions.iter().map(|position| Some(signed(*position)));
    let positions = positions.chain(std::iter::repeat(None));
    let row = |(one, position): (&'e Ended, Option<i64>)| {
        let (state, attempt) = (one.state.as_str().into(), one.attempts.into());
        [
            one.row.into(),
            state,
            attempt,
            one.at.into(),
            position.into(),
        ]
    };
    ended.iter().zip(positions).flat_map(row).collect()
}

/// The facts that tell them; under the clock of the log there are none.
pub(crate) fn facts(ended: &[Ended]) -> Vec<&NewFact> {
    ended.iter().filter_map(|one| one.fact.as_ref()).collect()
}

/// Writes fates, and (live clock) the facts that tell them, each into the log of its message's own shard.
async fn tell(session: &mut Session, ended: &[Ended]) -> Result<(), Failure> {
    let facts = facts(ended);
    let positions = match &facts[..] {
        [] => Vec::new(),
        facts => append_facts(session, facts).await?,
    };
    if !ended.is_empty() {
        TELLING.write(session, [told(ended, &positions)]).await?;
    }
    Ok(())
}

/// Ends one for good: state, fate and (live clock) the fact, in one transaction.
pub(crate) async fn finish(
    session: &mut Session,
    standing: &Standing,
    end: &End<'_>,
) -> Result<(), Failure> {
    place(session, &[last(standing, end)]).await?;
    tell(session, &[Ended::of(standing, end)?]).await
}

/// The last move of a delivery.
pub(crate) fn last<'a>(standing: &Standing, end: &End<'a>) -> Move<'a> {
    Move {
        row: standing.row,
        state: end.state,
        until: None,
        detail: end.detail,
        now: end.now,
    }
}

/// The fact that tells how a message ended.
pub(crate) fn settled(standing: &Standing, end: &End<'_>) -> Result<NewFact, Failure> {
    let message = standing.message.as_str();
    let attempt = standing.attempts.to_string();
    let digest = model::id::digest(&[message, end.state.as_str(), &attempt]);
    let id = blake3::Hash::from_bytes(digest).to_hex();
    let mut data = serde_json::Map::new();
    data.insert("message".to_owned(), message.into());
    data.insert("state".to_owned(), end.state.as_str().into());
    data.insert("attempt".to_owned(), standing.attempts.into());
    if let Some(stand) = end.stopped {
        data.insert("scope".to_owned(), (&*stand.scope).into());
        data.insert("reason".to_owned(), (&*stand.reason).into());
        if let Some(until) = stand.until() {
            data.insert("until".to_owned(), until.to_string().into());
        }
    }
    let fact = Fact {
        specversion: "1.0".into(),
        id: id[..32].into(),
        source: "sottaku".into(),
        kind: "message.settled".into(),
        subject: Some(standing.account.as_str().into()),
        time: Some(end.now),
        is_history: false,
        arrived_at: None,
        data,
    };
    let json = serde_json::to_string(&fact)
        .map_err(|why| Failure::Database(format!("a fate is no JSON: {why}").into()))?;
    Ok(NewFact {
        shard: standing.shard,
        arrived_at: end.now,
        json: json.into(),
    })
}

/// Puts one back into the queue.
pub(crate) async fn wait(
    session: &mut Session,
    standing: &Standing,
    until: Timestamp,
    end: &End<'_>,
) -> Result<(), Failure> {
    let back = Move {
        state: DeliveryState::Deferred,
        until: Some(until),
        ..last(standing, end)
    };
    place(session, &[back]).await
}

/// Kept as unknown, unless its topic has it sent again; true if so.
async fn unknown(
    session: &mut Session,
    standing: &Standing,
    end: &End<'_>,
) -> Result<bool, Failure> {
    if standing.resends_unknown && standing.attempts < RESENDS_MAX {
        wait(session, standing, end.now, end).await?;
        return Ok(true);
    }
    finish(session, standing, end).await?;
    Ok(false)
}

/// What is asked for what expired while it waited.
pub(crate) fn expired(request: ClaimRequest) -> Values<'static> {
    let (shard, now) = (request.shard.into(), request.now.into());
    vec![shard, now, EXPIRED_MAX.into()]
}

/// Settles what expired while it waited; says how many.
pub(crate) async fn expire(
    session: &mut Session,
    expired: &[impl Columns],
    (request, clock): (ClaimRequest, ClockMode),
) -> Result<usize, Failure> {
    let end = End {
        state: DeliveryState::Expired,
        detail: "its window closed before it could leave",
        stopped: None,
        now: request.now,
        clock,
    };
    let (mut moves, mut ended) = (Vec::new(), Vec::new());
    for row in expired {
        let (standing, _) = standing(row)?;
        moves.push(last(&standing, &end));
        ended.push(Ended::of(&standing, &end)?);
    }
    if moves.is_empty() {
        return Ok(0);
    }
    place(session, &moves).await?;
    tell(session, &ended).await?;
    Ok(moves.len())
}

async fn recover(
    session: &mut Session,
    (shard, epoch): (u32, u64),
    now: Timestamp,
    clock: ClockMode,
) -> Result<Ending<Recovered>, Failure> {
    let mut recovered = Recovered::default();
    if leases::epoch(session, shard, Role::Send).await? != epoch {
        return Ok(Ending::Rollback(recovered));
    }
    let query = sqlx::query(LEFT).bind(i64::from(shard)).bind(signed(epoch));
    for row in session.rows(query).await? {
        let (standing, outgoing) = standing(&row)?;
        let end = End {
            state: DeliveryState::Unknown,
            detail: "its sender ended between the attempt and its result",
            stopped: None,
            now,
            clock,
        };
        if row.long(6)? == 0 {
            requeue(session, &standing, now).await?;
            recovered.queued += 1;
            continue;
        }
        let claim = Claim {
            message: standing.message.clone(),
            shard,
            epoch: row.count(5)?,
            row: standing.row,
            id: row.long(4)?,
            about: std::sync::Arc::default(),
        };
        settlements::end_attempts(session, &[(&claim, end.clone())]).await?;
        // Whoever is called knows a message that comes again by its id.
        if let Channel::Webhook { .. } = outgoing.channel {
            wait(session, &standing, now, &end).await?;
            recovered.resent += 1;
            continue;
        }
        if unknown(session, &standing, &end).await? {
            recovered.resent += 1;
        } else {
            recovered.unknown += 1;
        }
    }
    Ok(Ending::Commit(recovered))
}

/// Nothing had begun: as if it had never been claimed.
async fn requeue(
    session: &mut Session,
    standing: &Standing,
    now: Timestamp,
) -> Result<(), Failure> {
    caps::give_back(session, &[standing.row]).await?;
    let sql = "UPDATE delivery SET state = 'queued', updated_at = ? WHERE id = ?";
    let query = sqlx::query(sql).bind(nanos(now)).bind(standing.row);
    session.execute(query).await?;
    Ok(())
}
