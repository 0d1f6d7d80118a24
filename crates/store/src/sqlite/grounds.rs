//! Grounds: whether the law lets somebody be written to, asked with the gate.

use super::Session;
use super::accounts::json;
use super::rows::nanos;
use crate::outbox::About;
use crate::{AddressKey, Basis, Failure};
use jiff::Timestamp;
use model::Demand;

/// How the detail of a message begins for which there is no ground.
pub(crate) const NO_CONSENT: &str = "no_consent: ";

/// A proof of one of these kinds that holds now.
pub(crate) const PROOF: &str = "SELECT 1 FROM consent WHERE address = ?1 AND at <= ?2 \
    AND (until IS NULL OR until > ?2) AND basis IN (SELECT value FROM json_each(?3)) LIMIT 1";

/// Whether there is a ground to write to the recipient: none is needed, the account does business with us, or the ledger
/// has a proof. Who gets a copy gets what is contractual, which needs none.
pub(crate) async fn is_there(
    session: &mut Session,
    about: &About,
    now: Timestamp,
) -> Result<bool, Failure> {
    let Some((whom, words)) = needed(about, now) else {
        return Ok(true);
    };
    let query = sqlx::query(PROOF)
        .bind(whom.0.to_vec())
        .bind(nanos(now))
        .bind(json(&words));
    Ok(session.row(query).await?.is_some())
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
