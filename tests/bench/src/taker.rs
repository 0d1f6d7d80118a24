//! Who takes the mails that are measured.

use std::net::SocketAddr;
use std::time::Duration;

use crate::sink::Sink;
use crate::smtp_sink::SmtpSink;

/// Who takes the mails.
#[derive(Clone, Copy)]
pub(crate) enum Taker {
    /// The bench's own server, which answers each after a while.
    Own(Duration),
    /// Postfix's.
    Postfix,
}

/// One that runs.
pub(crate) enum Running {
    Own(Sink),
    Postfix(SmtpSink),
}

impl Taker {
    /// Whether this machine has it.
    pub(crate) fn is_there(&self) -> bool {
        match self {
            Self::Own(_) => true,
            Self::Postfix => SmtpSink::is_there(),
        }
    }

    pub(crate) fn start(self) -> anyhow::Result<Running> {
        Ok(match self {
            Self::Own(delay) => Running::Own(Sink::start(delay)?),
            Self::Postfix => Running::Postfix(SmtpSink::start()?),
        })
    }
}

impl std::fmt::Display for Taker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Own(Duration::ZERO) => f.write_str("a server that answers at once"),
            Self::Own(delay) => write!(f, "a server that answers after {} ms", delay.as_millis()),
            Self::Postfix => f.write_str("Postfix's smtp-sink"),
        }
    }
}

impl Running {
    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Self::Own(sink) => sink.address(),
            Self::Postfix(sink) => sink.address(),
        }
    }

    /// Waits until so many mails came, of which every one was confirmed to a client. Who does not count them is not asked.
    pub(crate) fn take(&self, mails: usize) -> anyhow::Result<()> {
        match self {
            Self::Own(sink) => sink.take(mails).map(drop),
            Self::Postfix(_) => Ok(()),
        }
    }
}
