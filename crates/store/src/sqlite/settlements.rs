//! Settlements: what came of claims, for many at once.

use super::fates::{self, End, Ended, Move, RESENDS_MAX, Standing};
use super::flight::{Answer, Flight, Part, Value, Values};
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
    UPDATE OR ROLLBACK attempt SET ended_at = j.now, outcome = j.state, detail = j.detail \
    FROM j WHERE attempt.delivery = j.id AND attempt.claim = j.claim AND attempt.ended_at IS NULL",
);

static ENDING: Flight = Flight::new(&[END_ATTEMPTS]);

impl Sqlite {
    pub(crate) async fn settle(&self, settlement: Settlement) -> Result<bool, Failure> {
        self.share(Small::Settlement(settlement)).await
    }
}

/// The claims that are settled, as values of the statement that looks for their deliveries.
pub(crate) fn asked<'s>(settlements: &[(usize, &'s Settlement)]) -> Values<'s> {
    let row = |(place, (_, one)): (u32, &(usize, &Settlement))| -> [Value<'s>; 5] {
        let Claim { row, id, epoch, .. } = one.claim;
        let is_unknown = i64::from(one.outcome == Outcome::Unknown);
        let [row, id, epoch, is_unknown] = [row, id, signed(epoch), is_unknown].map(Value::from);
        [row, id, epoch, is_unknown, place.into()]
    };
    (0..).zip(settlements).flat_map(row).collect()
}

/// Settlements whose claims hold, with their deliveries.
pub(crate) struct Settling<'s> {
    /// For each that was asked for: whether its claim still held, or had come to the same before.
    pub(crate) answers: Vec<bool>,
    settling: Vec<(Standing, &'s Settlement)>,
}

/// What is written of settlements.
pub(crate) struct Settled<'s> {
    ends: Vec<(&'s Claim, End<'s>)>,
    moves: Vec<Move<'s>>,
    /// Those that have ended for good.
    pub(crate) ended: Vec<Ended>,
}

impl<'s> Settling<'s> {
    pub(crate) fn of(
        settlements: &[(usize, &'s Settlement)],
        found: &Answer,
    ) -> Result<Self, Failure> {
        let mut answers = vec![false; settlements.len()];
        let mut settling = Vec::new();
        for (place, standing, state) in standing(found)? {
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
        Ok(Self { answers, settling })
    }

    /// What captured mode keeps of them is kept, and what was not sent counts no more.
    pub(crate) async fn prepare(&self, session: &mut Session) -> Result<(), Failure> {
        for kept in self
            .settling
            .iter()
            .filter_map(|(_, one)| one.captured.as_ref())
        {
            captured::write(session, kept).await?;
        }
        let is_sent = |one: &Settlement| matches!(one.outcome, Outcome::Sent | Outcome::Unknown);
        let unsent = self.settling.iter().filter(|(_, one)| !is_sent(one));
        let unsent: Vec<i64> = unsent.map(|(standing, _)| standing.row).collect();
        caps::give_back(session, &unsent).await
    }

    pub(crate) fn settled(&self, clock: ClockMode) -> Result<Settled<'s>, Failure> {
        let mut settled = Settled {
            ends: Vec::new(),
            moves: Vec::new(),
            ended: Vec::new(),
        };
        for (standing, settlement) in &self.settling {
            let (end, place) = (end(settlement, clock), moved(standing, settlement));
            if place.until.is_none() {
                settled.ended.push(Ended::of(standing, &end)?);
            }
            settled.ends.push((&settlement.claim, end));
            settled.moves.push(place);
        }
        Ok(settled)
    }
}

impl Settled<'_> {
    /// As values of the statements that end attempts and move deliveries.
    pub(crate) fn values(&self) -> [Values<'_>; 2] {
        [ended_attempts(&self.ends), fates::placed(&self.moves)]
    }
}

/// The deliveries that were found, with their places in the list and their states.
fn standing(found: &Answer) -> Result<Vec<(usize, Standing, Box<str>)>, Failure> {
    let mut all = Vec::new();
    for row in &found.rows {
        let list: Vec<Found> = serde_json::from_str(&row.text(0)?)
            .map_err(|why| Failure::unreadable("a list of deliveries", why))?;
        for found in list {
            all.push(whole(found)?);
        }
    }
    Ok(all)
}

/// A place in a list, and its delivery: id, shard, attempts, message, account, state, and what was decided where that matters.
pub(crate) type Found = (
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
    (place, row, shard, attempts, message, account, state, outgoing): Found,
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
