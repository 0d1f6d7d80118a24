//! Attempts: the rows that say that hand-overs have begun, for many at once; and the last question before bytes leave.

use super::accounts::json;
use super::flight::{Answer, Flight, Part, Value, Values};
use super::gate::{self, Gate};
use super::rows::{Columns, signed};
use super::{Session, Sqlite, grounds};
use crate::outbox::About;
use crate::share::{Beginning, Small};
use crate::{AddressKey, Claim, Failure};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// The negative control: attempts are written whether or not the claim holds.
fn is_unchecked() -> bool {
    model::teeth::is_out("attempt")
}

/// Which of a list of claims stand: claimed with this id, under an epoch that is the lease's, not expired. What is read of
/// many comes as one list: the way of a row to its reader is longer than to its place in a list.
pub(crate) const STANDING: Part = Part::over(
    5,
    "WITH j (id, claim, epoch, now, place) AS ({list}) SELECT json_group_array(j.place) FROM j \
    CROSS JOIN delivery d ON d.id = j.id \
    CROSS JOIN lease l ON l.shard = d.shard AND l.role = 'send' \
    WHERE d.state = 'claimed' AND d.claim = j.claim AND d.claim_epoch = j.epoch \
    AND l.epoch = d.claim_epoch AND (d.expires_at IS NULL OR d.expires_at > j.now)",
);
/// Written again by the same claim a row stays as it is; a number that another claim used is refused.
pub(crate) const BEGIN: Part = Part::over(
    5,
    "WITH j (id, n, claim, epoch, at) AS ({list}) \
    INSERT INTO attempt (delivery, n, claim, epoch, started_at) \
    SELECT j.id, j.n, j.claim, j.epoch, j.at FROM j WHERE j.id IS NOT NULL \
    ON CONFLICT (delivery, n) DO UPDATE SET claim = claim \
    WHERE claim = excluded.claim AND epoch = excluded.epoch AND ended_at IS NULL",
);
/// Counts those of a list of attempts that are there as they were to be written.
pub(crate) const COUNT: Part = Part::over(
    4,
    "WITH j (id, n, claim, epoch) AS ({list}) UPDATE delivery SET attempts = max(attempts, j.n) \
    FROM j CROSS JOIN attempt a ON a.delivery = j.id AND a.n = j.n \
    WHERE delivery.id = j.id AND a.claim = j.claim AND a.epoch = j.epoch AND a.ended_at IS NULL",
);
/// Which of them these are.
pub(crate) const BEGUN: Part = Part::over(
    4,
    "WITH j (id, n, claim, epoch) AS ({list}) SELECT json_group_array(a.delivery) \
    FROM j CROSS JOIN attempt a ON a.delivery = j.id AND a.n = j.n \
    WHERE a.claim = j.claim AND a.epoch = j.epoch AND a.ended_at IS NULL",
);

/// What bears on attempts: switches, addresses, claims.
static ASKING: Flight = Flight::new(&[gate::OFF, gate::STANDING, STANDING]);
static BEGINNING: Flight = Flight::new(&[BEGIN, COUNT]);
static LOOKING: Flight = Flight::new(&[BEGUN]);

impl Sqlite {
    pub(crate) async fn attempt(
        &self,
        claim: &Claim,
        n: u32,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let claim = claim.clone();
        self.share(Small::Attempt(Beginning { claim, n, now }))
            .await
    }

    pub(crate) async fn may_send(&self, claim: &Claim, now: Timestamp) -> Result<bool, Failure> {
        let claim = claim.clone();
        self.read(move |session| {
            Box::pin(async move {
                let held = holding(session, &[(&claim, now)]).await?;
                Ok(held.first().copied().unwrap_or(false))
            })
        })
        .await
    }
}

/// Which of these claims still give the right to send: they stand, the gate is open to each of their addresses, and there
/// still is a ground to write.
async fn holding(
    session: &mut Session,
    asked: &[(&Claim, Timestamp)],
) -> Result<Vec<bool>, Failure> {
    if is_unchecked() {
        return Ok(vec![true; asked.len()]);
    }
    let addresses = asked.iter().flat_map(|(claim, _)| &claim.about.addresses);
    let addresses: Vec<AddressKey> = addresses.copied().collect();
    let abouts: Vec<(&About, Timestamp)> = asked
        .iter()
        .map(|(claim, now)| (&*claim.about, *now))
        .collect();
    let grounds = grounds::are_there(session, &abouts).await?;
    let mut claims = Values::new();
    for (place, (claim, now)) in (0_u32..).zip(asked) {
        let (row, epoch) = (claim.row.into(), signed(claim.epoch).into());
        let row: [Value<'_>; 5] = [row, claim.id.into(), epoch, (*now).into(), place.into()];
        claims.extend(row);
    }
    let addresses = json(&gate::keys(&addresses));
    let asking = [Values::new(), vec![(&*addresses).into()], claims];
    let [off, stands, standing] = ASKING.read(session, asking).await?;
    let gate = Gate::of(&off.rows, &stands.rows)?;
    let standing = listed(&standing)?;
    let mut holding = Vec::with_capacity(asked.len());
    for (place, ((about, now), is_ground)) in (0..).zip(abouts.into_iter().zip(grounds)) {
        holding.push(is_ground && standing.contains(&place) && gate.is_open(about, now)?);
    }
    Ok(holding)
}

/// The numbers of the list that a statement has read.
fn listed(answer: &Answer) -> Result<BTreeSet<i64>, Failure> {
    let list = answer.rows.first().map(|row| row.text(0)).transpose()?;
    let list = serde_json::from_str(list.as_deref().unwrap_or("[]"));
    list.map_err(|why| Failure::unreadable("a list", why))
}

/// Writes the rows of attempts whose claims hold; says for each whether it was.
pub(crate) async fn begin(
    session: &mut Session,
    attempts: &[(usize, &Beginning)],
) -> Result<Vec<bool>, Failure> {
    if attempts.is_empty() {
        return Ok(Vec::new());
    }
    let asked: Vec<(&Claim, Timestamp)> = attempts
        .iter()
        .map(|(_, attempt)| (&attempt.claim, attempt.now))
        .collect();
    let holding = holding(session, &asked).await?;
    let (mut begins, mut counts, mut rows) = (Values::new(), Values::new(), Vec::new());
    for ((_, Beginning { claim, n, now }), _) in
        attempts.iter().zip(&holding).filter(|(_, holds)| **holds)
    {
        let (row, epoch) = (claim.row.into(), signed(claim.epoch).into());
        let row: [Value<'_>; 4] = [row, (*n).into(), claim.id.into(), epoch];
        rows.push(claim.row);
        counts.extend(row);
        begins.extend(row);
        begins.push((*now).into());
    }
    let written = BEGINNING.write(session, [begins, counts.clone()]).await?;
    // Most of the time all are.
    let is_all = usize::try_from(written[0].changed).is_ok_and(|count| count == rows.len());
    let begun = if is_all {
        rows.into_iter().collect()
    } else {
        let [begun] = LOOKING.read(session, [counts]).await?;
        listed(&begun)?
    };
    let is_begun = |row: &i64| is_unchecked() || begun.contains(row);
    let told = holding
        .iter()
        .zip(&asked)
        .map(|(holds, (claim, _))| *holds && is_begun(&claim.row));
    Ok(told.collect())
}
