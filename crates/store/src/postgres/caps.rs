//! Caps across accounts: how many messages one address gets, whoever's they are. Its row is held alone meanwhile.

use super::rows::{Columns, nanos};
use super::session::Session;
use crate::sqlite::caps::{Counted, begin};
use crate::{AddressKey, Cap, Failure};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The newest hand-overs of each address of a list inside the time of the cap.
pub(crate) const NEWEST: &str = "SELECT j.address, c.at, c.delivery FROM unnest($1::bytea[]) j (address) \
    CROSS JOIN LATERAL (SELECT at, delivery FROM counted WHERE address = j.address AND at > $2 \
        ORDER BY at DESC LIMIT $3) c ORDER BY c.at DESC";

/// What counts for a list of deliveries.
pub(crate) const GIVE_BACK: &str = "DELETE FROM counted WHERE delivery = ANY($1)";

/// Reads what counts for these addresses.
pub(crate) async fn read(
    session: &mut Session,
    addresses: &[AddressKey],
    (cap, now): (Cap, Timestamp),
) -> Result<Counted, Failure> {
    let keys: BTreeSet<&AddressKey> = addresses.iter().collect();
    let keys: Vec<Vec<u8>> = keys.iter().map(|key| key.0.to_vec()).collect();
    let query = sqlx::query(NEWEST)
        .bind(keys)
        .bind(begin(now, cap))
        .bind(i64::from(cap.at_most) + 1);
    let mut newest: BTreeMap<AddressKey, Vec<(i64, i64)>> = BTreeMap::new();
    for row in session.rows(query).await? {
        let key = <[u8; 32]>::try_from(row.bytes(0)?)
            .map_err(|_| Failure::unreadable("an address", "it has another length"))?;
        let hand_over = (row.long(1)?, row.long(2)?);
        newest.entry(AddressKey(key)).or_default().push(hand_over);
    }
    Ok(Counted::new((cap, now), newest))
}

/// Writes what was counted; what has left the time of the cap is forgotten.
pub(crate) async fn write(session: &mut Session, counted: &Counted) -> Result<(), Failure> {
    let (begun, now, begin) = counted.begun();
    if begun.is_empty() {
        return Ok(());
    }
    let keys: Vec<Vec<u8>> = begun.iter().map(|(key, _)| key.0.to_vec()).collect();
    let deliveries: Vec<i64> = begun.iter().map(|(_, delivery)| *delivery).collect();
    let sql = "DELETE FROM counted WHERE delivery = ANY($1) OR (address = ANY($2) AND at <= $3)";
    let query = sqlx::query(sql)
        .bind(deliveries.clone())
        .bind(keys.clone())
        .bind(begin);
    session.execute(query).await?;
    let sql = "INSERT INTO counted (address, at, delivery) SELECT j.address, $3, j.delivery \
        FROM unnest($1::bytea[], $2::bigint[]) j (address, delivery) ON CONFLICT DO NOTHING";
    let query = sqlx::query(sql)
        .bind(keys)
        .bind(deliveries)
        .bind(nanos(now));
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
