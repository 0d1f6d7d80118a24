//! Settlements: what came of claims, for many at once.

use super::fates::{self, End, Ended, Move, RESENDS_MAX, Standing};
use super::flight::{Flight, Part, Value, Values};
use super::rows::{Columns, signed};
use super::{Session, Sqlite, caps, captured};
use crate::share::Small;
use crate::{Claim, ClockMode, Failure, Outcome, Settlement};
use model::{AccountId, DeliveryState, MessageId, Outgoing};

/// The deliveries of a list of claims, and of those whose fate is unknown what was decided.
pub(crate) const SETTLING: Part = Part::over(
    5,
    "WITH j (id, claim, epoch, is_unknown, place) AS ({list}) \
    SELECT json_group_array(json_array(j.place, d.id, d.shard, d.attempts, o.message, o.account, d.state, \
        CASE WHEN j.is_unknown THEN o.outgoing END)) \
    FROM j CROSS JOIN delivery d ON d.id = j.id CROSS JOIN outbox o ON o.id = d.id \
    WHERE d.claim = j.claim AND d.claim_epoch = j.epoch",
);
/// Ends the attempts of a list of claims.
pub(crate) const END_ATTEMPTS: Part = Part::over(
    5,
    "WITH j (id, claim, now, state, detail) AS ({list}) \
    UPDATE attempt SET ended_at = j.now, outcome = j.state, detail = j.detail \
    FROM j WHERE attempt.delivery = j.id AND attempt.claim = j.claim AND attempt.ended_at IS NULL",
);

static LOOKING: Flight = Flight::new(&[SETTLING]);
static ENDING: Flight = Flight::new(&[END_ATTEMPTS]);
static SETTLED: Flight = Flight::new(&[END_ATTEMPTS, fates::PLACE, fates::FATES]);

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
    let mut ended = Vec::new();
    for ((standing, settlement), place) in settling.iter().zip(&moves) {
        if place.until.is_none() {
            ended.push(Ended::of(standing, &end(settlement, clock))?);
        }
    }
    // What is told in the log has its place only when it stands there.
    let (now, later) = match clock {
        ClockMode::Log => (ended, Vec::new()),
        ClockMode::Live => (Vec::new(), ended),
    };
    let now = fates::told(&now, &[]);
    let writing = [ended_attempts(&ends), fates::placed(&moves), now];
    SETTLED.write(session, writing).await?;
    fates::tell(session, later, clock).await?;
    Ok(answers)
}

/// The deliveries that are meant, with their places in the list and their states.
async fn standing(
    session: &mut Session,
    settlements: &[(usize, &Settlement)],
) -> Result<Vec<(usize, Standing, Box<str>)>, Failure> {
    let mut claims = Values::new();
    for (place, (_, one)) in (0_u32..).zip(settlements) {
        let Claim { row, id, epoch, .. } = one.claim;
        let is_unknown = i64::from(one.outcome == Outcome::Unknown);
        claims.extend([row, id, signed(epoch), is_unknown].map(Value::from));
        claims.push(place.into());
    }
    let [found] = LOOKING.read(session, [claims]).await?;
    let list = found.rows.first().map(|row| row.text(0)).transpose()?;
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
    ENDING.write(session, [ended_attempts(ends)]).await?;
    Ok(())
}

fn ended_attempts<'e>(ends: &'e [(&Claim, End<'_>)]) -> Values<'e> {
    let row = |(claim, end): &'e (&Claim, End<'_>)| {
        let (state, detail) = (end.state.as_str().into(), end.detail.into());
        [
            claim.row.into(),
            claim.id.into(),
            end.now.into(),
            state,
            detail,
        ]
    };
    ends.iter().flat_map(row).collect()
}
