//! Caps across accounts: how many messages one address gets, whoever's they are.

use super::Session;
use super::accounts::json;
use super::rows::{Columns, instant_of, nanos};
use crate::{AddressKey, Cap, Failure};
use jiff::{SignedDuration, Timestamp};

/// The so-many-th newest hand-over of an address inside the time of the cap.
pub(crate) const NEWEST: &str = "SELECT at FROM counted WHERE address = ? AND at > ? \
    AND delivery <> ? ORDER BY at DESC LIMIT 1 OFFSET ?";

/// What counts for a list of deliveries.
pub(crate) const GIVE_BACK: &str =
    "DELETE FROM counted WHERE delivery IN (SELECT value FROM json_each(?))";

/// When an address may get one more message; none: now.
pub(crate) async fn full_until(
    session: &mut Session,
    address: AddressKey,
    delivery: i64,
    (cap, now): (Cap, Timestamp),
) -> Result<Option<Timestamp>, Failure> {
    let Some(before) = cap.at_most.checked_sub(1) else {
        return Ok(Some(instant_of(end(nanos(now), cap))));
    };
    let query = sqlx::query(NEWEST)
        .bind(address.0.to_vec())
        .bind(begin(now, cap))
        .bind(delivery)
        .bind(i64::from(before));
    let row = session.row(query).await?;
    let oldest = row.map(|row| row.long(0)).transpose()?;
    Ok(oldest.map(|at| instant_of(end(at, cap))))
}

/// Counts a hand-over that begins; what has left the time of the cap is forgotten.
pub(crate) async fn count(
    session: &mut Session,
    addresses: &[AddressKey],
    delivery: i64,
    (cap, now): (Cap, Timestamp),
) -> Result<(), Failure> {
    give_back(session, &[delivery]).await?;
    for address in addresses {
        let sql = "DELETE FROM counted WHERE address = ? AND at <= ?";
        let query = sqlx::query(sql)
            .bind(address.0.to_vec())
            .bind(begin(now, cap));
        session.execute(query).await?;
        let sql =
            "INSERT INTO counted (address, at, delivery) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
        let query = sqlx::query(sql)
            .bind(address.0.to_vec())
            .bind(nanos(now))
            .bind(delivery);
        session.execute(query).await?;
    }
    Ok(())
}

/// Of these nothing was sent: they do not count.
pub(crate) async fn give_back(session: &mut Session, deliveries: &[i64]) -> Result<(), Failure> {
    if !deliveries.is_empty() {
        let query = sqlx::query(GIVE_BACK).bind(json(&deliveries));
        session.execute(query).await?;
    }
    Ok(())
}

fn length(cap: Cap) -> i64 {
    let length = SignedDuration::try_from(cap.within).unwrap_or(SignedDuration::MAX);
    i64::try_from(length.as_nanos()).unwrap_or(i64::MAX)
}

pub(crate) fn begin(now: Timestamp, cap: Cap) -> i64 {
    nanos(now).saturating_sub(length(cap))
}

pub(crate) fn end(at: i64, cap: Cap) -> i64 {
    at.saturating_add(length(cap))
}
