//! An account in memory: its head and the parts that were loaded.

use crate::calendar;
use crate::head::Head;
use crate::parts::Parts;
use crate::stored::DecodeError;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{AccountId, Value};
use workflow::Program;

/// An account: what `decide` takes and changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// What every decision needs.
    pub head: Head,
    /// What is big and seldom needed.
    pub parts: Parts,
    /// Wake-ups that changed nothing since it was read: looking ahead was early. Not stored.
    pub quiet_wakes: u64,
}

impl Account {
    /// An account of which nothing is known.
    pub fn new(id: AccountId) -> Self {
        Self {
            id,
            head: Head::default(),
            parts: Parts::default(),
            quiet_wakes: 0,
        }
    }

    /// Reads a stored account back; without a head it is new.
    pub fn decode(
        id: AccountId,
        head: Option<&[u8]>,
        parts: Vec<(Box<str>, Vec<u8>)>,
    ) -> Result<Self, DecodeError> {
        Ok(Self {
            id,
            head: match head {
                Some(bytes) => Head::decode(bytes)?,
                None => Head::default(),
            },
            parts: Parts::decode(parts)?,
            quiet_wakes: 0,
        })
    }

    /// The stored form of the head.
    pub fn encode_head(&self) -> Vec<u8> {
        self.head.encode()
    }

    /// The stored form of the parts that changed since it was last asked; `None` takes a part away.
    pub fn take_changed_parts(&mut self) -> Vec<(Box<str>, Option<Vec<u8>>)> {
        self.parts.take_changed()
    }

    /// The zone in which its days are counted: its own, or the workspace's.
    pub fn zone(&self, program: &Program) -> TimeZone {
        let own = self.head.account.value("timezone").and_then(Value::text);
        own.and_then(calendar::zone)
            .unwrap_or_else(|| zone_of_workspace(program))
    }

    /// When it must be looked at though nothing arrives.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.head.wake_at
    }
}

/// The zone of the workspace's calendar.
pub fn zone_of_workspace(program: &Program) -> TimeZone {
    calendar::zone(&program.calendar.timezone).unwrap_or(TimeZone::UTC)
}
