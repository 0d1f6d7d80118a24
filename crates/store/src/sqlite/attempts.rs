//! Attempts: the rows that say that hand-overs have begun, for many at once; and the last question before bytes leave.

use super::accounts::json;
use super::gate::Gate;
use super::rows::{Columns, nanos, signed};
use super::tx::Query;
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
pub(crate) const STANDING: &str = "SELECT json_group_array(j.key) FROM json_each(?) j \
    CROSS JOIN delivery d ON d.id = j.value ->> 0 \
    CROSS JOIN lease l ON l.shard = d.shard AND l.role = 'send' \
    WHERE d.state = 'claimed' AND d.claim = j.value ->> 1 AND d.claim_epoch = j.value ->> 2 \
    AND l.epoch = d.claim_epoch AND (d.expires_at IS NULL OR d.expires_at > j.value ->> 3)";
/// Written again by the same claim a row stays as it is; a number that another claim used is refused.
const BEGIN: &str = "INSERT INTO attempt (delivery, n, claim, epoch, started_at) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 \
    FROM json_each(?) WHERE true ON CONFLICT (delivery, n) DO UPDATE SET claim = claim \
    WHERE claim = excluded.claim AND epoch = excluded.epoch AND ended_at IS NULL";
/// Which of a list of attempts are there as they were to be written.
pub(crate) const BEGUN: &str = "SELECT json_group_array(a.delivery) FROM json_each(?) j \
    CROSS JOIN attempt a ON a.delivery = j.value ->> 0 AND a.n = j.value ->> 1 \
    WHERE a.claim = j.value ->> 2 AND a.epoch = j.value ->> 3 AND a.ended_at IS NULL";
/// Counts attempts.
pub(crate) const COUNT: &str = "UPDATE delivery SET attempts = max(attempts, j.value ->> 1) \
    FROM json_each(?) j WHERE delivery.id = j.value ->> 0";

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
    let gate = Gate::read(session, &addresses).await?;
    let abouts: Vec<(&About, Timestamp)> = asked
        .iter()
        .map(|(claim, now)| (&*claim.about, *now))
        .collect();
    let grounds = grounds::are_there(session, &abouts).await?;
    let rows: Vec<(i64, i64, i64, i64)> = asked
        .iter()
        .map(|(claim, now)| (claim.row, claim.id, signed(claim.epoch), nanos(*now)))
        .collect();
    let stands = listed(session, sqlx::query(STANDING).bind(json(&rows))).await?;
    let mut holding = Vec::with_capacity(asked.len());
    for (place, ((about, now), is_ground)) in (0..).zip(abouts.into_iter().zip(grounds)) {
        holding.push(is_ground && stands.contains(&place) && gate.is_open(about, now)?);
    }
    Ok(holding)
}

/// The numbers of the list that a statement reads.
async fn listed(session: &mut Session, query: Query<'_>) -> Result<BTreeSet<i64>, Failure> {
    let row = session.row(query).await?;
    let list = row.map(|row| row.text(0)).transpose()?;
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
    let rows: Vec<(i64, u32, i64, i64, i64)> = attempts
        .iter()
        .zip(&holding)
        .filter(|(_, holds)| **holds)
        .map(|((_, Beginning { claim, n, now }), _)| {
            (claim.row, *n, claim.id, signed(claim.epoch), nanos(*now))
        })
        .collect();
    let list = json(&rows);
    let count = session.execute(sqlx::query(BEGIN).bind(&*list)).await?;
    // Most of the time all are.
    let is_all = usize::try_from(count).is_ok_and(|count| count == rows.len());
    let begun = if is_all {
        rows.iter().map(|(row, ..)| *row).collect()
    } else {
        listed(session, sqlx::query(BEGUN).bind(&*list)).await?
    };
    let is_begun = |row: &i64| is_unchecked() || begun.contains(row);
    let counted: Vec<(i64, u32)> = rows
        .iter()
        .filter(|(row, ..)| is_begun(row))
        .map(|(row, n, ..)| (*row, *n))
        .collect();
    let query = sqlx::query(COUNT).bind(json(&counted));
    session.execute(query).await?;
    let told = holding
        .iter()
        .zip(&asked)
        .map(|(holds, (claim, _))| *holds && is_begun(&claim.row));
    Ok(told.collect())
}
