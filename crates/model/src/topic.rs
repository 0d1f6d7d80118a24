//! Records of somebody else's topic: as they were read, and opened.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value as Json};

/// How the records of a topic are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum TopicFormat {
    /// An object a record.
    Json,
    /// CloudEvents, structured or binary.
    CloudEvents,
    /// Row changes of Debezium.
    Debezium,
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRecord {
    /// The topic.
    pub topic: Box<str>,
    /// The partition.
    pub partition: u32,
    /// Its place there, from 0.
    pub offset: u64,
    /// Its own timestamp.
    pub at: Timestamp,
    /// Its key, if it has one.
    pub key: Option<Box<[u8]>>,
    /// What it says; none: a tombstone.
    pub value: Option<Box<[u8]>>,
    /// Its headers.
    pub headers: Vec<(Box<str>, Box<[u8]>)>,
}

/// A record opened: what the mapping of its source asks of it.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicRecord {
    /// The topic.
    pub topic: Box<str>,
    /// The partition.
    pub partition: u32,
    /// Its place there, from 0.
    pub offset: u64,
    /// Its own timestamp.
    pub at: Timestamp,
    /// Its key: text, or what its JSON says.
    pub key: Json,
    /// Its headers, as text.
    pub headers: Map<String, Json>,
    /// What it says: the object, the CloudEvent with its attributes and `data`, or the row.
    pub record: Json,
    /// The row as it was before.
    pub before: Json,
    /// What happened to the row.
    pub change: Option<RowChange>,
    /// When it happened, as its format says.
    pub time: Option<Timestamp>,
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowChange {
    /// It stood there when the capture began, or was asked for again.
    Read,
    /// It was inserted.
    Created,
    /// It was changed.
    Updated,
    /// It was deleted.
    Deleted,
}

impl RowChange {
    /// The letter by which Debezium says it.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Read => "r",
            Self::Created => "c",
            Self::Updated => "u",
            Self::Deleted => "d",
        }
    }

    /// Reads the letter.
    pub fn parse(letter: &str) -> Option<Self> {
        [Self::Read, Self::Created, Self::Updated, Self::Deleted]
            .into_iter()
            .find(|change| change.letter() == letter)
    }
}
