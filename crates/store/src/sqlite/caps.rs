//! Caps across accounts: how many messages one address gets, whoever's they are.

use super::Session;
use super::accounts::json;
use super::flight::{Flight, Part, Value};
use super::rows::{Columns, instant_of, nanos};
use crate::{AddressKey, Cap, Failure};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// The newest hand-overs of each address of a list inside the time of the cap.
pub(crate) const NEWEST: &str = "SELECT j.value, (SELECT json_group_array(json_array(w.at, w.delivery)) \
    FROM (SELECT at, delivery FROM counted WHERE address = unhex(j.value) AND at > ?2 \
    ORDER BY at DESC LIMIT ?3 + 0) w) FROM json_each(?1) j";

/// What counts for a list of deliveries.
pub(crate) const GIVE_BACK: &str =
    "DELETE FROM counted WHERE delivery IN (SELECT value FROM json_each(?))";

static WRITING: Flight = Flight::new(&[
    Part::plain(GIVE_BACK),
    Part::plain(
        "DELETE FROM counted WHERE at <= ? \
        AND address IN (SELECT unhex(value ->> 0) FROM json_each(?))",
    ),
    Part::plain(
        "INSERT INTO counted (address, at, delivery) \
        SELECT unhex(j.value ->> 0), at.now, j.value ->> 1 FROM (SELECT ? AS now) at, json_each(?) j \
        WHERE true ON CONFLICT DO NOTHING",
    ),
]);

/// What counts towards the cap for the messages of one claim.
#[derive(Debug)]
pub(crate) struct Counted {
    cap: Cap,
    now: Timestamp,
    /// Instants and deliveries, the newest first: as many as the cap takes, and one that may be the message's own.
    newest: BTreeMap<AddressKey, Vec<(i64, i64)>>,
    /// What this claim adds.
    begun: Vec<(AddressKey, i64)>,
}

impl Counted {
    pub(crate) fn new(
        (cap, now): (Cap, Timestamp),
        newest: BTreeMap<AddressKey, Vec<(i64, i64)>>,
    ) -> Self {
        Self {
            cap,
            now,
            newest,
            begun: Vec::new(),
        }
    }

    /// How many messages an address may get.
    pub(crate) fn at_most(&self) -> u32 {
        self.cap.at_most
    }

    /// When an address may get this message; none: now.
    pub(crate) fn full_until(&self, address: AddressKey, delivery: i64) -> Option<Timestamp> {
        let Some(before) = self.cap.at_most.checked_sub(1) else {
            return Some(instant_of(end(nanos(self.now), self.cap)));
        };
        let newest = self.newest.get(&address)?.iter();
        let mut others = newest.filter(|(_, its)| *its != delivery);
        let (at, _) = others.nth(usize::try_from(before).unwrap_or(usize::MAX))?;
        Some(instant_of(end(*at, self.cap)))
    }

    /// Counts a hand-over that begins.
    pub(crate) fn count(&mut self, addresses: &[AddressKey], delivery: i64) {
        for address in addresses {
            let newest = self.newest.entry(*address).or_default();
            newest.retain(|(_, its)| *its != delivery);
            let now = nanos(self.now);
            let place = newest.iter().position(|(at, _)| *at <= now);
            newest.insert(place.unwrap_or(newest.len()), (now, delivery));
            self.begun.push((*address, delivery));
        }
    }

    /// What is to be written: whom each hand-over counts for, at this instant; and before which one nothing counts any more.
    pub(crate) fn begun(&self) -> (&[(AddressKey, i64)], Timestamp, i64) {
        (&self.begun, self.now, begin(self.now, self.cap))
    }
}

/// Reads what counts for these addresses.
pub(crate) async fn read(
    session: &mut Session,
    addresses: &[AddressKey],
    (cap, now): (Cap, Timestamp),
) -> Result<Counted, Failure> {
    let keys: BTreeMap<String, AddressKey> =
        addresses.iter().map(|key| (key.hex(), *key)).collect();
    let list: Vec<&String> = keys.keys().collect();
    let query = sqlx::query(NEWEST)
        .bind(json(&list))
        .bind(begin(now, cap))
        .bind(i64::from(cap.at_most) + 1);
    let mut newest = BTreeMap::new();
    for row in session.rows(query).await? {
        let list: Vec<(i64, i64)> = serde_json::from_str(&row.text(1)?)
            .map_err(|why| Failure::unreadable("a list", why))?;
        if let Some(key) = keys.get(&*row.text(0)?).filter(|_| !list.is_empty()) {
            newest.insert(*key, list);
        }
    }
    Ok(Counted::new((cap, now), newest))
}

/// Writes what was counted; what has left the time of the cap is forgotten.
pub(crate) async fn write(session: &mut Session, counted: &Counted) -> Result<(), Failure> {
    let (begun, now, begin) = counted.begun();
    if begun.is_empty() {
        return Ok(());
    }
    let deliveries: Vec<i64> = begun.iter().map(|(_, delivery)| *delivery).collect();
    let rows: Vec<(String, i64)> = begun
        .iter()
        .map(|(address, delivery)| (address.hex(), *delivery))
        .collect();
    let (deliveries, rows) = (json(&deliveries), json(&rows));
    let rows = Value::Text(&rows);
    let writing = [
        vec![(&*deliveries).into()],
        vec![begin.into(), rows],
        vec![now.into(), rows],
    ];
    WRITING.write(session, writing).await?;
    Ok(())
}

/// Of these nothing was sent: they do not count.
pub(crate) async fn give_back(session: &mut Session, deliveries: &[i64]) -> Result<(), Failure> {
    if !deliveries.is_empty() {
        let query = sqlx::query(GIVE_BACK).bind(json(&deliveries));
        session.execute(query).await?;
    }
    Ok(())
}

fn length(cap: Cap) -> i64 {
    let length = SignedDuration::try_from(cap.within).unwrap_or(SignedDuration::MAX);
    i64::try_from(length.as_nanos()).unwrap_or(i64::MAX)
}

pub(crate) fn begin(now: Timestamp, cap: Cap) -> i64 {
    nanos(now).saturating_sub(length(cap))
}

pub(crate) fn end(at: i64, cap: Cap) -> i64 {
    at.saturating_add(length(cap))
}
