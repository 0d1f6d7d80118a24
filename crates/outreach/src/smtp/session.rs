//! One session and its mails. Handing over consumes the session: it comes back only if nothing about it is in doubt.

use super::reply::Reply;
use super::riders::{Commands, Rider};
use super::settings::{Deadlines, Settings};
use super::wire::{Wire, WireError, framed};
use crate::fate::{Fate, Phase, RefusedCopy};
use crate::mail::{Address, Envelope};
use std::time::Duration;
use tokio::time::Instant;

/// What the server says it can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extensions {
    pub(super) start_tls: bool,
    pub(super) auth_plain: bool,
    pub(super) auth_login: bool,
    pub(super) size: bool,
    pub(super) pipelining: bool,
}

impl Extensions {
    /// Reads the lines of an answer to `EHLO`; the first one is the server's name.
    pub(super) fn of(lines: &[String]) -> Self {
        let mut found = Self::default();
        for line in lines.iter().skip(1) {
            let line = line.to_ascii_uppercase();
            let mut words = line.split([' ', '=']);
            match words.next() {
                Some("STARTTLS") => found.start_tls = true,
                Some("PIPELINING") => found.pipelining = true,
                Some("SIZE") => found.size = true,
                Some("AUTH") => {
                    let ways: Vec<&str> = words.collect();
                    found.auth_plain |= ways.contains(&"PLAIN");
                    found.auth_login |= ways.contains(&"LOGIN");
                }
                _ => {}
            }
        }
        found
    }
}

/// What became of a mail, and the session if it can take another.
#[derive(Debug)]
pub struct HandedOver {
    /// What became of it.
    pub fate: Fate,
    /// The session, if the server's last word on it was yes.
    pub session: Option<Session>,
    /// Whose commands were sent behind the message; the session is that mail's.
    pub(super) aboard: Option<Rider>,
}

impl HandedOver {
    /// The session is over with it.
    pub fn ended(fate: Fate) -> Self {
        Self {
            fate,
            session: None,
            aboard: None,
        }
    }
}

/// A session that can take a mail.
pub struct Session {
    wire: Wire,
    extensions: Extensions,
    deadlines: Deadlines,
    is_pipelining: bool,
    permit_age_max: Duration,
    mails: u32,
    /// When the last flight left, and how long its mail took.
    left: Option<Instant>,
    took: Option<Duration>,
}

/// How far a mail came before the message itself.
pub(super) enum Offer {
    /// Sender and recipient are taken; the permit and `DATA` are next.
    Taken(Vec<RefusedCopy>),
    /// So is `DATA`, for which the permit was asked at this instant: the server waits for the message.
    Awaited(Vec<RefusedCopy>, Instant),
    /// The permit was not given, and nothing was said to the server.
    Forbidden,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("mails", &self.mails)
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn new(wire: Wire, extensions: Extensions, settings: &Settings) -> Self {
        Self {
            wire,
            extensions,
            deadlines: settings.deadlines,
            is_pipelining: settings.pipelining,
            permit_age_max: settings.permit_age_max,
            mails: 0,
            left: None,
            took: None,
        }
    }

    /// How long the last mail took, if its commands went in one flight.
    pub(super) fn took(&self) -> Option<Duration> {
        self.took
    }

    /// How many mails it has taken.
    pub fn mails(&self) -> u32 {
        self.mails
    }

    /// Hands one mail over. `permit` is asked just before `DATA` leaves, and once more where the server lets long pass
    /// until it asks for the message; if it says no, no byte of the message is sent.
    pub async fn hand_over<P, F>(
        mut self,
        envelope: &Envelope,
        bytes: &[u8],
        permit: P,
    ) -> HandedOver
    where
        P: Fn() -> F,
        F: Future<Output = bool>,
    {
        match self.offer(envelope, bytes.len(), (&permit, None)).await {
            Ok(offer) => self.complete(offer, bytes, (&permit, |_| None)).await,
            Err(fate) => HandedOver::ended(fate),
        }
    }

