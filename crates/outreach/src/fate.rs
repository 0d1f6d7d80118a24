//! What became of a hand-over, the same for mail and Slack, and what to do next.

use std::fmt;
use std::time::Duration;

/// How far a hand-over had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Opening the connection.
    Connect,
    /// Agreeing on encryption.
    Tls,
    /// Waiting for the server's first words.
    Greeting,
    /// `EHLO`.
    Hello,
    /// `STARTTLS`.
    StartTls,
    /// `AUTH`.
    Auth,
    /// `MAIL FROM`.
    Mail,
    /// `RCPT TO`.
    Recipient,
    /// `DATA`, until the server asks for the message.
    Data,
    /// The message's bytes, or the request's.
    Body,
    /// After the last byte, until the answer is whole.
    Answer,
}

impl Phase {
    /// The word in tables and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Greeting => "greeting",
            Self::Hello => "hello",
            Self::StartTls => "starttls",
            Self::Auth => "auth",
            Self::Mail => "mail",
            Self::Recipient => "recipient",
            Self::Data => "data",
            Self::Body => "body",
            Self::Answer => "answer",
        }
    }

    /// Whether a cut in this phase leaves open if the other side has taken the message.
    pub fn is_ambiguous(self) -> bool {
        matches!(self, Self::Body | Self::Answer)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A copy that the server would not take, while it took the mail itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedCopy {
    /// The address.
    pub address: Box<str>,
    /// The server's code.
    pub code: u16,
    /// The server's words.
    pub text: Box<str>,
}

/// What became of one attempt to hand a message over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The other side has it.
    Sent {
        /// Its words.
        reply: Box<str>,
        /// The copies it would not take.
        refused_copies: Vec<RefusedCopy>,
    },
    /// The other side said no for good.
    Refused {
        /// When it said so.
        phase: Phase,
        /// Its code.
        code: u16,
        /// Its words.
        text: Box<str>,
        /// Which recipient it was about, if about one.
        recipient: Option<Box<str>>,
    },
    /// The other side said: not now.
    Deferred {
        /// When it said so.
        phase: Phase,
        /// Its code.
        code: u16,
        /// Its words.
        text: Box<str>,
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
    },
    /// It was not handed over; the other side cannot have it.
    NotSent {
        /// How far it came.
        phase: Phase,
        /// What was in the way.
        why: Box<str>,
    },
    /// The permit asked for just before the message was not given.
    NotPermitted,
    /// Nobody can know whether the other side has it.
    Unknown {
        /// Where it was cut.
        phase: Phase,
        /// What cut it.
        why: Box<str>,
    },
}

/// What is to be done after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it is done.
    Done,
    /// Nothing more: it will not be taken.
    GiveUp,
    /// The same message again, not before this long (else as `backoff` has it).
    Again(Option<Duration>),
    /// What the topic says of unknown fates: hold and show, or send again with the same Message-ID.
    AsTopicSays,
    /// Whoever refused the permit knows.
    AsGateSaid,
}

impl Fate {
    /// What to do next.
    pub fn next(&self) -> Next {
        match self {
            Self::Sent { .. } => Next::Done,
            Self::Refused { .. } => Next::GiveUp,
            Self::Deferred { retry_after, .. } => Next::Again(*retry_after),
            Self::NotSent { .. } => Next::Again(None),
            Self::NotPermitted => Next::AsGateSaid,
            Self::Unknown { .. } => Next::AsTopicSays,
        }
    }

    /// Whether the other side said for good that nobody is there to read it.
    pub fn is_nobody(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                phase: Phase::Recipient,
                ..
            }
        )
    }

    /// The fate of a cut, a deadline or nonsense in `phase`.
    pub(crate) fn cut(phase: Phase, why: impl Into<Box<str>>) -> Self {
        let why = why.into();
        if phase.is_ambiguous() {
            Self::Unknown { phase, why }
        } else {
            Self::NotSent { phase, why }
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent { reply, .. } => write!(f, "sent: {reply}"),
            Self::Refused {
                phase, code, text, ..
            } => write!(f, "refused at {phase}: {code} {text}"),
            Self::Deferred {
                phase, code, text, ..
            } => write!(f, "deferred at {phase}: {code} {text}"),
            Self::NotSent { phase, why } => write!(f, "not sent, stopped at {phase}: {why}"),
            Self::NotPermitted => f.write_str("not permitted"),
            Self::Unknown { phase, why } => {
                write!(f, "may have been sent, cut at {phase}: {why}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_cut_after_the_first_byte_is_unknown() {
        for phase in [
            Phase::Connect,
            Phase::Tls,
            Phase::Greeting,
            Phase::Hello,
            Phase::StartTls,
            Phase::Auth,
            Phase::Mail,
            Phase::Recipient,
            Phase::Data,
        ] {
            assert_eq!(Fate::cut(phase, "x").next(), Next::Again(None), "{phase}");
        }
        for phase in [Phase::Body, Phase::Answer] {
            assert_eq!(Fate::cut(phase, "x").next(), Next::AsTopicSays, "{phase}");
        }
    }
}
