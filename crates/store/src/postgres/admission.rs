//! Admission: which of the messages that are ready may be claimed now, and what becomes of the others.

use super::fates;
use super::gate::{self, Hold};
use super::rows::{nanos, signed};
use super::session::Session;
use super::{caps, grounds, suppressions};
use crate::outbox::About;
use crate::sqlite::admission::{Candidate, Said, ask, ended, standing, without_stopped_copies};
use crate::sqlite::fates::{End, Ended};
use crate::sqlite::gate::Stand;
use crate::{AddressKey, ClaimRequest, Claimed, ClockMode, Failure, Person};
use jiff::Timestamp;
use model::{Channel, DeliveryState};
use std::sync::Arc;

const CANDIDATES: &str = "SELECT d.id, d.shard, d.attempts, o.outgoing, d.claim + 1, o.addresses, \
    o.revision, o.related_until \
    FROM unnest($1::bigint[]) WITH ORDINALITY j (id, n) \
    JOIN delivery d ON d.id = j.id JOIN outbox o ON o.id = d.id ORDER BY j.n";
const CLAIM: &str = "UPDATE delivery SET state = 'claimed', claim = claim + 1, claim_epoch = $1, \
    claimed_at = $2, updated_at = $2 WHERE id = ANY($3)";

/// What became of a page.
#[derive(Default)]
pub(crate) struct Page {
    pub(crate) admitted: Vec<Claimed>,
    pub(crate) stopped: Vec<Ended>,
}

/// Claims those of these rows that may leave; ends what is suppressed, and defers what a switch or a cap holds back.
pub(crate) async fn admit(
    session: &mut Session,
    request: ClaimRequest,
    (rows, clock): (Vec<i64>, ClockMode),
) -> Result<Page, Failure> {
    let rows = session.rows(sqlx::query(CANDIDATES).bind(rows)).await?;
    let read: Result<Vec<Claimed>, Failure> = rows
        .iter()
        .map(|row| Ok(Candidate::of(row)?.claimed(request, clock)))
        .collect();
    let read = read?;
    let all: Vec<AddressKey> = read.iter().flat_map(|one| one.addresses.clone()).collect();
    let hold = match request.cap {
        Some(_) => Hold::Alone,
        None => Hold::Shared,
    };
    let gate = gate::read(session, &all, hold).await?;
    let abouts: Vec<Arc<About>> = read
        .iter()
        .map(|one| Arc::clone(&one.claim.about))
        .collect();
    let asked: Vec<(&About, Timestamp)> =
        abouts.iter().map(|about| (&**about, request.now)).collect();
    let grounds = grounds::are_there(session, &asked).await?;
    let mut counted = match (request.cap, clock) {
        (Some(cap), ClockMode::Live) => Some(caps::read(session, &all, (cap, request.now)).await?),
        (_, ClockMode::Live | ClockMode::Log) => None,
    };
    let mut page = Page::default();
    for (one, is_ground) in read.into_iter().zip(grounds) {
        match ask((&gate, is_ground), counted.as_ref(), &one, request.now)? {
            Said::Pass => {
                let one = without_stopped_copies(&gate, one, request.now)?;
                if let Some(counted) = &mut counted {
                    counted.count(&one.addresses, one.claim.row);
                }
                page.admitted.push(one);
            }
            Said::Stop(stand) => {
                let stopped = stop(session, one, stand, (request, clock)).await?;
                page.stopped.push(stopped);
            }
            Said::Bar(why) => {
                let end = ended(DeliveryState::Suppressed, &why, (request, clock));
                let barred = fates::end(session, &standing(&one), &end).await?;
                page.stopped.push(barred);
            }
            Said::Wait(until, why) => {
                let end = ended(DeliveryState::Deferred, &why, (request, clock));
                fates::wait(session, &standing(&one), until, &end).await?;
            }
        }
    }
    if let Some(counted) = &counted {
        caps::write(session, counted).await?;
    }
    let ids: Vec<i64> = page.admitted.iter().map(|one| one.claim.row).collect();
    let query = sqlx::query(CLAIM)
        .bind(signed(request.epoch))
        .bind(nanos(request.now))
        .bind(ids);
    session.execute(query).await?;
    Ok(page)
}

/// Ends a message that the gate stops; its account's log hears of it, so it also hears when that is lifted.
async fn stop(
    session: &mut Session,
    one: Claimed,
    stand: &Stand,
    at: (ClaimRequest, ClockMode),
) -> Result<Ended, Failure> {
    let detail = format!(
        "{} is stopped for this address: {}",
        stand.scope, stand.reason
    );
    let end = End {
        stopped: Some(stand),
        ..ended(DeliveryState::Suppressed, &detail, at)
    };
    let whom = one.addresses.first().copied();
    if let (Some(whom), Channel::Email { contact, .. }) = (whom, &one.outgoing.channel) {
        let person = Person {
            account: one.outgoing.account.clone(),
            contact: contact.clone(),
        };
        suppressions::meet(session, whom, &person).await?;
    }
    fates::end(session, &standing(&one), &end).await
}
