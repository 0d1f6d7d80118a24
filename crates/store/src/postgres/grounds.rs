//! Grounds: whether the law lets somebody be written to, asked with the gate.

use super::rows::nanos;
use super::session::Session;
use crate::Failure;
use crate::outbox::About;
use crate::sqlite::grounds::needed;
use jiff::Timestamp;

/// A proof of one of these kinds that holds now.
pub(crate) const PROOF: &str = "SELECT id FROM consent WHERE address = $1 AND at <= $2 \
    AND (until IS NULL OR until > $2) AND basis = ANY($3) LIMIT 1";

/// Whether there is a ground to write to the recipient: none is needed, the account does business with us, or the ledger
/// has a proof.
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
        .bind(words);
    Ok(session.row(query).await?.is_some())
}
