//! Caps across accounts: how many messages one address gets, whoever's they are. Its row is held alone meanwhile.

use super::rows::{Columns, instant_of, nanos};
use super::session::Session;
use crate::sqlite::caps::{begin, end};
use crate::{AddressKey, Cap, Failure};
use jiff::Timestamp;

/// The so-many-th newest hand-over of an address inside the time of the cap.
pub(crate) const NEWEST: &str = "SELECT at FROM counted WHERE address = $1 AND at > $2 \
    AND delivery <> $3 ORDER BY at DESC LIMIT 1 OFFSET $4";

/// What counts for a list of deliveries.
pub(crate) const GIVE_BACK: &str = "DELETE FROM counted WHERE delivery = ANY($1)";

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
    let keys: Vec<Vec<u8>> = addresses.iter().map(|key| key.0.to_vec()).collect();
    let sql = "DELETE FROM counted WHERE delivery = $1 OR (address = ANY($2) AND at <= $3)";
    let query = sqlx::query(sql)
        .bind(delivery)
        .bind(keys.clone())
        .bind(begin(now, cap));
    session.execute(query).await?;
    let sql = "INSERT INTO counted (address, at, delivery) SELECT address, $2, $3 \
        FROM unnest($1::bytea[]) a (address) ON CONFLICT DO NOTHING";
    let query = sqlx::query(sql).bind(keys).bind(nanos(now)).bind(delivery);
    session.execute(query).await?;
    Ok(())
}

/// Of these nothing was sent: they do not count.
pub(crate) async fn give_back(session: &mut Session, deliveries: Vec<i64>) -> Result<(), Failure> {
    if !deliveries.is_empty() {
        let query = sqlx::query(GIVE_BACK).bind(deliveries);
        session.execute(query).await?;
    }
    Ok(())
}