    /// `MAIL` and `RCPT`s, and `DATA` with them where the server takes commands in one flight. The copies that the
    /// server would not take come back; the recipient's own refusal is the mail's. What goes in one flight needs no
    /// other permit where one was given that was asked for at this instant.
    pub(super) async fn offer<P, F>(
        &mut self,
        envelope: &Envelope,
        size: usize,
        (permit, given): (&P, Option<Instant>),
    ) -> Result<Offer, Fate>
    where
        P: Fn() -> F,
        F: Future<Output = bool>,
    {
        let commands = Commands::new(envelope, size);
        if self.takes_flights() {
            return self.flight(&commands, envelope, (permit, given)).await;
        }
        let mail = commands.mail(self.extensions.size);
        let reply = self.wire.ask(&mail, self.deadlines.command).await;
        yes(Phase::Mail, reply, None)?;
        let reply = self.recipient(&envelope.to).await;
        yes(Phase::Recipient, reply, Some(&envelope.to))?;
        let mut refused = Vec::new();
        for copy in &envelope.cc {
            let reply = self.recipient(copy).await;
            refused.extend(copied(copy, reply)?);
        }
        Ok(Offer::Taken(refused))
    }

    fn takes_flights(&self) -> bool {
        self.extensions.pipelining && self.is_pipelining
    }

    async fn recipient(&mut self, address: &Address) -> Result<Reply, WireError> {
        self.wire
            .ask(&recipient(address), self.deadlines.command)
            .await
    }

    /// `MAIL`, `RCPT`s and `DATA` in one flight (RFC 2920).
    async fn flight<P, F>(
        &mut self,
        commands: &Commands,
        envelope: &Envelope,
        (permit, given): (&P, Option<Instant>),
    ) -> Result<Offer, Fate>
    where
        P: Fn() -> F,
        F: Future<Output = bool>,
    {
        let since = given.unwrap_or_else(Instant::now);
        if given.is_none() && !permit().await {
            return Ok(Offer::Forbidden);
        }
        let flight = commands.flight(self.extensions.size);
        let deadline = self.deadlines.command;
        let written = match self.wire.expect_silence() {
            Ok(()) => self.wire.write(flight.as_bytes(), deadline).await,
            Err(error) => Err(error),
        };
        written.map_err(|error| Fate::cut(Phase::Mail, error.to_string()))?;
        self.answers(envelope, since).await
    }

    /// The answers to a flight one by one, each for what it answers. Whatever the server says to `DATA`: with anything
    /// wrong before it, the message stays here and the session ends.
    pub(super) async fn answers(
        &mut self,
        envelope: &Envelope,
        since: Instant,
    ) -> Result<Offer, Fate> {
        self.left = Some(Instant::now());
        let deadline = self.deadlines.command;
        yes(Phase::Mail, self.wire.reply(deadline).await, None)?;
        let reply = self.wire.reply(deadline).await;
        yes(Phase::Recipient, reply, Some(&envelope.to))?;
        let mut refused = Vec::new();
        for copy in &envelope.cc {
            refused.extend(copied(copy, self.wire.reply(deadline).await)?);
        }
        asked_for(self.wire.reply(self.deadlines.data).await)?;
        Ok(Offer::Awaited(refused, since))
    }

    /// Asks for the permit where that was not done yet, and sends the message. The commands of whoever is taken aboard
    /// ride behind it; how many mails the session has had by then is said to whom decides that.
    pub(super) async fn complete<P, F>(
        mut self,
        offer: Offer,
        bytes: &[u8],
        (permit, board): (&P, impl FnOnce(u32) -> Option<Rider>),
    ) -> HandedOver
    where
        P: Fn() -> F,
        F: Future<Output = bool>,
    {
        let is_forbidden = |session| HandedOver {
            session,
            ..HandedOver::ended(Fate::NotPermitted)
        };
        let (refused_copies, since) = match offer {
            Offer::Forbidden => return is_forbidden(Some(self)),
            Offer::Awaited(refused, since) => (refused, since),
            Offer::Taken(refused) => {
                let since = Instant::now();
                if !permit().await {
                    let reply = self.wire.ask("RSET", self.deadlines.command).await;
                    let is_reset = reply.is_ok_and(|reply| reply.is_yes());
                    return is_forbidden(is_reset.then_some(self));
                }
                let reply = self.wire.ask("DATA", self.deadlines.data).await;
                if let Err(fate) = asked_for(reply) {
                    return HandedOver::ended(fate);
                }
                (refused, since)
            }
        };
        // The server took its time, in which somebody may have said no. It asks for a message now, so nothing but
        // hanging up keeps it from getting one.
        if since.elapsed() >= self.permit_age_max && !permit().await {
            return is_forbidden(None);
        }
        let mails = self.mails + 1;
        let aboard = self.takes_flights().then(|| board(mails)).flatten();
        let reply = match self.message(bytes, aboard.as_ref()).await {
            Ok(reply) => reply,
            Err(fate) => return HandedOver::ended(fate),
        };
        self.mails = mails;
        self.took = self.left.take().map(|left| left.elapsed());
        let fate = Fate::Sent {
            reply,
            refused_copies,
        };
        // What is said behind it already answers whoever is aboard.
        let is_sound = aboard.is_some() || self.wire.expect_silence().is_ok();
        HandedOver {
            fate,
            session: is_sound.then_some(self),
            aboard,
        }
    }

