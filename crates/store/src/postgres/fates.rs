//! Fates: what became of a message, and the fact that tells it. The facts of one transaction are appended at its end,
//! since the ends of logs are the last rows that any transaction takes.

use super::append::append_facts;
use super::rows::{Columns, nanos, number, signed, word};
use super::session::Session;
use super::tx::Ending;
use super::{Postgres, caps, claims, settlements};
use crate::sqlite::fates::{EXPIRED_MAX, End, Ended, Move, RESENDS_MAX, Standing, last, standing};
use crate::{Claim, ClaimRequest, ClockMode, Failure, NewFact, Recovered};
use jiff::Timestamp;
use model::{Channel, DeliveryState};
use std::borrow::Cow;

/// What senders of older epochs left claimed; none of them writes any more, since the lease was taken from them.
pub(crate) const LEFT: &str = "SELECT d.id, d.shard, d.attempts, o.outgoing, d.claim, d.claim_epoch, \
        (EXISTS (SELECT 1 FROM attempt t WHERE t.delivery = d.id AND t.claim = d.claim))::int::bigint \
    FROM delivery d JOIN outbox o ON o.id = d.id \
    WHERE d.shard = $1 AND d.state = 'claimed' AND d.claim_epoch < $2 ORDER BY d.id FOR UPDATE OF d";
pub(crate) const EXPIRED: &str = "SELECT d.id, d.shard, d.attempts, o.outgoing FROM delivery d \
    JOIN outbox o ON o.id = d.id \
    WHERE d.shard = $1 AND d.state IN ('queued', 'deferred') AND d.expires_at <= $2 \
    ORDER BY d.expires_at, d.id LIMIT $3 FOR UPDATE OF d SKIP LOCKED";
const FATES: &str = "INSERT INTO fate (delivery, state, attempt, at, position) \
    SELECT delivery, state, attempt, at, position FROM unnest( \
        $1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) WITH ORDINALITY \
        f (delivery, state, attempt, at, position, n) ORDER BY n";

/// Moves a list of deliveries: those without an instant to wait for keep theirs.
pub(crate) const PLACE: &str = "UPDATE delivery SET state = j.state, ready_at = coalesce(j.until, ready_at), \
        detail = j.detail, updated_at = j.now \
    FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[]) \
        j (id, state, until, detail, now) WHERE delivery.id = j.id";

impl Postgres {
    pub(crate) async fn recover(
        &self,
        shard: u32,
        epoch: u64,
        now: Timestamp,
    ) -> Result<Recovered, Failure> {
        let input = (shard, epoch, now, self.meta().clock);
        self.write(input, |session, &(shard, epoch, now, clock)| {
            Box::pin(recover(session, (shard, epoch), now, clock))
        })
        .await
    }
}

/// Moves deliveries; each stands once among them.
pub(crate) async fn place(session: &mut Session, moves: &[Move<'_>]) -> Result<(), Failure> {
    let rows: Vec<i64> = moves.iter().map(|one| one.row).collect();
    let states: Vec<&str> = moves.iter().map(|one| one.state.as_str()).collect();
    let instants: Vec<Option<i64>> = moves.iter().map(|one| one.until.map(nanos)).collect();
    let details: Vec<Cow<'_, str>> = moves.iter().map(|one| word(one.detail)).collect();
    let now: Vec<i64> = moves.iter().map(|one| nanos(one.now)).collect();
    let query = sqlx::query(PLACE)
        .bind(rows)
        .bind(states)
        .bind(instants)
        .bind(details)
        .bind(now);
    session.execute(query).await?;
    Ok(())
}

/// Ends one for good; to be told before the transaction ends.
pub(crate) async fn end(
    session: &mut Session,
    standing: &Standing,
    end: &End<'_>,
) -> Result<Ended, Failure> {
    place(session, &[last(standing, end)]).await?;
    Ended::of(standing, end)
}

/// Writes the fates, and (live clock) the facts into the logs.
pub(crate) async fn tell(
    session: &mut Session,
    ended: Vec<Ended>,
    clock: ClockMode,
) -> Result<(), Failure> {
    if ended.is_empty() {
        return Ok(());
    }
    let facts: Vec<&NewFact> = ended.iter().filter_map(|one| one.fact.as_ref()).collect();
    let positions: Vec<Option<i64>> = match clock {
        ClockMode::Live => append_facts(session, &facts)
            .await?
            .into_iter()
            .map(|position| Some(signed(position)))
            .collect(),
        ClockMode::Log => vec![None; ended.len()],
    };
    let rows: Vec<i64> = ended.iter().map(|one| one.row).collect();
    let states: Vec<&str> = ended.iter().map(|one| one.state.as_str()).collect();
    let attempts: Vec<i64> = ended.iter().map(|one| i64::from(one.attempts)).collect();
    let instants: Vec<i64> = ended.iter().map(|one| nanos(one.at)).collect();
    let query = sqlx::query(FATES)
        .bind(rows)
        .bind(states)
        .bind(attempts)
        .bind(instants)
        .bind(positions);
    session.execute(query).await?;
    Ok(())
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

/// Kept as unknown, unless its topic has it sent again: then it has not ended.
async fn unknown(
    session: &mut Session,
    standing: &Standing,
    end: &End<'_>,
) -> Result<Option<Ended>, Failure> {
    if standing.resends_unknown && standing.attempts < RESENDS_MAX {
        wait(session, standing, end.now, end).await?;
        return Ok(None);
    }
    Ok(Some(self::end(session, standing, end).await?))
}

/// Ends what expired while it waited.
pub(crate) async fn expire(
    session: &mut Session,
    request: ClaimRequest,
) -> Result<Vec<Ended>, Failure> {
    let query = sqlx::query(EXPIRED)
        .bind(number(request.shard))
        .bind(nanos(request.now))
        .bind(EXPIRED_MAX);
    let end = End {
        state: DeliveryState::Expired,
        detail: "its window closed before it could leave",
        stopped: None,
        now: request.now,
        clock: ClockMode::Live,
    };
    let (mut moves, mut ended) = (Vec::new(), Vec::new());
    for row in &session.rows(query).await? {
        let (standing, _) = standing(row)?;
        moves.push(last(&standing, &end));
        ended.push(Ended::of(&standing, &end)?);
    }
    if !moves.is_empty() {
        place(session, &moves).await?;
    }
    Ok(ended)
}

async fn recover(
    session: &mut Session,
    (shard, epoch): (u32, u64),
    now: Timestamp,
    clock: ClockMode,
) -> Result<Ending<Recovered>, Failure> {
    let mut recovered = Recovered::default();
    if claims::sender(session, shard).await? != epoch {
        return Ok(Ending::Rollback(recovered));
    }
    let mut all = Vec::new();
    let query = sqlx::query(LEFT).bind(number(shard)).bind(signed(epoch));
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
        match unknown(session, &standing, &end).await? {
            None => recovered.resent += 1,
            Some(ended) => {
                all.push(ended);
                recovered.unknown += 1;
            }
        }
    }
    tell(session, all, clock).await?;
    Ok(Ending::Commit(recovered))
}

/// Nothing had begun: as if it had never been claimed.
async fn requeue(
    session: &mut Session,
    standing: &Standing,
    now: Timestamp,
) -> Result<(), Failure> {
    caps::give_back(session, vec![standing.row]).await?;
    let sql = "UPDATE delivery SET state = 'queued', updated_at = $1 WHERE id = $2";
    let query = sqlx::query(sql).bind(nanos(now)).bind(standing.row);
    session.execute(query).await?;
    Ok(())
}
