//! Settlements: what came of claims, for many at once.

use super::rows::{Columns, nanos, signed, word};
use super::session::Session;
use super::{Postgres, caps, captured, fates};
use crate::share::Small;
use crate::sqlite::fates::{End, Ended, Move, Standing};
use crate::sqlite::settlements::{end, moved, outcome_state, whole};
use crate::{Claim, ClockMode, Failure, Outcome, Settlement};
use model::DeliveryState;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The deliveries of a list of claims, held until the commit, and of those whose fate is unknown what was decided.
pub(crate) const SETTLING: &str = "SELECT j.n - 1, d.id, d.shard, d.attempts, o.message, o.account, d.state, \
        CASE WHEN j.is_unknown THEN o.outgoing END \
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::boolean[]) \
        WITH ORDINALITY j (id, claim, epoch, is_unknown, n) \
    JOIN delivery d ON d.id = j.id JOIN outbox o ON o.id = d.id \
    WHERE d.claim = j.claim AND d.claim_epoch = j.epoch ORDER BY d.id FOR UPDATE OF d";
/// Ends the attempts of a list of claims.
pub(crate) const END_ATTEMPTS: &str = "UPDATE attempt SET ended_at = j.at, outcome = j.outcome, detail = j.detail \
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[]) \
        j (delivery, claim, at, outcome, detail) \
    WHERE attempt.delivery = j.delivery AND attempt.claim = j.claim AND attempt.ended_at IS NULL";

impl Postgres {
    pub(crate) async fn settle(&self, settlement: Settlement) -> Result<bool, Failure> {
        let shard = settlement.claim.shard;
        let small = Small::Settlement(settlement);
        self.inner.writer.share(shard, small).await
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
    for (place, (standing, state)) in standing(session, settlements).await? {
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
    caps::give_back(session, unsent).await?;
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

/// The deliveries that are meant and their states, by their places in the list.
async fn standing(
    session: &mut Session,
    settlements: &[(usize, &Settlement)],
) -> Result<BTreeMap<usize, (Standing, Box<str>)>, Failure> {
    let list = |of: fn(&Settlement) -> i64| -> Vec<i64> {
        settlements.iter().map(|(_, one)| of(one)).collect()
    };
    let unknown: Vec<bool> = settlements
        .iter()
        .map(|(_, one)| one.outcome == Outcome::Unknown)
        .collect();
    let query = sqlx::query(SETTLING)
        .bind(list(|one| one.claim.row))
        .bind(list(|one| one.claim.id))
        .bind(list(|one| signed(one.claim.epoch)))
        .bind(unknown);
    let mut found = BTreeMap::new();
    for row in session.rows(query).await? {
        let place = usize::try_from(row.long(0)?);
        let place = place.map_err(|why| Failure::unreadable("a place", why))?;
        let (place, standing, state) = whole((
            place,
            row.long(1)?,
            row.small(2)?,
            row.small(3)?,
            row.text(4)?,
            row.text(5)?,
            row.text(6)?,
            row.maybe_text(7)?,
        ))?;
        found.insert(place, (standing, state));
    }
    Ok(found)
}

/// Ends the attempts of claims, as far as they were begun and have not ended.
pub(crate) async fn end_attempts(
    session: &mut Session,
    ends: &[(&Claim, End<'_>)],
) -> Result<(), Failure> {
    let list =
        |of: fn(&Claim) -> i64| -> Vec<i64> { ends.iter().map(|(claim, _)| of(claim)).collect() };
    let instants: Vec<i64> = ends.iter().map(|(_, end)| nanos(end.now)).collect();
    let states: Vec<&str> = ends.iter().map(|(_, end)| end.state.as_str()).collect();
    let details: Vec<Cow<'_, str>> = ends.iter().map(|(_, end)| word(end.detail)).collect();
    let query = sqlx::query(END_ATTEMPTS)
        .bind(list(|claim| claim.row))
        .bind(list(|claim| claim.id))
        .bind(instants)
        .bind(states)
        .bind(details);
    session.execute(query).await?;
    Ok(())
}
