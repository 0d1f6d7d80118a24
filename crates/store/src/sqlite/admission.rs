//! Admission: which of the messages that are ready may be claimed now, and what becomes of the others.

use super::accounts::json;
use super::caps::{self, Counted};
use super::fates::{self, End, Standing};
use super::gate::{Gate, Stand};
use super::rows::{Columns, nanos, signed};
use super::{Session, grounds, suppressions};
use crate::outbox::About;
use crate::{AddressKey, Claim, ClaimRequest, Claimed, ClockMode, Failure, Person, RevisionId};
use jiff::{SignedDuration, Timestamp};
use model::{Channel, DeliveryState, Outgoing, Purpose};
use std::sync::Arc;

/// How long a message waits that a switch holds back, before it is looked at again; turning the switch on wakes it.
pub(crate) const PAUSED_WAIT: SignedDuration = SignedDuration::from_mins(1);
/// How the detail of a message begins that a switch holds back.
pub(crate) const PAUSED: &str = "paused: ";

/// What the gate says to a message.
pub(crate) enum Said<'g> {
    Pass,
    Stop(&'g Stand),
    /// The law gives no ground for it.
    Bar(String),
    Wait(Timestamp, String),
}

/// Claims those of these messages that may leave; ends what is suppressed, and defers what a switch or a cap holds back.
pub(crate) async fn admit(
    session: &mut Session,
    request: ClaimRequest,
    (read, clock): (Vec<Claimed>, ClockMode),
) -> Result<Vec<Claimed>, Failure> {
    if read.is_empty() {
        return Ok(read);
    }
    let all: Vec<AddressKey> = read.iter().flat_map(|one| one.addresses.clone()).collect();
    let gate = Gate::read(session, &all).await?;
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
    let mut admitted = Vec::new();
    for (one, is_ground) in read.into_iter().zip(grounds) {
        match ask((&gate, is_ground), counted.as_ref(), &one, request.now)? {
            Said::Pass => {
                let one = without_stopped_copies(&gate, one, request.now)?;
                if let Some(counted) = &mut counted {
                    counted.count(&one.addresses, one.claim.row);
                }
                admitted.push(one);
            }
            Said::Stop(stand) => stop(session, one, stand, (request, clock)).await?,
            Said::Bar(why) => {
                let end = ended(DeliveryState::Suppressed, &why, (request, clock));
                fates::finish(session, &standing(&one), &end).await?;
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
    if admitted.is_empty() {
        return Ok(admitted);
    }
    let ids: Vec<i64> = admitted.iter().map(|one| one.claim.row).collect();
    let sql = "UPDATE delivery SET state = 'claimed', claim = claim + 1, claim_epoch = ?1, \
        claimed_at = ?2, updated_at = ?2 WHERE id IN (SELECT value FROM json_each(?3))";
    let query = sqlx::query(sql)
        .bind(signed(request.epoch))
        .bind(nanos(request.now))
        .bind(json(&ids));
    session.execute(query).await?;
    Ok(admitted)
}

/// Asks all that may stop a message; `counted` is there where a cap is.
pub(crate) fn ask<'g>(
    (gate, is_ground): (&'g Gate, bool),
    counted: Option<&Counted>,
    one: &Claimed,
    now: Timestamp,
) -> Result<Said<'g>, Failure> {
    let about = &one.claim.about;
    let whom = about.addresses.first().copied();
    if let Some(whom) = whom
        && let Some(stand) = gate.stops(about, whom, now)?
    {
        return Ok(Said::Stop(stand));
    }
    if let Some(switch) = gate.paused(about) {
        let until = now.saturating_add(PAUSED_WAIT);
        let until = until.unwrap_or(Timestamp::MAX);
        return Ok(Said::Wait(until, format!("{PAUSED}{switch}")));
    }
    if !is_ground {
        return Ok(Said::Bar(grounds::missing(about)));
    }
    let is_held = about.purpose != Some(Purpose::Contractual);
    if let (Some(whom), Some(counted), true) = (whom, counted, is_held)
        && let Some(until) = counted.full_until(whom, one.claim.row)
    {
        let why = format!("its address had {} messages lately", counted.at_most());
        return Ok(Said::Wait(until, why));
    }
    Ok(Said::Pass)
}

/// Leaves out the copies that are suppressed.
pub(crate) fn without_stopped_copies(
    gate: &Gate,
    mut one: Claimed,
    now: Timestamp,
) -> Result<Claimed, Failure> {
    let about = Arc::clone(&one.claim.about);
    let mut kept = Vec::new();
    let mut dropped = Vec::new();
    for (place, address) in about.addresses.iter().enumerate() {
        if place > 0 && gate.stops(&about, *address, now)?.is_some() {
            dropped.push(place - 1);
        } else {
            kept.push(*address);
        }
    }
    if !dropped.is_empty() {
        if let Channel::Email { cc, .. } = &mut one.outgoing.channel {
            let mut place = 0;
            cc.retain(|_| {
                place += 1;
                !dropped.contains(&(place - 1))
            });
        }
        one.addresses.clone_from(&kept);
        one.claim.about = Arc::new(About {
            addresses: kept,
            domains: domains(&one.outgoing),
            ..(*about).clone()
        });
    }
    Ok(one)
}

/// Ends a message that the gate stops; its account's log hears of it, so it also hears when that is lifted.
async fn stop(
    session: &mut Session,
    one: Claimed,
    stand: &Stand,
    at: (ClaimRequest, ClockMode),
) -> Result<(), Failure> {
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
    fates::finish(session, &standing(&one), &end).await
}

pub(crate) fn ended(
    state: DeliveryState,
    detail: &str,
    (request, clock): (ClaimRequest, ClockMode),
) -> End<'_> {
    End {
        state,
        detail,
        stopped: None,
        now: request.now,
        clock,
    }
}

pub(crate) fn standing(one: &Claimed) -> Standing {
    let at = (one.claim.row, one.claim.shard, one.attempts);
    Standing::of(at, &one.outgoing)
}

/// The row in the columns 0 to 7: id, shard, attempts, outgoing, claim, addresses, revision, end of the relation.
pub(crate) fn candidate(
    row: &impl Columns,
    request: ClaimRequest,
    clock: ClockMode,
) -> Result<Claimed, Failure> {
    let (
        Standing {
            row: id, attempts, ..
        },
        outgoing,
    ) = fates::standing(row)?;
    let addresses = addresses(&row.text(5)?)?;
    let about = About {
        workflow: outgoing.workflow.clone(),
        topic: outgoing.topic.clone(),
        purpose: outgoing.purpose,
        domains: domains(&outgoing),
        addresses: addresses.clone(),
        demand: model::law::demand(request.jurisdiction, outgoing.purpose),
        related_until: match (row.maybe_instant(7)?, clock) {
            // Time is the account's own there: what held at the decision holds.
            (Some(_), ClockMode::Log) => Some(Timestamp::MAX),
            (until, ClockMode::Live | ClockMode::Log) => until,
        },
    };
    Ok(Claimed {
        claim: Claim {
            message: outgoing.message.clone(),
            shard: request.shard,
            epoch: request.epoch,
            row: id,
            id: row.long(4)?,
            about: Arc::new(about),
        },
        outgoing,
        addresses,
        attempts,
        revision: revision(row, 6)?,
    })
}

/// The text that decided a message, in a column.
pub(crate) fn revision(row: &impl Columns, place: usize) -> Result<Option<RevisionId>, Failure> {
    let number = row.maybe_long(place)?;
    let read = number.map(|number| {
        let number = u32::try_from(number);
        number.map_err(|why| Failure::unreadable("a revision", why))
    });
    Ok(read.transpose()?.map(RevisionId))
}

/// The domains that a mail reaches.
fn domains(outgoing: &Outgoing) -> Vec<Box<str>> {
    let Channel::Email { to, cc, .. } = &outgoing.channel else {
        return Vec::new();
    };
    std::iter::once(to)
        .chain(cc)
        .filter_map(|mailbox| mailbox.address.trim().rsplit_once('@'))
        .map(|(_, domain)| domain.to_lowercase().into())
        .collect()
}

pub(crate) fn addresses(text: &str) -> Result<Vec<AddressKey>, Failure> {
    let keys: Vec<String> =
        serde_json::from_str(text).map_err(|why| Failure::unreadable("addresses", why))?;
    let key = |hex: &String| {
        let hash = blake3::Hash::from_hex(hex.as_bytes());
        let hash = hash.map_err(|why| Failure::unreadable("an address", why))?;
        Ok(AddressKey(*hash.as_bytes()))
    };
    keys.iter().map(key).collect()
}
