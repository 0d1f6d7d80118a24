//! Notices of mail providers: what became of a message, told over HTTP. Each provider's words become the same value.
//! Whether a notice is the provider's own is for the caller to know, before it is read.

mod generic;
mod postmark;
mod sendgrid;
mod ses;

use crate::mail::{Class, Status, judge};
use serde::Deserialize;

/// How many notices one body may hold.
pub const NOTICES_MAX: usize = 1_000;

/// Whose words they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provider {
    /// Amazon SES, by way of SNS.
    Ses,
    /// SendGrid's event webhook.
    Sendgrid,
    /// Postmark's webhooks.
    Postmark,
    /// Anybody who writes our own words.
    Generic,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ses, Self::Sendgrid, Self::Postmark, Self::Generic];

    /// The word in the path and the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ses => "ses",
            Self::Sendgrid => "sendgrid",
            Self::Postmark => "postmark",
            Self::Generic => "generic",
        }
    }
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It lies in the mailbox.
    Delivered,
    /// It did not arrive, and will not.
    Bounced(Class, Option<Status>),
    /// Its reader calls it spam.
    Complained,
    /// It was looked at.
    Opened,
    /// A link of it was followed.
    Clicked,
}

/// One thing told about one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What is told.
    pub heard: Heard,
    /// How the message is named: our own id, its Message-ID, or its envelope's sender.
    pub names: Vec<Name>,
    /// The address that it is about.
    pub recipient: Option<Box<str>>,
    /// The provider's own name of the event, where one message may have several.
    pub event: Box<str>,
}

/// A name of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// Our own id.
    Message(Box<str>),
    /// A Message-ID, without its angle brackets.
    MessageId(Box<str>),
    /// The envelope's sender.
    Sender(Box<str>),
}

/// Why a body can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoticeFault {
    /// It is not the provider's JSON.
    #[error("not what this provider sends: {0}")]
    Unreadable(Box<str>),
    /// Too many at once.
    #[error("a body may have {NOTICES_MAX} notices")]
    TooMany,
}

/// Reads the notices of a body. What asks for nothing is left out.
pub fn read(provider: Provider, body: &[u8]) -> Result<Vec<Notice>, NoticeFault> {
    let notices = match provider {
        Provider::Ses => ses::read(body),
        Provider::Sendgrid => sendgrid::read(body),
        Provider::Postmark => postmark::read(body),
        Provider::Generic => generic::read(body),
    }?;
    if notices.len() > NOTICES_MAX {
        return Err(NoticeFault::TooMany);
    }
    Ok(notices)
}

fn json<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, NoticeFault> {
    serde_json::from_slice(body).map_err(|error| NoticeFault::Unreadable(error.to_string().into()))
}

fn message_id(text: &str) -> Name {
    Name::MessageId(text.trim().trim_matches(['<', '>']).into())
}

/// A bounce by its status and words; where neither says anything, by what the provider calls it.
fn judged(status: Option<&str>, words: &str, is_permanent: bool) -> (Class, Option<Status>) {
    let vague = Status {
        class: if is_permanent { 5 } else { 4 },
        subject: 0,
        detail: 0,
    };
    let stated = status.and_then(Status::parse).unwrap_or(vague);
    match judge(Some(stated), words) {
        Some((status, class)) => (class, Some(status)),
        None => (Class::Soft, None),
    }
}

fn bounced(status: Option<&str>, words: &str, is_permanent: bool) -> Heard {
    let (class, status) = judged(status, words, is_permanent);
    Heard::Bounced(class, status)
}

#[cfg(test)]
mod tests;
