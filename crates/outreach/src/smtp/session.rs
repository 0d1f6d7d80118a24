//! One session and its mails. Handing over consumes the session: it comes back only if nothing about it is in doubt.

use super::reply::Reply;
use super::settings::Deadlines;
use super::wire::{Wire, WireError, framed};
use crate::fate::{Fate, Phase, RefusedCopy};
use crate::mail::{Address, Envelope};

/// What the server says it can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extensions {
    pub(super) start_tls: bool,
    pub(super) auth_plain: bool,
    pub(super) auth_login: bool,
    pub(super) size: bool,
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
}

/// A session that can take a mail.
pub struct Session {
    wire: Wire,
    extensions: Extensions,
    deadlines: Deadlines,
    mails: u32,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("mails", &self.mails)
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn new(wire: Wire, extensions: Extensions, deadlines: Deadlines) -> Self {
        Self {
            wire,
            extensions,
            deadlines,
            mails: 0,
        }
    }

    /// How many mails it has taken.
    pub fn mails(&self) -> u32 {
        self.mails
    }

    /// Hands one mail over. `permit` is asked when the server has accepted sender and recipient, just before `DATA`;
    /// if it says no, nothing is sent.
    pub async fn hand_over<P, F>(
        mut self,
        envelope: &Envelope,
        bytes: &[u8],
        permit: P,
    ) -> HandedOver
    where
        P: FnOnce() -> F,
        F: Future<Output = bool>,
    {
        match self.offer(envelope, bytes.len()).await {
            Ok(refused_copies) => self.complete(refused_copies, bytes, permit).await,
            Err(fate) => HandedOver {
                fate,
                session: None,
            },
        }
    }

    /// `MAIL` and `RCPT`s. The copies that the server would not take come back; the recipient's own refusal is the mail's.
    pub(super) async fn offer(
        &mut self,
        envelope: &Envelope,
        size: usize,
    ) -> Result<Vec<RefusedCopy>, Fate> {
        let size = if self.extensions.size {
            format!(" SIZE={size}")
        } else {
            String::new()
        };
        let line = format!("MAIL FROM:<{}>{size}", envelope.from);
        let deadline = self.deadlines.command;
        let reply = self.wire.ask(&line, deadline).await;
        yes(Phase::Mail, reply, None)?;
        let reply = self.recipient(&envelope.to).await;
        yes(Phase::Recipient, reply, Some(&envelope.to))?;
        let mut refused = Vec::new();
        for copy in &envelope.cc {
            refused.extend(self.copy(copy).await?);
        }
        Ok(refused)
    }

    async fn recipient(&mut self, address: &Address) -> Result<Reply, WireError> {
        self.wire
            .ask(&format!("RCPT TO:<{address}>"), self.deadlines.command)
            .await
    }

    /// Names one copy; `421` is not about the copy but the whole session.
    async fn copy(&mut self, copy: &Address) -> Result<Option<RefusedCopy>, Fate> {
        match self.recipient(copy).await {
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

    /// Asks for the permit and sends the message.
    pub(super) async fn complete<P, F>(
        mut self,
        refused_copies: Vec<RefusedCopy>,
        bytes: &[u8],
        permit: P,
    ) -> HandedOver
    where
        P: FnOnce() -> F,
        F: Future<Output = bool>,
    {
        if !permit().await {
            let reply = self.wire.ask("RSET", self.deadlines.command).await;
            let session = reply.is_ok_and(|reply| reply.is_yes()).then_some(self);
            return HandedOver {
                fate: Fate::NotPermitted,
                session,
            };
        }
        match self.message(bytes).await {
            Ok(reply) => {
                self.mails += 1;
                let session = self.wire.expect_silence().is_ok().then_some(self);
                HandedOver {
                    fate: Fate::Sent {
                        reply,
                        refused_copies,
                    },
                    session,
                }
            }
            Err(fate) => HandedOver {
                fate,
                session: None,
            },
        }
    }

    /// `DATA`, the bytes in one write, and the answer. From the first byte on only the server's word settles it.
    async fn message(&mut self, bytes: &[u8]) -> Result<Box<str>, Fate> {
        match self.wire.ask("DATA", self.deadlines.data).await {
            Ok(reply) if reply.code == 354 => {}
            other => return Err(no(Phase::Data, other, None)),
        }
        if let Err(error) = self.wire.expect_silence() {
            return Err(Fate::cut(Phase::Data, error.to_string()));
        }
        let written = self.wire.write(&framed(bytes), self.deadlines.body).await;
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
