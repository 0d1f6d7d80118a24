//! The parts of an account: what is big and seldom needed whole, beside the head.

use crate::entity::Fields;
use crate::metric;
use crate::sends::Sends;
use crate::stored::{Bytes, DecodeError, Stored};
use crate::turn::Heard;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// The part with contacts' names, addresses and other personal data.
pub const CONTACTS: &str = "contacts";
/// The part with distinct values.
pub const SETS: &str = "sets";
/// The part with messages that count towards limits, and those that wait.
pub const SENDS: &str = "sends";
/// Prefix of the parts of fact ids, one for each day of `arrived_at`.
pub const IDS: &str = "ids/";
/// Prefix of the parts of fact ids that a back-fill has read, likewise.
const READ_IDS: &str = "read/";
/// The part of the fates of messages that a back-fill has read.
const FATES: &str = "fates";
/// The part of the answers that a back-fill has read.
const HEARD: &str = "heard";
const PART_VERSION: u8 = 1;

/// The parts of an account.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    contacts: BTreeMap<Box<str>, Fields>,
    sets: metric::Sets,
    sends: Sends,
    ids: BTreeMap<Date, BTreeSet<u64>>,
    read_ids: BTreeMap<Date, BTreeSet<u64>>,
    /// By message: whether it was taken out of its day's counts.
    fates: BTreeMap<u64, bool>,
    /// By position in the log.
    heard: BTreeMap<u64, Heard>,
    changed: BTreeSet<Box<str>>,
}

/// Two are equal when they hold the same; what is still to be written plays no part.
impl PartialEq for Parts {
    fn eq(&self, other: &Self) -> bool {
        self.contacts == other.contacts
            && self.sets == other.sets
            && self.sends == other.sends
            && self.ids == other.ids
            && self.read_ids == other.read_ids
            && self.fates == other.fates
            && self.heard == other.heard
    }
}

impl Parts {
    /// Reads stored parts back.
    pub fn decode(stored: Vec<(Box<str>, Vec<u8>)>) -> Result<Self, DecodeError> {
        let mut parts = Self::default();
        for (name, bytes) in stored {
            let mut bytes = Bytes::new(&bytes);
            let version = bytes.take(1)?[0];
            if version != PART_VERSION {
                return Err(DecodeError::Version(version));
            }
            match (&*name, name.strip_prefix(IDS)) {
                (CONTACTS, _) => parts.contacts = Stored::read(&mut bytes)?,
                (SETS, _) => parts.sets = Stored::read(&mut bytes)?,
                (SENDS, _) => parts.sends = Stored::read(&mut bytes)?,
                (FATES, _) => parts.fates = Stored::read(&mut bytes)?,
                (HEARD, _) => parts.heard = Stored::read(&mut bytes)?,
                (_, Some(day)) => {
                    let day = day.parse().map_err(|_| DecodeError::Part)?;
                    parts.ids.insert(day, read_ids(&mut bytes)?);
                }
                (_, None) => {
                    let day = name.strip_prefix(READ_IDS).ok_or(DecodeError::Part)?;
                    let day = day.parse().map_err(|_| DecodeError::Part)?;
                    parts.read_ids.insert(day, read_ids(&mut bytes)?);
                }
            }
            bytes.end()?;
        }
        Ok(parts)
    }

    /// The stored form of every part that changed since it was last asked; `None` takes it away.
    pub fn take_changed(&mut self) -> Vec<(Box<str>, Option<Vec<u8>>)> {
        let changed = std::mem::take(&mut self.changed);
        changed
            .into_iter()
            .map(|name| {
                let bytes = self.encode(&name);
                (name, bytes)
            })
            .collect()
    }

    /// Every part that holds something, in its stored form.
    pub fn encode_all(&self) -> Vec<(Box<str>, Vec<u8>)> {
        let names = [CONTACTS, SETS, SENDS, FATES, HEARD]
            .map(Box::from)
            .into_iter();
        names
            .chain(self.ids.keys().map(|day| ids_name(*day)))
            .chain(self.read_ids.keys().map(|day| read_ids_name(*day)))
            .filter_map(|name| self.encode(&name).map(|bytes| (name, bytes)))
            .collect()
    }

    /// Of how many days there are fact ids, and how many numbers are kept in all: ids, hashes of values, messages.
    pub(crate) fn count(&self) -> (usize, usize) {
        let days = self.ids.values().chain(self.read_ids.values());
        let ids: usize = days.map(BTreeSet::len).sum();
        let others = self.sets.len() * 4 + self.sends.sent().count() * 4;
        let read = self.fates.len() + self.heard.len() * 16;
        (self.ids.len() + self.read_ids.len(), ids + others + read)
    }

    fn encode(&self, name: &str) -> Option<Vec<u8>> {
        let mut out = vec![PART_VERSION];
        match name {
            CONTACTS if self.contacts.is_empty() => return None,
            CONTACTS => self.contacts.write(&mut out),
            SETS if self.sets.is_empty() => return None,
            SETS => self.sets.write(&mut out),
            SENDS if self.sends.is_empty() => return None,
            SENDS => self.sends.write(&mut out),
            FATES if self.fates.is_empty() => return None,
            FATES => self.fates.write(&mut out),
            HEARD if self.heard.is_empty() => return None,
            HEARD => self.heard.write(&mut out),
            name => {
                let (days, day) = match name.strip_prefix(IDS) {
                    Some(day) => (&self.ids, day),
                    None => (&self.read_ids, name.strip_prefix(READ_IDS)?),
                };
                write_ids(days.get(&day.parse::<Date>().ok()?)?, &mut out);
            }
        }
        Some(out)
    }

