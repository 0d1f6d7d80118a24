//! Grounds: whether the law lets somebody be written to, asked with the gate.

use super::rows::{Columns, nanos};
use super::session::Session;
use crate::Failure;
use crate::outbox::About;
use crate::sqlite::grounds::needed;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Which of a list of recipients have a proof of one of the kinds beside them that holds then.
pub(crate) const PROVEN: &str = "SELECT j.n - 1 FROM unnest($1::bytea[], $2::bigint[], $3::text[]) \
    WITH ORDINALITY j (address, now, bases, n) WHERE EXISTS (SELECT FROM consent c \
    WHERE c.address = j.address AND c.at <= j.now AND (c.until IS NULL OR c.until > j.now) \
    AND c.basis = ANY(string_to_array(j.bases, ' ')))";

/// Whether there is a ground to write to each recipient: none is needed, the account does business with us, or the ledger
/// has a proof.
pub(crate) async fn are_there(
    session: &mut Session,
    asked: &[(&About, Timestamp)],
) -> Result<Vec<bool>, Failure> {
    let mut are_there = vec![true; asked.len()];
    let mut places = Vec::new();
    let (mut keys, mut instants, mut bases) = (Vec::new(), Vec::new(), Vec::new());
    for (place, (about, now)) in asked.iter().enumerate() {
        if let Some((whom, kinds)) = needed(about, *now) {
            places.push(place);
            keys.push(whom.0.to_vec());
            instants.push(nanos(*now));
            let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            bases.push(kinds.join(" "));
        }
    }
    if places.is_empty() {
        return Ok(are_there);
    }
    let query = sqlx::query(PROVEN).bind(keys).bind(instants).bind(bases);
    let found = session.rows(query).await?;
    let proven = found.iter().map(|row| row.long(0));
    let proven: BTreeSet<i64> = proven.collect::<Result<_, _>>()?;
    for (number, place) in (0..).zip(places) {
        if let Some(is_there) = are_there.get_mut(place) {
            *is_there = proven.contains(&number);
        }
    }
    Ok(are_there)
}
