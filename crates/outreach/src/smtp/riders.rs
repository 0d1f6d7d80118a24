//! Mails that have their permit and wait for a connection: their commands may ride behind the message before them, in the
//! same write (RFC 2920 lets a message be the first of a group). So a connection never waits between two mails.

use super::session::{Session, recipient};
use crate::mail::Envelope;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

/// What is said for a mail before its message.
pub(super) struct Commands {
    mail: String,
    size: usize,
    rest: String,
}

impl Commands {
    /// For a mail of so many bytes.
    pub(super) fn new(envelope: &Envelope, size: usize) -> Self {
        let mut rest = String::with_capacity(128);
        for address in [&envelope.to].into_iter().chain(&envelope.cc) {
            rest.push_str(&recipient(address));
            rest.push_str("\r\n");
        }
        rest.push_str("DATA\r\n");
        let mail = format!("MAIL FROM:<{}>", envelope.from);
        Self { mail, size, rest }
    }

    /// `MAIL` alone; with the size where the server takes it.
    pub(super) fn mail(&self, has_size: bool) -> String {
        match has_size {
            true => format!("{} SIZE={}", self.mail, self.size),
            false => self.mail.clone(),
        }
    }

    /// All of them.
    pub(super) fn flight(&self, has_size: bool) -> String {
        format!("{}\r\n{}", self.mail(has_size), self.rest)
    }
}

/// A session on which a mail's commands were sent behind another's message, which was taken; and the right to use it.
pub(super) struct Ride {
    pub(super) session: Session,
    pub(super) slot: OwnedSemaphorePermit,
}

/// A mail that was taken aboard.
pub(super) struct Rider {
    pub(super) commands: Commands,
    /// When its permit was asked for.
    since: Instant,
    number: u64,
    hand: oneshot::Sender<Ride>,
}

impl std::fmt::Debug for Rider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rider").finish_non_exhaustive()
    }
}

impl Rider {
    /// Gives it the session. Where it went away meanwhile, the session ends: its commands stand there for nobody.
    pub(super) fn hand_over(self, ride: Ride) {
        drop(self.hand.send(ride));
    }
}

/// Those that wait.
#[derive(Default)]
pub(super) struct Riders(Mutex<(u64, VecDeque<Rider>)>);

impl Riders {
    /// Waits in the row, for a ride or for a slot; its number in the row.
    pub(super) fn enter(
        &self,
        commands: Commands,
        since: Instant,
    ) -> (u64, oneshot::Receiver<Ride>) {
        let (hand, ride) = oneshot::channel();
        let mut row = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        row.0 += 1;
        let number = row.0;
        row.1.push_back(Rider {
            commands,
            since,
            number,
            hand,
        });
        (number, ride)
    }

    /// Leaves the row; false if it was taken aboard.
    pub(super) fn leave(&self, number: u64) -> bool {
        let mut row = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = row.1.len();
        row.1.retain(|rider| rider.number != number);
        row.1.len() < before
    }

    /// Takes the first aboard whose permit is fresh; the others before it look for a slot.
    pub(super) fn take(&self, age_max: Duration) -> Option<Rider> {
        let mut row = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let rider = row.1.pop_front()?;
            if !rider.hand.is_closed() && rider.since.elapsed() < age_max {
                return Some(rider);
            }
        }
    }
}
