//! Fates: what became of a message, and the fact that tells it.

use super::append::append_facts;
use super::gate::Stand;
use super::rows::{Columns, nanos, signed};
use super::tx::Ending;
use super::{Session, Sqlite, caps, captured, leases};
use crate::{
    Claim, ClaimRequest, ClockMode, Failure, NewFact, Outcome, Recovered, Role, Settlement,
};
use jiff::Timestamp;
use model::{Channel, DeliveryState, Fact, Outgoing};

/// Messages that expire in one transaction.
pub(crate) const EXPIRED_MAX: i64 = 500;
/// Attempts of a message whose fate is unknown, where its topic has it sent again.
pub(crate) const RESENDS_MAX: u32 = 3;

/// A delivery about to end, or to be tried again.
pub(crate) struct Standing {
    pub(crate) row: i64,
    pub(crate) shard: u32,
    pub(crate) attempts: u32,
    pub(crate) outgoing: Outgoing,
}

/// How it ends.
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

impl Sqlite {
    pub(crate) async fn settle(&self, settlement: Settlement) -> Result<bool, Failure> {
        let clock = self.meta().clock;
        self.share(move |session| {
            Box::pin(async move { settle(session, &settlement, clock).await })
        })
        .await
    }

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

async fn settle(
    session: &mut Session,
    settlement: &Settlement,
    clock: ClockMode,
) -> Result<Ending<bool>, Failure> {
    let claim = &settlement.claim;
    let sql = "SELECT d.id, d.shard, d.attempts, o.outgoing, d.state FROM delivery d JOIN outbox o ON o.id = d.id \
        WHERE d.id = ? AND d.claim = ? AND d.claim_epoch = ?";
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
    match settlement.outcome {
        Outcome::Deferred(until) => wait(session, &standing, until, &end).await?,
        Outcome::Unknown => {
            unknown(session, &standing, &end).await?;
        }
        Outcome::Sent | Outcome::Refused | Outcome::Suppressed | Outcome::Expired => {
            finish(session, &standing, &end).await?;
        }
    }
    Ok(Ending::Commit(true))
}

pub(crate) fn outcome_state(outcome: Outcome) -> DeliveryState {
    match outcome {
        Outcome::Sent => DeliveryState::Sent,
        Outcome::Refused => DeliveryState::Refused,
        Outcome::Deferred(_) => DeliveryState::Deferred,
        Outcome::Unknown => DeliveryState::Unknown,
        Outcome::Suppressed => DeliveryState::Suppressed,
        Outcome::Expired => DeliveryState::Expired,
    }
}

/// The delivery in the columns 0 to 3: id, shard, attempts, outgoing.
pub(crate) fn standing(row: &impl Columns) -> Result<Standing, Failure> {
    let outgoing = serde_json::from_str(&row.text(3)?);
    Ok(Standing {
        row: row.long(0)?,
        shard: row.small(1)?,
        attempts: row.small(2)?,
        outgoing: outgoing.map_err(|why| Failure::unreadable("a message", why))?,
    })
}

async fn end_attempt(session: &mut Session, claim: &Claim, end: &End<'_>) -> Result<(), Failure> {
    let sql = "UPDATE attempt SET ended_at = ?, outcome = ?, detail = ? \
        WHERE delivery = ? AND claim = ? AND ended_at IS NULL";
    let query = sqlx::query(sql)
        .bind(nanos(end.now))
        .bind(end.state.as_str())
        .bind(end.detail)
        .bind(claim.row)
        .bind(claim.id);
    session.execute(query).await?;
    Ok(())
}

/// Ends for good: state, fate and (live clock) the fact, in one transaction.
pub(crate) async fn finish(
    session: &mut Session,
    standing: &Standing,
    end: &End<'_>,
) -> Result<(), Failure> {
    let sql = "UPDATE delivery SET state = ?, detail = ?, updated_at = ? WHERE id = ?";
    let query = sqlx::query(sql)
        .bind(end.state.as_str())
        .bind(end.detail)
        .bind(nanos(end.now))
        .bind(standing.row);
    session.execute(query).await?;
    let position = match end.clock {
        ClockMode::Live => Some(tell(session, standing, end).await?),
        ClockMode::Log => None,
    };
    let sql = "INSERT INTO fate (delivery, state, attempt, at, position) VALUES (?, ?, ?, ?, ?)";
    let query = sqlx::query(sql)
        .bind(standing.row)
        .bind(end.state.as_str())
        .bind(i64::from(standing.attempts))
        .bind(nanos(end.now))
        .bind(position.map(signed));
    session.execute(query).await?;
    Ok(())
}

/// Appends `message.settled` to the log of the message's own shard.
async fn tell(session: &mut Session, standing: &Standing, end: &End<'_>) -> Result<u64, Failure> {
    let fact = settled(standing, end)?;
    let positions = append_facts(session, &[&fact]).await?;
    Ok(positions.first().copied().unwrap_or_default())
}

/// The fact that tells how a message ended.
pub(crate) fn settled(standing: &Standing, end: &End<'_>) -> Result<NewFact, Failure> {
    let message = standing.outgoing.message.as_str();
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
        subject: Some(standing.outgoing.account.as_str().into()),
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

/// Back into the queue.
pub(crate) async fn wait(
    session: &mut Session,
    standing: &Standing,
    until: Timestamp,
    end: &End<'_>,
) -> Result<(), Failure> {
    let sql =
        "UPDATE delivery SET state = ?, ready_at = ?, detail = ?, updated_at = ? WHERE id = ?";
    let query = sqlx::query(sql)
        .bind(DeliveryState::Deferred.as_str())
        .bind(nanos(until))
        .bind(end.detail)
        .bind(nanos(end.now))
        .bind(standing.row);
    session.execute(query).await?;
    Ok(())
}

/// Kept as unknown, unless its topic has it sent again; true if so.
async fn unknown(
    session: &mut Session,
    standing: &Standing,
    end: &End<'_>,
) -> Result<bool, Failure> {
    if standing.outgoing.resends_unknown && standing.attempts < RESENDS_MAX {
        wait(session, standing, end.now, end).await?;
        return Ok(true);
    }
    finish(session, standing, end).await?;
    Ok(false)
}

/// Settles what expired while it waited; says how many.
pub(crate) async fn expire(
    session: &mut Session,
    request: ClaimRequest,
    clock: ClockMode,
) -> Result<usize, Failure> {
    let sql = "SELECT d.id, d.shard, d.attempts, o.outgoing FROM delivery d JOIN outbox o ON o.id = d.id \
        WHERE d.shard = ? AND d.state IN ('queued', 'deferred') AND d.expires_at <= ? \
        ORDER BY d.expires_at, d.id LIMIT ?";
    let query = sqlx::query(sql)
        .bind(i64::from(request.shard))
        .bind(nanos(request.now))
        .bind(EXPIRED_MAX);
    let rows = session.rows(query).await?;
    for row in &rows {
        let end = End {
            state: DeliveryState::Expired,
            detail: "its window closed before it could leave",
            stopped: None,
            now: request.now,
            clock,
        };
        finish(session, &standing(row)?, &end).await?;
    }
    Ok(rows.len())
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
    caps::give_back(session, standing.row).await?;
    let sql = "UPDATE delivery SET state = 'queued', updated_at = ? WHERE id = ?";
    let query = sqlx::query(sql).bind(nanos(now)).bind(standing.row);
    session.execute(query).await?;
    Ok(())
}
