//! What captured mode keeps instead of sending.

use crate::{Failure, Store, store::Tables};
use jiff::Timestamp;
use model::MessageId;

/// A mail or post to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// The message.
    pub message: MessageId,
    /// When it would have left.
    pub at: Timestamp,
    /// `email` or `slack`.
    pub channel: Box<str>,
    /// The address or target.
    pub to: Box<str>,
    /// The subject or first line.
    pub subject: Box<str>,
    /// Raw MIME or JSON.
    pub body: Vec<u8>,
}

/// A mail or post that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapturedRow {
    /// Its number, rising.
    pub number: u64,
    /// What was kept.
    pub captured: Captured,
}

impl Store {
    /// Keeps one outside of [`Store::settle`]; a message is kept once.
    pub async fn capture(&self, captured: Captured) -> Result<(), Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.capture(captured).await,
            Tables::Postgres(postgres) => postgres.capture(captured).await,
        }
    }

    /// A page of what was kept, behind a number.
    pub async fn captured(&self, after: u64, count_max: u32) -> Result<Vec<CapturedRow>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.captured(after, count_max).await,
            Tables::Postgres(postgres) => postgres.captured(after, count_max).await,
        }
    }

    /// What was kept of one message.
    pub async fn captured_message(
        &self,
        message: &MessageId,
    ) -> Result<Option<CapturedRow>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.captured_message(message).await,
            Tables::Postgres(postgres) => postgres.captured_message(message).await,
        }
    }
}
