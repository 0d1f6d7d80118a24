//! Grounds: whether the law lets somebody be written to, asked with the gate.

use super::Session;
use super::accounts::json;
use super::rows::{Columns, nanos};
use crate::outbox::About;
use crate::{AddressKey, Basis, Failure};
use jiff::Timestamp;
use model::Demand;
use std::collections::BTreeSet;

/// How the detail of a message begins for which there is no ground.
pub(crate) const NO_CONSENT: &str = "no_consent: ";

/// Which of a list of recipients have a proof of one of the kinds beside them that holds then.
pub(crate) const PROVEN: &str = "SELECT j.key FROM json_each(?) j WHERE EXISTS (SELECT 1 FROM consent c \
    WHERE c.address = unhex(j.value ->> 0) AND c.at <= j.value ->> 1 \
    AND (c.until IS NULL OR c.until > j.value ->> 1) \
    AND c.basis IN (SELECT w.value FROM json_each(j.value, '$[2]') w))";

/// Whether there is a ground to write to each recipient: none is needed, the account does business with us, or the ledger
/// has a proof. Who gets a copy gets what is contractual, which needs none.
pub(crate) async fn are_there(
    session: &mut Session,
    asked: &[(&About, Timestamp)],
) -> Result<Vec<bool>, Failure> {
    let mut are_there = vec![true; asked.len()];
    let (mut places, mut wanted) = (Vec::new(), Vec::new());
    for (place, (about, now)) in asked.iter().enumerate() {
        if let Some((whom, words)) = needed(about, *now) {
            places.push(place);
            wanted.push((whom.hex(), nanos(*now), words));
        }
    }
    if wanted.is_empty() {
        return Ok(are_there);
    }
    let found = session
        .rows(sqlx::query(PROVEN).bind(json(&wanted)))
        .await?;
    let proven = found.iter().map(|row| row.long(0));
    let proven: BTreeSet<i64> = proven.collect::<Result<_, _>>()?;
    for (number, place) in (0..).zip(places) {
        if let Some(is_there) = are_there.get_mut(place) {
            *is_there = proven.contains(&number);
        }
    }
    Ok(are_there)
}

/// The recipient and the kinds of proof of which one is needed; none: there is a ground without.
pub(crate) fn needed(about: &About, now: Timestamp) -> Option<(AddressKey, Vec<&'static str>)> {
    let Demand::OneOf(bases) = about.demand else {
        return None;
    };
    let is_related = about.related_until.is_some_and(|until| now < until);
    if is_related && about.demand.accepts(Basis::BusinessRelationship) {
        return None;
    }
    let whom = about.addresses.first().copied()?;
    Some((whom, bases.iter().map(|basis| basis.as_str()).collect()))
}

/// Why a message without a ground does not leave.
pub(crate) fn missing(about: &About) -> String {
    let words: Vec<&str> = match about.demand {
        Demand::Nothing => Vec::new(),
        Demand::OneOf(bases) => bases.iter().map(|basis| basis.as_str()).collect(),
    };
    format!(
        "{NO_CONSENT}it advertises, its account has no running contract, and there is no proof of {}; `sottaku consent add` records one",
        words.join(", ")
    )
}
