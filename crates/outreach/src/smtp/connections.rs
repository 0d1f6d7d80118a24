//! Sessions kept for the next mail: so many at a time, not for long, and never one that is in doubt.

use super::dialer::Dialer;
use super::session::{HandedOver, Session};
use super::settings::{Settings, SettingsFault};
use crate::fate::{Fate, Phase};
use crate::mail::Envelope;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// A session that waits for its next mail.
struct Parked {
    session: Session,
    since: Instant,
}

/// As many mails may have their permit and wait for a connection: one commit of the store gives several.
const AHEAD_MAX: usize = 16;
/// A permit that waited for a connection for this share of its age is asked for again before anything is said.
const FRESH_SHARE: u32 = 4;

/// The connections to one server.
pub struct Connections {
    dialer: Dialer,
    slots: Semaphore,
    ahead: Semaphore,
    parked: Mutex<Vec<Parked>>,
    /// How long a mail took lately, in microseconds, where commands go in one flight; 0: not known.
    mail_micros: AtomicU64,
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
            ahead: Semaphore::new(AHEAD_MAX),
            parked: Mutex::new(Vec::new()),
            mail_micros: AtomicU64::new(0),
        })
    }

    /// Hands one mail over, on a session that waits or on a new one, as soon as a connection is free. A waiting session
    /// that turns out to be dead before it has taken the sender is replaced at once. Where a connection will be free in a
    /// moment, the permit is asked for meanwhile.
    pub async fn hand_over<P, F>(&self, envelope: &Envelope, bytes: &[u8], permit: P) -> Fate
    where
        P: Fn() -> F,
        F: Future<Output = bool>,
    {
        let Ok(place) = self.ahead.acquire().await else {
            return closed();
        };
        let mut given = None;
        if self.is_soon() {
            let since = Instant::now();
            if !permit().await {
                return Fate::NotPermitted;
            }
            given = Some(since);
        }
        let Ok(_slot) = self.slots.acquire().await else {
            return closed();
        };
        drop(place);
        let fresh_max = self.dialer.settings().permit_age_max / FRESH_SHARE;
        let given = given.filter(|since| since.elapsed() < fresh_max);
        if let Some(mut session) = self.unpark() {
            let offer = session.offer(envelope, bytes.len(), (&permit, given));
            match offer.await {
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
        self.ahead.close();
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

    /// Whether a connection will be free in a moment: all are busy, and mails are taken quickly, their commands in one flight.
    fn is_soon(&self) -> bool {
        let micros = self.mail_micros.load(Ordering::Relaxed);
        let waiting = AHEAD_MAX - self.ahead.available_permits().min(AHEAD_MAX);
        let waiting = u64::try_from(waiting).unwrap_or(u64::MAX);
        let settings = self.dialer.settings();
        let connections = u64::try_from(settings.connections_max).unwrap_or(u64::MAX);
        let wait = Duration::from_micros(micros.saturating_mul(waiting) / connections.max(1));
        micros > 0 && self.slots.available_permits() == 0 && wait <= settings.ahead_time_max
    }

    /// Notes how long the last mail took; after anything but a yes nobody knows how long the next one will take.
    fn learn(&self, handed_over: &HandedOver) {
        let session = handed_over.session.as_ref();
        let took = session.and_then(Session::took).map_or(0, |took| {
            u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1)
        });
        let before = self.mail_micros.load(Ordering::Relaxed);
        let lately = match (before, took) {
            (0, _) | (_, 0) => took,
            _ => before.saturating_mul(3).saturating_add(took) / 4,
        };
        self.mail_micros.store(lately, Ordering::Relaxed);
    }

    /// Keeps the session, if it came back and may take more.
    fn park(&self, handed_over: HandedOver) -> Fate {
        self.learn(&handed_over);
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

fn closed() -> Fate {
    Fate::cut(Phase::Connect, "the connections are closed")
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
