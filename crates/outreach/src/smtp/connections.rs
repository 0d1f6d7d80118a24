//! Sessions kept for the next mail: so many at a time, not for long, and never one that is in doubt.

use super::dialer::Dialer;
use super::session::{HandedOver, Session};
use super::settings::{Settings, SettingsFault};
use crate::fate::{Fate, Phase};
use crate::mail::Envelope;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// A session that waits for its next mail.
struct Parked {
    session: Session,
    since: Instant,
}

/// The connections to one server.
pub struct Connections {
    dialer: Dialer,
    slots: Semaphore,
    parked: Mutex<Vec<Parked>>,
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connections")
            .field("free", &self.slots.available_permits())
            .finish_non_exhaustive()
    }
}

impl Connections {
    /// None yet; checks the settings.
    pub fn new(settings: Settings) -> Result<Self, SettingsFault> {
        let dialer = Dialer::new(settings)?;
        let slots = Semaphore::new(dialer.settings().connections_max);
        Ok(Self {
            dialer,
            slots,
            parked: Mutex::new(Vec::new()),
        })
    }

    /// Hands one mail over, on a session that waits or on a new one, as soon as a connection is free. A waiting session
    /// that turns out to be dead before it has taken the sender is replaced at once.
    pub async fn hand_over<P, F>(&self, envelope: &Envelope, bytes: &[u8], permit: P) -> Fate
    where
        P: Fn() -> F,
        F: Future<Output = bool>,
    {
        let Ok(_slot) = self.slots.acquire().await else {
            return Fate::cut(Phase::Connect, "the connections are closed");
        };
        if let Some(mut session) = self.unpark() {
            match session.offer(envelope, bytes.len(), &permit).await {
                Ok(offer) => return self.park(session.complete(offer, bytes, &permit).await),
                Err(fate) if is_stale(&fate) => {}
                Err(fate) => return fate,
            }
        }
        match self.dialer.dial().await {
            Ok(session) => self.park(session.hand_over(envelope, bytes, permit).await),
            Err(fate) => fate,
        }
    }

    /// Says good-bye on those that waited too long; to be called now and then.
    pub async fn sweep(&self) {
        let idle_max = self.dialer.settings().idle_max;
        self.leave(|it| it.since.elapsed() >= idle_max).await;
    }

    /// Says good-bye on all that wait, and takes no more mails.
    pub async fn close(&self) {
        self.slots.close();
        self.leave(|_| true).await;
    }

    async fn leave(&self, is_over: impl Fn(&Parked) -> bool) {
        let over: Vec<Parked> = {
            let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
            let (over, rest) = parked.drain(..).partition(is_over);
            *parked = rest;
            over
        };
        for it in over {
            it.session.quit().await;
        }
    }

    /// The session that waited least; those that waited too long are dropped.
    fn unpark(&self) -> Option<Session> {
        let idle_max = self.dialer.settings().idle_max;
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        parked.retain(|it| it.since.elapsed() < idle_max);
        parked.pop().map(|it| it.session)
    }

    /// Keeps the session, if it came back and may take more.
    fn park(&self, handed_over: HandedOver) -> Fate {
        let mails_max = self.dialer.settings().mails_per_connection_max;
        if let Some(session) = handed_over
            .session
            .filter(|session| session.mails() < mails_max)
        {
            let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
            parked.push(Parked {
                session,
                since: Instant::now(),
            });
        }
        handed_over.fate
    }
}

/// Whether a session that had waited was closed meanwhile: cut at `MAIL`, or told so.
fn is_stale(fate: &Fate) -> bool {
    matches!(
        fate,
        Fate::NotSent {
            phase: Phase::Mail,
            ..
        } | Fate::Deferred {
            phase: Phase::Mail,
            code: 421,
            ..
        }
    )
}
