//! Fates: what became of a message, and the fact that tells it. The facts of one transaction are appended at its end,
//! since the ends of logs are the last rows that any transaction takes.

use super::append::append_facts;
use super::rows::{Columns, nanos, number, signed, word};
use super::session::Session;
use super::share::Order;
use super::tx::Ending;
use super::{Postgres, caps, captured, claims};
use crate::sqlite::fates::{
    EXPIRED_MAX, End, RESENDS_MAX, Standing, outcome_state, settled, standing,
};
use crate::{Claim, ClaimRequest, ClockMode, Failure, NewFact, Outcome, Recovered, Settlement};
use jiff::Timestamp;
use model::{Channel, DeliveryState};

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

/// A delivery that has ended, and is to be told.
pub(crate) struct Ended {
    row: i64,
    state: DeliveryState,
    attempts: u32,
    at: Timestamp,
    fact: NewFact,
}

impl Postgres {
    pub(crate) async fn settle(&self, settlement: Settlement) -> Result<bool, Failure> {
        let shard = settlement.claim.shard;
        let input = (settlement, self.meta().clock);
        let writer = &self.inner.writer;
        let written = writer.share(Order::Log(shard), input, |session, (settlement, clock)| {
            Box::pin(settle(session, settlement, *clock))
        });
        written.await
    }

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

async fn settle(
    session: &mut Session,
    settlement: &Settlement,
    clock: ClockMode,
) -> Result<Ending<bool>, Failure> {
    let claim = &settlement.claim;
    let sql = "SELECT d.id, d.shard, d.attempts, o.outgoing, d.state FROM delivery d \
        JOIN outbox o ON o.id = d.id \
        WHERE d.id = $1 AND d.claim = $2 AND d.claim_epoch = $3 FOR UPDATE OF d";
    let query = sqlx::query(sql)
        .bind(claim.row)
        .bind(claim.id)
        .bind(signed(claim.epoch));
    let Some(row) = session.row(query).await? else {
        return Ok(Ending::Rollback(false));
    };
    let state = row.text(4)?;
    if &*state != DeliveryState::Claimed.as_str() {
        // Settled before: the same answer again is no surprise.
        let is_same = &*state == outcome_state(settlement.outcome).as_str();
        return Ok(Ending::Rollback(is_same));
    }
    let standing = standing(&row)?;
    let end = End {
        state: outcome_state(settlement.outcome),
        detail: &settlement.detail,
        stopped: None,
        now: settlement.now,
        clock,
    };
    end_attempt(session, claim, &end).await?;
    if let Some(kept) = &settlement.captured {
        captured::write(session, kept).await?;
    }
    match settlement.outcome {
        Outcome::Sent | Outcome::Unknown => {}
        Outcome::Deferred(_) | Outcome::Refused | Outcome::Suppressed | Outcome::Expired => {
            caps::give_back(session, claim.row).await?;
        }
    }
    let ended = match settlement.outcome {
        Outcome::Deferred(until) => {
            wait(session, &standing, until, &end).await?;
            None
        }
        Outcome::Unknown => unknown(session, &standing, &end).await?,
        Outcome::Sent | Outcome::Refused | Outcome::Suppressed | Outcome::Expired => {
            Some(self::end(session, &standing, &end).await?)
        }
    };
    tell(session, ended.into_iter().collect(), clock).await?;
    Ok(Ending::Commit(true))
}

async fn end_attempt(session: &mut Session, claim: &Claim, end: &End<'_>) -> Result<(), Failure> {
    let sql = "UPDATE attempt SET ended_at = $1, outcome = $2, detail = $3 \
        WHERE delivery = $4 AND claim = $5 AND ended_at IS NULL";
    let query = sqlx::query(sql)
        .bind(nanos(end.now))
        .bind(end.state.as_str())
        .bind(word(end.detail))
        .bind(claim.row)
        .bind(claim.id);
    session.execute(query).await?;
    Ok(())
}

/// Ends for good; to be told before the transaction ends.
pub(crate) async fn end(
    session: &mut Session,
    standing: &Standing,
    end: &End<'_>,
) -> Result<Ended, Failure> {
    let sql = "UPDATE delivery SET state = $1, detail = $2, updated_at = $3 WHERE id = $4";
    let query = sqlx::query(sql)
        .bind(end.state.as_str())
        .bind(word(end.detail))
        .bind(nanos(end.now))
        .bind(standing.row);
    session.execute(query).await?;
    Ok(Ended {
        row: standing.row,
        state: end.state,
        attempts: standing.attempts,
        at: end.now,
        fact: settled(standing, end)?,
    })
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
    let facts: Vec<&NewFact> = ended.iter().map(|one| &one.fact).collect();
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

/// Back into the queue.
pub(crate) async fn wait(
    session: &mut Session,
    standing: &Standing,
    until: Timestamp,
    end: &End<'_>,
) -> Result<(), Failure> {
    let sql =
        "UPDATE delivery SET state = $1, ready_at = $2, detail = $3, updated_at = $4 WHERE id = $5";
    let query = sqlx::query(sql)
        .bind(DeliveryState::Deferred.as_str())
        .bind(nanos(until))
        .bind(word(end.detail))
        .bind(nanos(end.now))
        .bind(standing.row);
    session.execute(query).await?;
    Ok(())
}

/// Kept as unknown, unless its topic has it sent again: then it has not ended.
async fn unknown(
    session: &mut Session,
    standing: &Standing,
    end: &End<'_>,
) -> Result<Option<Ended>, Failure> {
    if standing.outgoing.resends_unknown && standing.attempts < RESENDS_MAX {
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
    let mut ended = Vec::new();
    for row in &session.rows(query).await? {
        let end = End {
            state: DeliveryState::Expired,
            detail: "its window closed before it could leave",
            stopped: None,
            now: request.now,
            clock: ClockMode::Live,
        };
        ended.push(self::end(session, &standing(row)?, &end).await?);
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
        let standing = standing(&row)?;
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
            message: standing.outgoing.message.clone(),
            shard,
            epoch: row.count(5)?,
            row: standing.row,
            id: row.long(4)?,
            about: std::sync::Arc::default(),
        };
        end_attempt(session, &claim, &end).await?;
        // Whoever is called knows a message that comes again by its id.
        if let Channel::Webhook { .. } = standing.outgoing.channel {
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
    caps::give_back(session, standing.row).await?;
    let sql = "UPDATE delivery SET state = 'queued', updated_at = $1 WHERE id = $2";
    let query = sqlx::query(sql).bind(nanos(now)).bind(standing.row);
    session.execute(query).await?;
    Ok(())
}
