//! Answers: what servers and people say to our messages, as facts for the log and as a stop of the address.

use crate::{AddressKey, Failure, Store, store::Tables};
use jiff::{SignedDuration, Timestamp};
use model::{AccountId, MessageId};

/// So many bounces that may pass make a pause.
pub const SOFT_BOUNCES_MAX: u32 = 3;
/// If they come within this time.
pub const SOFT_BOUNCES_WITHIN: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How long the pause is.
pub const SOFT_BOUNCES_PAUSE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// So many refusals of us as a sender hold back all mail to the domain that says so.
pub const POLICY_BOUNCES_MAX: u32 = 3;
/// If they come within this time.
pub const POLICY_BOUNCES_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// It lies in the mailbox.
    Delivered,
    /// There is no such mailbox: nothing is sent there any more.
    BouncedHard,
    /// It may pass: several make a pause.
    BouncedSoft,
    /// The other side does not want us as a sender, which is no fault of the address.
    BouncedByPolicy,
    /// Its reader calls it spam: nothing is sent there that can be left.
    Complained,
    /// Its reader answered.
    Replied,
    /// It was looked at, by a person or a machine.
    Opened,
    /// A link of it was followed, by a person or a machine.
    Clicked,
    /// A link was followed that no person sees: machines follow the links of this mail. Kept, and told to no log.
    Scanned,
}

impl Said {
    /// The type of the fact that tells it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Delivered => "message.delivered",
            Self::BouncedHard | Self::BouncedSoft | Self::BouncedByPolicy => "message.bounced",
            Self::Complained => "message.complained",
            Self::Replied => "message.replied",
            Self::Opened => "message.opened",
            Self::Clicked => "message.clicked",
            Self::Scanned => "message.scanned",
        }
    }

    /// What kind of bounce it is, if it is one.
    pub fn class(self) -> Option<&'static str> {
        match self {
            Self::BouncedHard => Some("hard"),
            Self::BouncedSoft => Some("soft"),
            Self::BouncedByPolicy => Some("policy"),
            Self::Delivered
            | Self::Complained
            | Self::Replied
            | Self::Opened
            | Self::Clicked
            | Self::Scanned => None,
        }
    }
}

/// One thing said to one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The message.
    pub message: MessageId,
    /// What is said.
    pub said: Said,
    /// Names it beside the message and what is said: what comes again under it counts once.
    pub name: Box<str>,
    /// The addresses that it may be about: the first to which the message goes is taken, and a copy's answer is not
    /// the message's. None: the recipient.
    pub about: Vec<AddressKey>,
    /// A bounce's code such as `5.1.1`.
    pub code: Option<Box<str>>,
    /// In words, without an address.
    pub detail: Box<str>,
    /// The wall clock.
    pub now: Timestamp,
}

/// What became of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// There is no such message, or nobody can tell which of its addresses the answer is about.
    Unknown,
    /// It was said before.
    Again,
    /// It stands in the account's log now, and the address is stopped if it asks for that.
    Told {
        /// The shard of the account.
        shard: u32,
        /// The account.
        account: AccountId,
        /// What is stopped by it.
        stopped: Stopped,
    },
}

/// What an answer stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Nothing.
    Nothing,
    /// What goes to the address, as far as the answer asks for it.
    Address,
    /// All mail to this domain, until a person lets it go.
    Domain(Box<str>),
}

impl Store {
    /// Whether machines were seen to follow the links of a message.
    pub async fn is_scanned(&self, message: &MessageId) -> Result<bool, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.is_scanned(message).await,
            Tables::Postgres(postgres) => postgres.is_scanned(message).await,
        }
    }

    /// Takes an answer: the fact in the log of the message's account, and the stop of the address, in one
    /// transaction. Safe to call again.
    pub async fn answer(&self, answer: Answer) -> Result<Answered, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.answer(answer).await,
            Tables::Postgres(postgres) => postgres.answer(answer).await,
        }
    }
}