    /// A contact's personal fields.
    pub fn contact(&self, id: &str) -> Option<&Fields> {
        self.contacts.get(id)
    }

    /// Every contact's personal fields.
    pub fn contacts(&self) -> &BTreeMap<Box<str>, Fields> {
        &self.contacts
    }

    /// Contacts' personal fields, to be changed.
    pub fn contacts_mut(&mut self) -> &mut BTreeMap<Box<str>, Fields> {
        self.changed.insert(CONTACTS.into());
        &mut self.contacts
    }

    /// Distinct values.
    pub fn sets(&self) -> &metric::Sets {
        &self.sets
    }

    /// Distinct values, to be changed.
    pub fn sets_mut(&mut self) -> &mut metric::Sets {
        self.changed.insert(SETS.into());
        &mut self.sets
    }

    /// Messages that count towards limits, and those that wait.
    pub fn sends(&self) -> &Sends {
        &self.sends
    }

    /// The same, to be changed.
    pub fn sends_mut(&mut self) -> &mut Sends {
        self.changed.insert(SENDS.into());
        &mut self.sends
    }

    /// Whether a fact id is there on any day from `first`.
    pub fn holds_id_since(&self, first: Date, fingerprint: u64) -> bool {
        self.ids
            .range(first..)
            .any(|(_, ids)| ids.contains(&fingerprint))
    }

    /// Remembers a fact id.
    pub fn insert_id(&mut self, day: Date, fingerprint: u64) {
        if self.ids.entry(day).or_default().insert(fingerprint) {
            self.changed.insert(ids_name(day));
        }
    }

    /// Remembers a fact id that a back-fill reads; false: it was read on that day or later than `first`.
    pub(crate) fn insert_read_id(&mut self, (first, day): (Date, Date), fingerprint: u64) -> bool {
        let mut since = self.read_ids.range(first..);
        if since.any(|(_, ids)| ids.contains(&fingerprint)) {
            return false;
        }
        let gone: Vec<Date> = self.read_ids.range(..first).map(|(day, _)| *day).collect();
        for day in gone {
            self.read_ids.remove(&day);
            self.changed.insert(read_ids_name(day));
        }
        self.read_ids.entry(day).or_default().insert(fingerprint);
        self.changed.insert(read_ids_name(day));
        true
    }

    /// Forgets what a back-fill keeps of what it has read.
    pub(crate) fn forget_backfill(&mut self) {
        for day in std::mem::take(&mut self.read_ids).into_keys() {
            self.changed.insert(read_ids_name(day));
        }
        if !self.fates.is_empty() {
            self.fates.clear();
            self.changed.insert(FATES.into());
        }
        if !self.heard.is_empty() {
            self.heard.clear();
            self.changed.insert(HEARD.into());
        }
        if !self.sets.is_empty() {
            self.sets_mut().forget_again();
        }
    }

    /// Remembers, until the back-fill ends, whether a message was taken out of its day's counts: its first fate stands.
    pub(crate) fn keep_fate(&mut self, message: &str, is_taken_out: bool) {
        self.fates.entry(hash(message)).or_insert(is_taken_out);
        self.changed.insert(FATES.into());
    }

    /// Keeps an answer of the log, until the back-fill ends.
    pub(crate) fn keep_heard(&mut self, position: u64, heard: Heard) {
        self.heard.insert(position, heard);
        self.changed.insert(HEARD.into());
    }

    /// The answers that were kept, in the order of the log.
    pub(crate) fn heard(&self) -> impl Iterator<Item = &Heard> {
        self.heard.values()
    }

    /// Whether a message is known to be taken out.
    pub(crate) fn is_taken_out(&self, message: &str) -> bool {
        self.fates.get(&hash(message)) == Some(&true)
    }

    /// Forgets the fact ids of a day.
    pub fn forget_ids(&mut self, day: Date) {
        self.ids.remove(&day);
        self.changed.insert(ids_name(day));
    }
}

/// The part of a day's fact ids.
pub fn ids_name(day: Date) -> Box<str> {
    format!("{IDS}{day}").into()
}

fn read_ids_name(day: Date) -> Box<str> {
    format!("{READ_IDS}{day}").into()
}

/// A message's place among fates.
fn hash(message: &str) -> u64 {
    let mut head = [0; 8];
    head.copy_from_slice(&model::id::digest(&[message])[..8]);
    u64::from_be_bytes(head)
}

/// Fact ids take eight bytes each: they are hashes, so no shorter form is shorter.
fn write_ids(ids: &BTreeSet<u64>, out: &mut Vec<u8>) {
    (ids.len() as u64).write(out);
    for id in ids {
        out.extend_from_slice(&id.to_be_bytes());
    }
}

fn read_ids(bytes: &mut Bytes<'_>) -> Result<BTreeSet<u64>, DecodeError> {
    let len = bytes.count()?;
    let mut ids = BTreeSet::new();
    for _ in 0..len {
        let mut id = [0; 8];
        id.copy_from_slice(bytes.take(8)?);
        ids.insert(u64::from_be_bytes(id));
    }
    Ok(ids)
}
