//! Mail that comes back to us: who may say what about which message, and the ways it comes in.

mod address;
mod lmtp;
mod maildir;
mod wire;

pub(crate) use address::{Returns, Whose, of_message_id, packed, unpacked};

use crate::sender::MeansError;
use crate::shared::Shared;
use crate::{Clock, Config, StartError};
use ingest::mail::{self, Action, Came, Class, Report, Says, Unread};
use model::MessageId;
use outreach::tls::Acceptor;
use std::path::{Path, PathBuf};
use store::{AddressKey, Answer, Answered, Failure, Role, Said, Stopped, Store};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Message-IDs of a mail that are looked up.
const IDS_MAX: usize = 5;

/// What became of a mail that came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Received {
    /// It said something about a message, which stands in the log now.
    Told,
    /// It said nothing new.
    Again,
    /// It asks for nothing: a machine's answer, a notice of delay.
    Ignored,
    /// It proves no message that it could be about.
    Unproven,
    /// It can't be read.
    Unread(Unread),
}

impl Received {
    /// The word in measures and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Again => "again",
            Self::Ignored => "ignored",
            Self::Unproven => "unproven",
            Self::Unread(_) => "unread",
        }
    }
}

/// Takes one mail from outside a running server. `to` are the envelope's recipients, if they are known.
///
/// # Errors
/// When the store does not answer: the mail should be brought again.
pub async fn receive_one(
    config: Config,
    store: Store,
    to: &[Box<str>],
    bytes: &[u8],
) -> Result<Received, ReceiveError> {
    let shared = Shared::new(config, store, Clock::wall())?;
    Ok(receive(&shared, to, bytes).await?)
}

/// Why a mail could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The store does not answer.
    #[error("the store does not take it now: {0}")]
    Store(#[from] Failure),
    /// The settings can't be used.
    #[error("{0}")]
    Settings(Box<str>),
}

impl From<MeansError> for ReceiveError {
    fn from(error: MeansError) -> Self {
        Self::Settings(error.to_string().into())
    }
}

/// Begins to take in what comes by the ways that the settings name.
pub(crate) async fn start(
    shared: &Shared,
    stop: &CancellationToken,
    tasks: &mut Vec<JoinHandle<()>>,
) -> Result<(), StartError> {
    let Some(bounces) = shared.config.bounces.clone() else {
        return Ok(());
    };
    if let Some(address) = bounces.listen {
        let listener = TcpListener::bind(address).await;
        let listener =
            listener.map_err(|error| StartError::Listen(address, error.to_string().into()))?;
        let tls = bounces.tls.as_ref().map(acceptor).transpose()?;
        let listening = lmtp::listen(listener, tls, shared.clone(), stop.clone());
        tasks.push(tokio::spawn(listening));
    }
    if let Some(folder) = bounces.maildir {
        tasks.push(tokio::spawn(maildir::watch(
            folder,
            shared.clone(),
            stop.clone(),
        )));
    }
    Ok(())
}

/// What the listener says who it is with.
fn acceptor((certificate, key): &(PathBuf, PathBuf)) -> Result<Acceptor, StartError> {
    let read = |path: &Path| {
        let unread = |error| StartError::Means(format!("{}: {error}", path.display()).into());
        std::fs::read(path).map_err(unread)
    };
    let acceptor = Acceptor::new(&read(certificate)?, &read(key)?);
    acceptor.map_err(|fault| StartError::Means(format!("bounces.certificate: {fault}").into()))
}

/// Takes one mail.
pub(crate) async fn receive(
    shared: &Shared,
    to: &[Box<str>],
    bytes: &[u8],
) -> Result<Received, Failure> {
    let received = match mail::read(bytes) {
        Ok(came) => take(shared, to, &came, bytes).await?,
        Err(unread) => Received::Unread(unread),
    };
    let word = received.as_str();
    shared
        .measures
        .came_back
        .get_or_create(&vec![("what", word)])
        .inc();
    Ok(received)
}

async fn take(
    shared: &Shared,
    to: &[Box<str>],
    came: &Came,
    bytes: &[u8],
) -> Result<Received, Failure> {
    let to = if to.is_empty() { &came.to } else { to };
    match &came.says {
        Says::Automatic(_) => Ok(Received::Ignored),
        Says::Reports(reports) => match Returns::of(shared).whose(to, mail::Purpose::Bounce).await?
        {
            Whose::Message(message) => report(shared, &message, reports).await,
            Whose::Nobody => Ok(Received::Unproven),
        },
        Says::Complaint { from } => complain(shared, came, from).await,
        Says::Reply => reply(shared, to, came, bytes).await,
    }
}

