//! Settlements: what came of claims, for many at once.

use super::accounts::json;
use super::fates::{self, End, Ended, Move, RESENDS_MAX, Standing};
use super::rows::{Columns, nanos, signed};
use super::{Session, Sqlite, caps, captured};
use crate::share::Small;
use crate::{Claim, ClockMode, Failure, Outcome, Settlement};
use model::{AccountId, DeliveryState, MessageId, Outgoing};

/// The deliveries of a list of claims, and of those whose fate is unknown what was decided.
pub(crate) const SETTLING: &str = "SELECT json_group_array(json_array(j.key, d.id, d.shard, d.attempts, o.message, o.account, d.state, \
        CASE WHEN j.value ->> 3 THEN o.outgoing END)) \
    FROM json_each(?) j CROSS JOIN delivery d ON d.id = j.value ->> 0 CROSS JOIN outbox o ON o.id = d.id \
    WHERE d.claim = j.value ->> 1 AND d.claim_epoch = j.value ->> 2";
/// Ends the attempts of a list of claims.
pub(crate) const END_ATTEMPTS: &str = "UPDATE attempt SET ended_at = j.value ->> 2, outcome = j.value ->> 3, \
        detail = j.value ->> 4 \
    FROM json_each(?) j WHERE attempt.delivery = j.value ->> 0 AND attempt.claim = j.value ->> 1 \
        AND attempt.ended_at IS NULL";

impl Sqlite {
    pub(crate) async fn settle(&self, settlement: Settlement) -> Result<bool, Failure> {
        self.share(Small::Settlement(settlement)).await
    }
}

/// Writes what came of claims; says for each whether it still held, or had come to the same before.
pub(crate) async fn settle(
    session: &mut Session,
    settlements: &[(usize, &Settlement)],
    clock: ClockMode,
) -> Result<Vec<bool>, Failure> {
    let mut answers = vec![false; settlements.len()];
    if settlements.is_empty() {
        return Ok(answers);
    }
    let mut settling = Vec::new();
    for (place, standing, state) in standing(session, settlements).await? {
        let (Some((_, settlement)), Some(answer)) =
            (settlements.get(place), answers.get_mut(place))
        else {
            continue;
        };
        if &*state == DeliveryState::Claimed.as_str() {
            *answer = true;
            settling.push((standing, *settlement));
        } else {
            // Settled before: the same answer again is no surprise.
            *answer = &*state == outcome_state(settlement.outcome).as_str();
        }
    }
    if settling.is_empty() {
        return Ok(answers);
    }
    let ends: Vec<(&Claim, End<'_>)> = settling
        .iter()
        .map(|(_, settlement)| (&settlement.claim, end(settlement, clock)))
        .collect();
    end_attempts(session, &ends).await?;
    for kept in settling.iter().filter_map(|(_, one)| one.captured.as_ref()) {
        captured::write(session, kept).await?;
    }
    let unsent: Vec<i64> = settling
        .iter()
        .filter(|(_, one)| !matches!(one.outcome, Outcome::Sent | Outcome::Unknown))
        .map(|(standing, _)| standing.row)
        .collect();
    caps::give_back(session, &unsent).await?;
    let moves: Vec<Move<'_>> = settling
        .iter()
        .map(|(standing, one)| moved(standing, one))
        .collect();
    fates::place(session, &moves).await?;
    let mut ended = Vec::new();
    for ((standing, settlement), place) in settling.iter().zip(&moves) {
        if place.until.is_none() {
            ended.push(Ended::of(standing, &end(settlement, clock))?);
        }
    }
    fates::tell(session, ended, clock).await?;
    Ok(answers)
}

/// The deliveries that are meant, with their places in the list and their states.
async fn standing(
    session: &mut Session,
    settlements: &[(usize, &Settlement)],
) -> Result<Vec<(usize, Standing, Box<str>)>, Failure> {
    let claims: Vec<(i64, i64, i64, bool)> = settlements
        .iter()
        .map(|(_, one)| {
            let Claim { row, id, epoch, .. } = one.claim;
            (row, id, signed(epoch), one.outcome == Outcome::Unknown)
        })
        .collect();
    let query = sqlx::query(SETTLING).bind(json(&claims));
    let list = session.row(query).await?.map(|row| row.text(0));
    let list = list.transpose()?;
    let found: Vec<Settling> = serde_json::from_str(list.as_deref().unwrap_or("[]"))
        .map_err(|why| Failure::unreadable("a list of deliveries", why))?;
    found.into_iter().map(whole).collect()
}

/// A place in a list, and its delivery: id, shard, attempts, message, account, state, and what was decided where that matters.
pub(crate) type Settling = (
    usize,
    i64,
    u32,
    u32,
    Box<str>,
    Box<str>,
    Box<str>,
    Option<Box<str>>,
);

/// The delivery with its place in the list, and its state.
pub(crate) fn whole(
    (place, row, shard, attempts, message, account, state, outgoing): Settling,
) -> Result<(usize, Standing, Box<str>), Failure> {
    let outgoing = outgoing.map(|text| serde_json::from_str::<Outgoing>(&text));
    let outgoing = outgoing.transpose();
    let outgoing = outgoing.map_err(|why| Failure::unreadable("a message", why))?;
    let standing = Standing {
        row,
        shard,
        attempts,
        message: MessageId::new(message),
        account: AccountId::new(account),
        resends_unknown: outgoing.is_some_and(|outgoing| outgoing.resends_unknown),
    };
    Ok((place, standing, state))
}

pub(crate) fn end(settlement: &Settlement, clock: ClockMode) -> End<'_> {
    End {
        state: outcome_state(settlement.outcome),
        detail: &settlement.detail,
        stopped: None,
        now: settlement.now,
        clock,
    }
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

/// Where a delivery goes: to its end, or back into the queue.
pub(crate) fn moved<'a>(standing: &Standing, settlement: &'a Settlement) -> Move<'a> {
    let is_resent = standing.resends_unknown && standing.attempts < RESENDS_MAX;
    let until = match settlement.outcome {
        Outcome::Deferred(until) => Some(until),
        Outcome::Unknown if is_resent => Some(settlement.now),
        Outcome::Unknown
        | Outcome::Sent
        | Outcome::Refused
        | Outcome::Suppressed
        | Outcome::Expired => None,
    };
    Move {
        row: standing.row,
        state: match until {
            Some(_) => DeliveryState::Deferred,
            None => outcome_state(settlement.outcome),
        },
        until,
        detail: &settlement.detail,
        now: settlement.now,
    }
}

/// Ends the attempts of claims, as far as they were begun and have not ended.
pub(crate) async fn end_attempts(
    session: &mut Session,
    ends: &[(&Claim, End<'_>)],
) -> Result<(), Failure> {
    let rows: Vec<(i64, i64, i64, &str, &str)> = ends
        .iter()
        .map(|(claim, end)| {
            let (now, state) = (nanos(end.now), end.state.as_str());
            (claim.row, claim.id, now, state, end.detail)
        })
        .collect();
    let query = sqlx::query(END_ATTEMPTS).bind(json(&rows));
    session.execute(query).await?;
    Ok(())
}
