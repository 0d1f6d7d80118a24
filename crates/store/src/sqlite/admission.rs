//! Admission: which of the messages that are ready may be claimed now, and what becomes of the others.

use super::caps::{self, Counted};
use super::fates::{self, End, Standing};
use super::flight::{Flight, Part, Value, Values};
use super::gate::{self, Gate, Stand};
use super::rows::{Columns, signed};
use super::{Session, grounds, suppressions};
use crate::outbox::About;
use crate::{
    AddressKey, Cap, Claim, ClaimRequest, Claimed, ClockMode, Failure, Person, RevisionId,
};
use jiff::{SignedDuration, Timestamp};
use model::{Channel, DeliveryState, Outgoing, Purpose};
use std::sync::Arc;

/// How long a message waits that a switch holds back, before it is looked at again; turning the switch on wakes it.
pub(crate) const PAUSED_WAIT: SignedDuration = SignedDuration::from_mins(1);
/// How the detail of a message begins that a switch holds back.
pub(crate) const PAUSED: &str = "paused: ";

/// Claims a list of deliveries.
pub(crate) const CLAIM: Part = Part::over(
    3,
    "WITH j (id, epoch, now) AS ({list}) UPDATE OR ROLLBACK delivery SET state = 'claimed', claim = claim + 1, \
    claim_epoch = j.epoch, claimed_at = j.now, updated_at = j.now FROM j WHERE delivery.id = j.id",
);

static ASKING: Flight = Flight::new(&[gate::OFF, gate::STANDING, grounds::PROVEN, caps::NEWEST]);
static CLAIMING: Flight = Flight::new(&[caps::GIVE_BACK, caps::FORGET, caps::COUNT, CLAIM]);

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
    let abouts: Vec<Arc<About>> = read
        .iter()
        .map(|one| Arc::clone(&one.claim.about))
        .collect();
    let cap = request.cap.filter(|_| clock == ClockMode::Live);
    let cap = cap.map(|cap| (cap, request.now));
    let (gate, grounds, mut counted) = bearing(session, (&abouts, request.now), cap).await?;
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
    if !admitted.is_empty() {
        let [forgotten, counted] = counted.as_ref().map(Counted::values).unwrap_or_default();
        let claimed = [
            again(&admitted),
            forgotten,
            counted,
            claims(&admitted, request),
        ];
        CLAIMING.write(session, claimed).await?;
    }
    Ok(admitted)
}

/// Reads what bears on messages: the gate to their addresses, the grounds for each, and what counts where there is a cap.
async fn bearing(
    session: &mut Session,
    (abouts, now): (&[Arc<About>], Timestamp),
    cap: Option<(Cap, Timestamp)>,
) -> Result<(Gate, Vec<bool>, Option<Counted>), Failure> {
    let addresses = || abouts.iter().flat_map(|about| &about.addresses);
    let asked: Vec<(&About, Timestamp)> = abouts.iter().map(|about| (&**about, now)).collect();
    let capped = cap.map(|cap| caps::asked(addresses(), cap));
    let asking = [
        Values::new(),
        gate::asked(addresses()),
        grounds::asked(&asked),
        capped.unwrap_or_default(),
    ];
    let [off, stands, proven, newest] = ASKING.read(session, asking).await?;
    let counted = cap.map(|cap| Counted::of(cap, &newest));
    Ok((
        Gate::of(&off.rows, &stands.rows)?,
        grounds::are_there(&asked, &proven)?,
        counted.transpose()?,
    ))
}

/// Those that were claimed before, as values of the statement that gives back what counted for them.
fn again(admitted: &[Claimed]) -> Values<'static> {
    let again = admitted.iter().filter(|one| one.claim.id > 1);
    again.map(|one| one.claim.row.into()).collect()
}

/// As values of the statement that claims them.
fn claims(admitted: &[Claimed], request: ClaimRequest) -> Values<'static> {
    let (epoch, now) = (Value::from(signed(request.epoch)), request.now.into());
    let row = |one: &Claimed| [one.claim.row.into(), epoch, now];
    admitted.iter().flat_map(row).collect()
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

/// A delivery as it stands, with all that is asked of it before it leaves.
pub(crate) struct Candidate {
    pub(crate) row: i64,
    pub(crate) attempts: u32,
    /// The how-many-th claim this would be.
    pub(crate) claim: i64,
    /// The text that decided it.
    pub(crate) revision: Option<RevisionId>,
    /// Until when its account does business with us.
    pub(crate) related_until: Option<Timestamp>,
    pub(crate) addresses: Vec<AddressKey>,
    pub(crate) outgoing: Outgoing,
}

impl Candidate {
    /// Of the columns 0 to 7: id, shard, attempts, outgoing, claim, addresses, revision, end of the relation.
    pub(crate) fn of(row: &impl Columns) -> Result<Self, Failure> {
        let (standing, outgoing) = fates::standing(row)?;
        Ok(Self {
            row: standing.row,
            attempts: standing.attempts,
            claim: row.long(4)?,
            revision: revision(row, 6)?,
            related_until: row.maybe_instant(7)?,
            addresses: addresses(&row.text(5)?)?,
            outgoing,
        })
    }

    /// As it would be claimed.
    pub(crate) fn claimed(self, request: ClaimRequest, clock: ClockMode) -> Claimed {
        let outgoing = self.outgoing;
        let about = About {
            workflow: outgoing.workflow.clone(),
            topic: outgoing.topic.clone(),
            purpose: outgoing.purpose,
            domains: domains(&outgoing),
            addresses: self.addresses.clone(),
            demand: model::law::demand(request.jurisdiction, outgoing.purpose),
            related_until: match (self.related_until, clock) {
                // Time is the account's own there: what held at the decision holds.
                (Some(_), ClockMode::Log) => Some(Timestamp::MAX),
                (until, ClockMode::Live | ClockMode::Log) => until,
            },
        };
        Claimed {
            claim: Claim {
                message: outgoing.message.clone(),
                shard: request.shard,
                epoch: request.epoch,
                row: self.row,
                id: self.claim,
                about: Arc::new(about),
            },
            outgoing,
            addresses: self.addresses,
            attempts: self.attempts,
            revision: self.revision,
        }
    }
}

/// The text that decided a message, in a column.
pub(crate) fn revision(row: &impl Columns, place: usize) -> Result<Option<RevisionId>, Failure> {
    revision_of(row.maybe_long(place)?)
}

/// The text that decided a message, by its number.
pub(crate) fn revision_of(number: Option<i64>) -> Result<Option<RevisionId>, Failure> {
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
    let keys: Vec<Box<str>> =
        serde_json::from_str(text).map_err(|why| Failure::unreadable("addresses", why))?;
    keys_of(&keys)
}

/// Addresses as they stand in text.
pub(crate) fn keys_of(keys: &[Box<str>]) -> Result<Vec<AddressKey>, Failure> {
    let key = |hex: &str| {
        let hash = blake3::Hash::from_hex(hex.as_bytes());
        let hash = hash.map_err(|why| Failure::unreadable("an address", why))?;
        Ok(AddressKey(*hash.as_bytes()))
    };
    keys.iter().map(|hex| key(hex)).collect()
}
