//! Opens sessions: connection, encryption, greeting, who we are.

use super::session::{Extensions, Session};
use super::settings::{Credentials, Encryption, Settings, SettingsFault};
use super::wire::{Wire, WireError};
use crate::fate::{Fate, Phase};
use crate::tls;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// What opens sessions with one server.
#[derive(Clone)]
pub struct Dialer {
    settings: Arc<Settings>,
    tls: Option<TlsConnector>,
    name: Option<ServerName<'static>>,
}

impl Dialer {
    /// Checks the settings and reads the certificates.
    pub fn new(settings: Settings) -> Result<Self, SettingsFault> {
        settings.check()?;
        let is_clear = settings.encryption == Encryption::None;
        let name = ServerName::try_from(settings.host.to_string()).ok();
        if name.is_none() && !is_clear {
            return Err(SettingsFault::Host(settings.host));
        }
        let tls = if is_clear {
            None
        } else {
            let config = tls::client(&settings.trust).map_err(SettingsFault::Trust)?;
            Some(TlsConnector::from(Arc::new(config)))
        };
        Ok(Self {
            settings: Arc::new(settings),
            tls,
            name,
        })
    }

    /// The settings it dials by.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Opens a session, ready for its first mail. What the server says against *us* before any mail was named is never
    /// the end of a message: `4yz` is deferred, everything else not sent.
    pub async fn dial(&self) -> Result<Session, Fate> {
        let deadlines = self.settings.deadlines;
        let stream = self.connect().await?;
        let mut wire = match self.settings.encryption {
            Encryption::Implicit => self.encrypt(stream).await?,
            Encryption::StartTls | Encryption::None => Wire::plain(stream),
        };
        let greeting = wire.reply(deadlines.command).await;
        welcome(Phase::Greeting, greeting)?;
        let mut extensions = self.hello(&mut wire).await?;
        if self.settings.encryption == Encryption::StartTls {
            wire = self.start_tls(wire, &extensions).await?;
            extensions = self.hello(&mut wire).await?;
        }
        if let Some(credentials) = &self.settings.credentials {
            self.log_in(&mut wire, &extensions, credentials).await?;
        }
        Ok(Session::new(wire, extensions, &self.settings))
    }

    async fn connect(&self) -> Result<TcpStream, Fate> {
        let deadline = self.settings.deadlines.connect;
        let address = (&*self.settings.host, self.settings.port);
        let stream = match timeout(deadline, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(Fate::cut(Phase::Connect, error.to_string())),
            Err(_) => return Err(late(Phase::Connect, deadline)),
        };
        // Small writes must not wait for the acknowledgement of the one before.
        stream
            .set_nodelay(true)
            .map_err(|error| Fate::cut(Phase::Connect, error.to_string()))?;
        Ok(stream)
    }

    async fn encrypt(&self, stream: TcpStream) -> Result<Wire, Fate> {
        let deadline = self.settings.deadlines.command;
        let (Some(tls), Some(name)) = (&self.tls, &self.name) else {
            return Err(Fate::cut(Phase::Tls, "no encryption is set up"));
        };
        match timeout(deadline, tls.connect(name.clone(), stream)).await {
            Ok(Ok(stream)) => Ok(Wire::tls(stream)),
            Ok(Err(error)) => Err(Fate::cut(Phase::Tls, error.to_string())),
            Err(_) => Err(late(Phase::Tls, deadline)),
        }
    }

    async fn hello(&self, wire: &mut Wire) -> Result<Extensions, Fate> {
        let line = format!("EHLO {}", self.settings.hello);
        let reply = wire.ask(&line, self.settings.deadlines.command).await;
        welcome(Phase::Hello, reply).map(|lines| Extensions::of(&lines))
    }

    async fn start_tls(&self, mut wire: Wire, extensions: &Extensions) -> Result<Wire, Fate> {
        if !extensions.start_tls {
            return Err(Fate::cut(
                Phase::StartTls,
                "the server does not offer STARTTLS, which is required",
            ));
        }
        let reply = wire.ask("STARTTLS", self.settings.deadlines.command).await;
        welcome(Phase::StartTls, reply)?;
        match wire.into_plain() {
            Some(stream) => self.encrypt(stream).await,
            None => Err(Fate::cut(
                Phase::StartTls,
                "the server went on talking in the clear",
            )),
        }
    }

    async fn log_in(
        &self,
        wire: &mut Wire,
        extensions: &Extensions,
        credentials: &Credentials,
    ) -> Result<(), Fate> {
        let deadline = self.settings.deadlines.command;
        let (user, password) = (&credentials.user, credentials.password.expose());
        if extensions.auth_plain {
            let secret = STANDARD.encode(format!("\0{user}\0{password}"));
            let reply = wire.ask(&format!("AUTH PLAIN {secret}"), deadline).await;
            return welcome(Phase::Auth, reply).map(drop);
        }
        if !extensions.auth_login {
            return Err(Fate::cut(
                Phase::Auth,
                "the server offers neither AUTH PLAIN nor AUTH LOGIN",
            ));
        }
        for line in ["AUTH LOGIN".to_owned(), STANDARD.encode(user.as_bytes())] {
            match wire.ask(&line, deadline).await {
                Ok(reply) if reply.code == 334 => {}
                reply => return Err(unwelcome(Phase::Auth, reply)),
            }
        }
        let reply = wire.ask(&STANDARD.encode(password), deadline).await;
        welcome(Phase::Auth, reply).map(drop)
    }
}

fn late(phase: Phase, deadline: std::time::Duration) -> Fate {
    Fate::cut(phase, WireError::Deadline(deadline).to_string())
}

/// The lines of a `2yz`; anything else ends the dialling.
fn welcome(
    phase: Phase,
    reply: Result<super::reply::Reply, WireError>,
) -> Result<Vec<String>, Fate> {
    match reply {
        Ok(reply) if reply.is_yes() => Ok(reply.lines),
        other => Err(unwelcome(phase, other)),
    }
}

fn unwelcome(phase: Phase, reply: Result<super::reply::Reply, WireError>) -> Fate {
    match reply {
        Ok(reply) if reply.is_not_now() => Fate::Deferred {
            phase,
            code: reply.code,
            text: reply.text(),
            retry_after: None,
        },
        Ok(reply) => Fate::cut(phase, format!("{} {}", reply.code, reply.text())),
        Err(error) => Fate::cut(phase, error.to_string()),
    }
}
