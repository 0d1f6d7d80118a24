//! Attempts: the rows that say that hand-overs have begun, for many at once; and the last question before bytes leave.

use super::gate::{self, Hold};
use super::rows::{Columns, nanos, number, signed};
use super::session::Session;
use super::{Postgres, grounds};
use crate::outbox::About;
use crate::share::{Beginning, Small};
use crate::{AddressKey, Claim, Failure};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The negative control: attempts are written whether or not the claim holds.
fn is_unchecked() -> bool {
    model::teeth::is_out("attempt")
}

/// The epochs of senders' leases, whose rows are held until the commit.
const LEASES: &str = "SELECT shard, epoch FROM lease WHERE role = 'send' AND shard = ANY($1) \
    ORDER BY shard FOR SHARE";
/// The same, only asked.
const LEASES_SEEN: &str = "SELECT shard, epoch FROM lease WHERE role = 'send' AND shard = ANY($1)";

/// Which of a list of claims stand: claimed with this id, under this epoch, not expired. Each is found by its key, not among
/// all that is claimed.
macro_rules! standing {
    ($hold:literal) => {
        concat!(
            "SELECT j.n FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) \
                WITH ORDINALITY j (id, claim, epoch, now, n) JOIN delivery d ON d.id = j.id \
            WHERE (d.state = 'claimed') IS TRUE AND d.claim = j.claim AND d.claim_epoch = j.epoch \
            AND (d.expires_at IS NULL OR d.expires_at > j.now)",
            $hold
        )
    };
}

/// Only asked.
pub(crate) const STANDING: &str = standing!("");
/// Held until the commit.
pub(crate) const STANDING_HELD: &str = standing!(" ORDER BY d.id FOR UPDATE OF d");
/// Written again by the same claim a row stays as it is; a number that another claim used is refused.
const BEGIN: &str = "INSERT INTO attempt (delivery, n, claim, epoch, started_at) \
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) \
    ON CONFLICT (delivery, n) DO UPDATE SET claim = excluded.claim \
    WHERE attempt.claim = excluded.claim AND attempt.epoch = excluded.epoch \
    AND attempt.ended_at IS NULL RETURNING delivery";
/// Counts attempts.
pub(crate) const COUNT: &str = "UPDATE delivery SET attempts = greatest(attempts, j.n) \
    FROM unnest($1::bigint[], $2::bigint[]) j (id, n) WHERE delivery.id = j.id";

impl Postgres {
    pub(crate) async fn attempt(
        &self,
        claim: &Claim,
        n: u32,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let (shard, claim) = (claim.shard, claim.clone());
        let beginning = Beginning { claim, n, now };
        self.inner
            .writer
            .share(shard, Small::Attempt(beginning))
            .await
    }

    pub(crate) async fn may_send(&self, claim: &Claim, now: Timestamp) -> Result<bool, Failure> {
        self.read((claim.clone(), now), |session, (claim, now)| {
            Box::pin(async move {
                let held = holding(session, &[(claim, *now)], Hold::Nothing).await?;
                Ok(held.first().copied().unwrap_or(false))
            })
        })
        .await
    }
}

/// Which of these claims still give the right to send: they stand, under an epoch that is the lease's, the gate is open to
/// each of their addresses, and there still is a ground to write.
async fn holding(
    session: &mut Session,
    asked: &[(&Claim, Timestamp)],
    hold: Hold,
) -> Result<Vec<bool>, Failure> {
    if is_unchecked() {
        return Ok(vec![true; asked.len()]);
    }
    let epochs = epochs(session, asked, hold).await?;
    let stands = standing(session, asked, hold).await?;
    let addresses = asked.iter().flat_map(|(claim, _)| &claim.about.addresses);
    let addresses: Vec<AddressKey> = addresses.copied().collect();
    let gate = gate::read(session, &addresses, hold).await?;
    let abouts: Vec<(&About, Timestamp)> = asked
        .iter()
        .map(|(claim, now)| (&*claim.about, *now))
        .collect();
    let grounds = grounds::are_there(session, &abouts).await?;
    let mut holding = Vec::with_capacity(asked.len());
    for (place, ((claim, now), is_ground)) in (1..).zip(asked.iter().zip(grounds)) {
        let is_ours = epochs.get(&claim.shard) == Some(&claim.epoch);
        let holds = is_ours && is_ground && stands.contains(&place);
        holding.push(holds && gate.is_open(&claim.about, *now)?);
    }
    Ok(holding)
}

async fn epochs(
    session: &mut Session,
    asked: &[(&Claim, Timestamp)],
    hold: Hold,
) -> Result<BTreeMap<u32, u64>, Failure> {
    let sql = match hold {
        Hold::Nothing => LEASES_SEEN,
        Hold::Shared | Hold::Alone => LEASES,
    };
    let shards: BTreeSet<i64> = asked.iter().map(|(claim, _)| number(claim.shard)).collect();
    let shards: Vec<i64> = shards.into_iter().collect();
    let rows = session.rows(sqlx::query(sql).bind(shards)).await?;
    rows.iter()
        .map(|row| Ok((row.small(0)?, row.count(1)?)))
        .collect()
}

/// Those that stand, by their numbers from 1.
async fn standing(
    session: &mut Session,
    asked: &[(&Claim, Timestamp)],
    hold: Hold,
) -> Result<BTreeSet<i64>, Failure> {
    let sql = match hold {
        Hold::Nothing => STANDING,
        Hold::Shared | Hold::Alone => STANDING_HELD,
    };
    let list =
        |of: fn(&Claim) -> i64| -> Vec<i64> { asked.iter().map(|(claim, _)| of(claim)).collect() };
    let instants: Vec<i64> = asked.iter().map(|(_, now)| nanos(*now)).collect();
    let query = sqlx::query(sql)
        .bind(list(|claim| claim.row))
        .bind(list(|claim| claim.id))
        .bind(list(|claim| signed(claim.epoch)))
        .bind(instants);
    let rows = session.rows(query).await?;
    rows.iter().map(|row| row.long(0)).collect()
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
    let holding = holding(session, &asked, Hold::Shared).await?;
    let held: Vec<&Beginning> = attempts
        .iter()
        .zip(&holding)
        .filter(|(_, holds)| **holds)
        .map(|((_, attempt), _)| *attempt)
        .collect();
    let list = |of: fn(&Beginning) -> i64| -> Vec<i64> { held.iter().map(|one| of(one)).collect() };
    let query = sqlx::query(BEGIN)
        .bind(list(|one| one.claim.row))
        .bind(list(|one| i64::from(one.n)))
        .bind(list(|one| one.claim.id))
        .bind(list(|one| signed(one.claim.epoch)))
        .bind(list(|one| nanos(one.now)));
    let written = session.rows(query).await?;
    let written: BTreeSet<i64> = written
        .iter()
        .map(|row| row.long(0))
        .collect::<Result<_, _>>()?;
    let is_begun = |row: &i64| is_unchecked() || written.contains(row);
    let counted = held.iter().filter(|one| is_begun(&one.claim.row));
    let (rows, numbers): (Vec<i64>, Vec<i64>) =
        counted.map(|one| (one.claim.row, i64::from(one.n))).unzip();
    let query = sqlx::query(COUNT).bind(rows).bind(numbers);
    session.execute(query).await?;
    let told = holding
        .iter()
        .zip(&asked)
        .map(|(holds, (claim, _))| *holds && is_begun(&claim.row));
    Ok(told.collect())
}
