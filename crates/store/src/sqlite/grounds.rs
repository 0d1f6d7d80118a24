//! Grounds: whether the law lets somebody be written to, asked with the gate.

use super::flight::{Answer, Part, Value, Values};
use crate::outbox::About;
use crate::{AddressKey, Basis, Failure};
use jiff::Timestamp;
use model::Demand;

/// How the detail of a message begins for which there is no ground.
pub(crate) const NO_CONSENT: &str = "no_consent: ";

/// The places of those of a list of recipients that have a proof of one of the kinds beside them that holds then.
pub(crate) const PROVEN: Part = Part::over(
    3 + KINDS,
    "WITH j (place, address, at, a, b, c, d) AS ({list}) SELECT json_group_array(j.place) FROM j \
    WHERE EXISTS (SELECT 1 FROM consent c WHERE c.address = j.address AND c.at <= j.at \
    AND (c.until IS NULL OR c.until > j.at) AND c.basis IN (j.a, j.b, j.c, j.d))",
);
/// As many kinds of proof there are.
const KINDS: usize = Basis::ALL.len();

/// What is asked of the ledger, as values of its statement.
pub(crate) fn asked<'a>(asked: &[(&'a About, Timestamp)]) -> Values<'a> {
    let mut values = Values::new();
    for (place, (about, now)) in (0_u32..).zip(asked) {
        if let Some((whom, kinds)) = needed(about, *now) {
            let row: [Value<'_>; 3] = [place.into(), whom.0.as_slice().into(), (*now).into()];
            values.extend(row);
            let kinds = kinds.iter().map(|kind| Value::from(kind.as_str()));
            values.extend(kinds.chain(std::iter::repeat(Value::Nothing)).take(KINDS));
        }
    }
    values
}

/// Whether there is a ground to write to each recipient: none is needed, the account does business with us, or the ledger
/// has a proof. Who gets a copy gets what is contractual, which needs none.
pub(crate) fn are_there(
    asked: &[(&About, Timestamp)],
    proven: &Answer,
) -> Result<Vec<bool>, Failure> {
    let proven = proven.places()?;
    let is_there = |(place, (about, now)): (i64, &(&About, Timestamp))| {
        needed(about, *now).is_none() || proven.contains(&place)
    };
    Ok((0..).zip(asked).map(is_there).collect())
}

/// The recipient and the kinds of proof of which one is needed; none: there is a ground without.
pub(crate) fn needed(about: &About, now: Timestamp) -> Option<(&AddressKey, &'static [Basis])> {
    let Demand::OneOf(bases) = about.demand else {
        return None;
    };
    let is_related = about.related_until.is_some_and(|until| now < until);
    if is_related && about.demand.accepts(Basis::BusinessRelationship) {
        return None;
    }
    Some((about.addresses.first()?, bases))
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