    /// The bytes in one write, and the answer. From the first byte on only the server's word settles it.
    async fn message(&mut self, bytes: &[u8], aboard: Option<&Rider>) -> Result<Box<str>, Fate> {
        if let Err(error) = self.wire.expect_silence() {
            return Err(Fate::cut(Phase::Data, error.to_string()));
        }
        let mut message = framed(bytes);
        if let Some(rider) = aboard {
            let flight = rider.commands.flight(self.extensions.size);
            message.extend_from_slice(flight.as_bytes());
        }
        let written = self.wire.write(&message, self.deadlines.body).await;
        written.map_err(|error| Fate::cut(Phase::Body, error.to_string()))?;
        let reply = self.wire.reply(self.deadlines.answer).await;
        yes(Phase::Answer, reply, None)
            .map(|reply| format!("{} {}", reply.code, reply.text()).into())
    }

    /// Says good-bye, not for long.
    pub async fn quit(mut self) {
        // What the server answers changes nothing any more.
        drop(self.wire.ask("QUIT", self.deadlines.quit).await);
    }
}

/// The command that names a recipient.
pub(super) fn recipient(address: &Address) -> String {
    format!("RCPT TO:<{address}>")
}

/// What the server says of one copy; `421` is not about the copy but the whole session.
fn copied(copy: &Address, reply: Result<Reply, WireError>) -> Result<Option<RefusedCopy>, Fate> {
    match reply {
        Ok(reply) if (reply.is_no() || reply.is_not_now()) && reply.code != 421 => {
            let (address, code, text) = (copy.as_str().into(), reply.code, reply.text());
            Ok(Some(RefusedCopy {
                address,
                code,
                text,
            }))
        }
        other => yes(Phase::Recipient, other, None).map(|_| None),
    }
}

/// Whether the server asks for the message.
fn asked_for(reply: Result<Reply, WireError>) -> Result<(), Fate> {
    match reply {
        Ok(reply) if reply.code == 354 => Ok(()),
        other => Err(no(Phase::Data, other, None)),
    }
}

fn yes(
    phase: Phase,
    reply: Result<Reply, WireError>,
    recipient: Option<&Address>,
) -> Result<Reply, Fate> {
    match reply {
        Ok(reply) if reply.is_yes() => Ok(reply),
        other => Err(no(phase, other, recipient)),
    }
}

/// The fate that anything but a yes makes. A reply of another kind than was due settles nothing.
fn no(phase: Phase, reply: Result<Reply, WireError>, recipient: Option<&Address>) -> Fate {
    match reply {
        Ok(reply) if reply.is_not_now() => Fate::Deferred {
            phase,
            code: reply.code,
            text: reply.text(),
            retry_after: None,
        },
        Ok(reply) if reply.is_no() => Fate::Refused {
            phase,
            code: reply.code,
            text: reply.text(),
            recipient: recipient.map(|address| address.as_str().into()),
        },
        Ok(reply) => Fate::cut(
            phase,
            format!("an odd reply: {} {}", reply.code, reply.text()),
        ),
        Err(error) => Fate::cut(phase, error.to_string()),
    }
}