/// Each recipient that a bounce names has its own answer.
async fn report(
    shared: &Shared,
    message: &MessageId,
    reports: &[Report],
) -> Result<Received, Failure> {
    let mut received = None;
    for report in reports {
        let (said, code) = match report.action {
            Action::Failed(status, Class::Hard) => (Said::BouncedHard, Some(status)),
            Action::Failed(status, Class::Soft) => (Said::BouncedSoft, Some(status)),
            Action::Failed(status, Class::Policy) => (Said::BouncedByPolicy, Some(status)),
            Action::Delivered => (Said::Delivered, None),
            Action::Underway => continue,
        };
        let named = report.original.iter().chain(&report.recipient);
        let about: Vec<AddressKey> = named.map(|address| shared.address(address)).collect();
        let answer = Answer {
            message: message.clone(),
            said,
            name: "".into(),
            about,
            code: code.map(|code| code.to_string().into()),
            detail: code.map_or("".into(), |code| code.to_string().into()),
            now: shared.clock.now(),
        };
        let one = tell(shared, answer).await?;
        received = Some(received.map_or(one, |before: Received| before.min(one)));
    }
    Ok(received.unwrap_or(Received::Ignored))
}

/// A complaint proves its message by what it returns of it: the envelope's sender, or the Message-ID, which nobody
/// knows but who got the mail.
async fn complain(shared: &Shared, came: &Came, from: &str) -> Result<Received, Failure> {
    let known = shared.config.bounces.as_ref();
    let sources = known.map_or(&[][..], |bounces| &bounces.complaints_from);
    if !sources.is_empty() && !sources.iter().any(|source| **source == *from) {
        return Ok(Received::Unproven);
    }
    let returns = Returns::of(shared);
    let said = |message| answer(shared, message, Said::Complained, "".into());
    if let Whose::Message(message) = returns
        .whose(&came.returned_from, mail::Purpose::Bounce)
        .await?
    {
        return tell(shared, said(message)).await;
    }
    first_known(shared, came, said).await
}

/// An answer proves its message by the address that it was sent to, or by the Message-ID that it answers.
async fn reply(
    shared: &Shared,
    to: &[Box<str>],
    came: &Came,
    bytes: &[u8],
) -> Result<Received, Failure> {
    // The same answer may come by two ways.
    let name: Box<str> = if came.id.is_empty() {
        blake3::hash(bytes).to_hex().as_str().into()
    } else {
        came.id.clone()
    };
    let said = |message| answer(shared, message, Said::Replied, name.clone());
    match Returns::of(shared).whose(to, mail::Purpose::Reply).await? {
        Whose::Message(message) => tell(shared, said(message)).await,
        Whose::Nobody => first_known(shared, came, said).await,
    }
}

/// The first message of ours among those that a mail is about.
async fn first_known(
    shared: &Shared,
    came: &Came,
    said: impl Fn(MessageId) -> Answer,
) -> Result<Received, Failure> {
    for message in came
        .about
        .iter()
        .filter_map(|id| of_message_id(id))
        .take(IDS_MAX)
    {
        let received = tell(shared, said(message)).await?;
        if received != Received::Unproven {
            return Ok(received);
        }
    }
    Ok(Received::Unproven)
}

fn answer(shared: &Shared, message: MessageId, said: Said, name: Box<str>) -> Answer {
    Answer {
        message,
        said,
        name,
        about: Vec::new(),
        code: None,
        detail: "".into(),
        now: shared.clock.now(),
    }
}

/// Writes an answer, and has its account decided.
pub(crate) async fn tell(shared: &Shared, answer: Answer) -> Result<Received, Failure> {
    let (message, said) = (answer.message.clone(), answer.said);
    match shared.store.answer(answer).await? {
        Answered::Unknown => Ok(Received::Unproven),
        Answered::Again => Ok(Received::Again),
        Answered::Told { shard, stopped, .. } => {
            shared.bells.ring(shard, Role::Decide);
            match (said, stopped) {
                (_, Stopped::Domain(domain)) => {
                    tracing::error!(%domain, "mail to a domain is held back, since its servers don't want us as a sender; look at SPF, DKIM and DMARC, then let it go");
                }
                (Said::BouncedByPolicy, _) => {
                    tracing::warn!(%message, "the other side does not want us as a sender");
                }
                (_, stopped) => {
                    let (kind, is_stopped) = (said.kind(), stopped == Stopped::Address);
                    tracing::info!(%message, kind, is_stopped, "a message was answered");
                }
            }
            Ok(Received::Told)
        }
    }
}

#[cfg(test)]
mod tests;
