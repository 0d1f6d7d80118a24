//! Caps across accounts: how many messages one address gets, whoever's they are.

use super::Session;
use super::flight::{Answer, Flight, Part, Value, Values};
use super::rows::{Columns, instant_of, nanos};
use crate::{AddressKey, Cap, Failure};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// The newest hand-overs of each address of a list inside the time of the cap, as many as are given.
pub(crate) const NEWEST: Part = Part::over(
    3,
    "WITH j (key, begin, most) AS ({list}) SELECT j.key, (SELECT json_group_array(json_array(w.at, w.delivery)) \
    FROM (SELECT at, delivery FROM counted WHERE address = j.key AND at > j.begin \
    ORDER BY at DESC LIMIT (SELECT max(most) FROM j)) w) FROM j WHERE j.key IS NOT NULL",
);
/// What counts for a list of deliveries is given back.
pub(crate) const GIVE_BACK: Part = Part::over(
    1,
    "WITH j (delivery) AS ({list}) DELETE FROM counted WHERE delivery IN (SELECT delivery FROM j)",
);
/// What has left the time of the cap is forgotten.
pub(crate) const FORGET: Part = Part::over(
    2,
    "WITH j (key, begin) AS ({list}) DELETE FROM counted \
    WHERE address IN (SELECT key FROM j) AND at <= (SELECT max(begin) FROM j)",
);
/// Counts a list of hand-overs.
pub(crate) const COUNT: Part = Part::over(
    3,
    "WITH j (key, at, delivery) AS ({list}) INSERT OR ROLLBACK INTO counted (address, at, delivery) \
    SELECT j.key, j.at, j.delivery FROM j WHERE j.key IS NOT NULL ON CONFLICT DO NOTHING",
);

static GIVING_BACK: Flight = Flight::new(&[GIVE_BACK]);

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

/// The addresses of which is asked, as values of their statement.
pub(crate) fn asked<'a>(
    addresses: impl IntoIterator<Item = &'a AddressKey>,
    (cap, now): (Cap, Timestamp),
) -> Values<'a> {
    let (begin, most) = (begin(now, cap), i64::from(cap.at_most) + 1);
    let row = |key: &'a AddressKey| [key.0.as_slice().into(), begin.into(), most.into()];
    addresses.into_iter().flat_map(row).collect()
}

impl Counted {
    /// What was read of these addresses.
    pub(crate) fn of((cap, now): (Cap, Timestamp), found: &Answer) -> Result<Self, Failure> {
        let mut newest = BTreeMap::new();
        for row in &found.rows {
            let key = <[u8; 32]>::try_from(row.bytes(0)?)
                .map_err(|_| Failure::unreadable("an address", "it has another length"))?;
            let list: Vec<(i64, i64)> = serde_json::from_str(&row.text(1)?)
                .map_err(|why| Failure::unreadable("a list", why))?;
            if !list.is_empty() {
                newest.insert(AddressKey(key), list);
            }
        }
        Ok(Self::new((cap, now), newest))
    }

    /// What is forgotten and what is counted, as values of their statements.
    pub(crate) fn values(&self) -> [Values<'_>; 2] {
        let (begun, now, begin) = self.begun();
        let (mut forgotten, mut counted) = (Values::new(), Values::new());
        for (key, delivery) in begun {
            let key = Value::from(key.0.as_slice());
            forgotten.extend([key, begin.into()]);
            counted.extend([key, now.into(), (*delivery).into()]);
        }
        [forgotten, counted]
    }
}

/// Of these nothing was sent: they do not count.
pub(crate) async fn give_back(session: &mut Session, deliveries: &[i64]) -> Result<(), Failure> {
    if !deliveries.is_empty() {
        let deliveries = deliveries.iter().copied().map(Value::from).collect();
        GIVING_BACK.write(session, [deliveries]).await?;
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
