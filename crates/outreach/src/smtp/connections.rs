//! Sessions kept for the next mail: so many at a time, not for long, and never one that is in doubt.

use super::ahead::Ahead;
use super::dialer::Dialer;
use super::riders::{Commands, Ride, Riders};
use super::session::{HandedOver, Offer, Session};
use super::settings::{Settings, SettingsFault};
use crate::fate::{Fate, Phase};
use crate::mail::Envelope;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// A session that waits for its next mail.
struct Parked {
    session: Session,
    since: Instant,
}

/// A permit that waited for a connection for this share of its age is asked for again before anything is said.
const FRESH_SHARE: u32 = 4;

/// How a mail gets a connection.
#[expect(
    clippy::large_enum_variant,
    reason = "it lives for a moment, and a box would cost each mail an allocation"
)]
enum Way {
    /// One that is free, or may be made.
    Slot(OwnedSemaphorePermit),
    /// One on which its commands were sent; its permit was asked for at this instant.
    Ride(Ride, Instant),
}

/// The connections to one server.
pub struct Connections {
    dialer: Dialer,
    slots: Arc<Semaphore>,
    ahead: Ahead,
    riders: Riders,
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
            slots: Arc::new(slots),
            ahead: Ahead::new(),
            riders: Riders::default(),
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
        let Some(place) = self.ahead.enter().await else {
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
        let Ok(way) = self.way(given, envelope, bytes.len()).await else {
            return closed();
        };
        drop(place);
        let (offered, slot) = match way {
            Way::Ride(ride, since) => {
                let Ride { mut session, slot } = ride;
                let offer = session.answers(envelope, since).await;
                (Some((session, offer)), slot)
            }
            Way::Slot(slot) => {
                let given = given.filter(|since| since.elapsed() < self.fresh_max());
                let offered = match self.unpark() {
                    Some(mut session) => {
                        let offer = session.offer(envelope, bytes.len(), (&permit, given));
                        let offer = offer.await;
                        Some((session, offer))
                    }
                    None => None,
                };
                (offered, slot)
            }
        };
        match offered {
            Some((session, Ok(offer))) => {
                self.complete((session, slot), offer, bytes, permit).await
            }
            Some((_, Err(fate))) if !is_stale(&fate) => fate,
            Some((_, Err(_))) | None => {
                // Seldom, and large: it shall not make every mail's way as large.
                let mut session = match Box::pin(self.dialer.dial()).await {
                    Ok(session) => session,
                    Err(fate) => return fate,
                };
                match session.offer(envelope, bytes.len(), (&permit, None)).await {
                    Ok(offer) => self.complete((session, slot), offer, bytes, permit).await,
                    Err(fate) => fate,
                }
            }
        }
    }

    /// A free connection, or, with a permit given, a ride on one that is about to be.
    async fn way(
        &self,
        given: Option<Instant>,
        envelope: &Envelope,
        size: usize,
    ) -> Result<Way, AcquireError> {
        let slot = Arc::clone(&self.slots).acquire_owned();
        let Some(since) = given else {
            return slot.await.map(Way::Slot);
        };
        let (number, mut ride) = self.riders.enter(Commands::new(envelope, size), since);
        let is_aboard = tokio::select! {
            biased;
            ride = &mut ride => match ride {
                Ok(ride) => return Ok(Way::Ride(ride, since)),
                Err(_) => false,
            },
            slot = slot => {
                if self.riders.leave(number) {
                    return slot.map(Way::Slot);
                }
                true
            }
        };
        // Nobody waits long for the answer to another's message.
        if is_aboard && let Ok(Ok(ride)) = timeout(self.fresh_max(), ride).await {
            return Ok(Way::Ride(ride, since));
        }
        let slot = Arc::clone(&self.slots).acquire_owned();
        slot.await.map(Way::Slot)
    }

    /// Sends the message, and gives the session to whom it belongs then.
    async fn complete<P, F>(
        &self,
        (session, slot): (Session, OwnedSemaphorePermit),
        offer: Offer,
        bytes: &[u8],
        permit: P,
    ) -> Fate
    where
        P: Fn() -> F,
        F: Future<Output = bool>,
    {
        let mails_max = self.dialer.settings().mails_per_connection_max;
        let board = |mails| {
            let may_board = mails < mails_max;
            may_board
                .then(|| self.riders.take(self.fresh_max()))
                .flatten()
        };
        let handed_over = session.complete(offer, bytes, (&permit, board)).await;
        self.park(handed_over, slot)
    }

    /// How old a permit may be that was given ahead, when its mail's commands leave.
    fn fresh_max(&self) -> Duration {
        self.dialer.settings().permit_age_max / FRESH_SHARE
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
        let settings = self.dialer.settings();
        let wait = Duration::from_micros(micros) / connections(settings);
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
        // As many may wait as get a connection in a moment, where that is known.
        let settings = self.dialer.settings();
        let time_max = settings.ahead_time_max * connections(settings);
        let mails = time_max.as_micros() / u128::from(lately.max(1));
        self.ahead
            .allow(usize::try_from(mails).unwrap_or(usize::MAX));
    }

    /// Gives the session to whoever is aboard, or keeps it if it came back and may take more.
    fn park(&self, handed_over: HandedOver, slot: OwnedSemaphorePermit) -> Fate {
        self.learn(&handed_over);
        let mails_max = self.dialer.settings().mails_per_connection_max;
        let session = handed_over.session;
        match (
            session.filter(|it| it.mails() < mails_max),
            handed_over.aboard,
        ) {
            (Some(session), Some(rider)) => rider.hand_over(Ride { session, slot }),
            (Some(session), None) => {
                let since = Instant::now();
                let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
                parked.push(Parked { session, since });
            }
            (None, _) => {}
        }
        handed_over.fate
    }
}

fn connections(settings: &Settings) -> u32 {
    u32::try_from(settings.connections_max)
        .unwrap_or(u32::MAX)
        .max(1)
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
