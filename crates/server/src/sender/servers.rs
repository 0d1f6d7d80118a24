//! The mail servers: the one for all, and those of single senders; each with what signs, and all with the pace they keep.

use super::lanes::{Lanes, Share, Turn};
use super::means::MeansError;
use crate::config::{Config, Dkim, Pace, Smtp, Tls};
use jiff::Timestamp;
use outreach::dkim::{NotSigned, Signer};
use outreach::mail::{Address, Mail};
use outreach::smtp::{Connections, Credentials, Deadlines, Encryption, Settings};

/// All mail servers of the settings.
#[derive(Debug)]
pub(super) struct Servers {
    /// The server of all who have none of their own.
    all: Option<Server>,
    /// The servers of single senders.
    own: Vec<Server>,
    lanes: Lanes,
}

/// A mail server and whom it sends for.
#[derive(Debug)]
pub(super) struct Server {
    /// Addresses and domains; none: everybody else.
    from: Vec<Box<str>>,
    pub(super) connections: Connections,
    signers: Vec<Signer>,
}

impl Server {
    fn new(from: Vec<Box<str>>, smtp: &Smtp) -> Result<Self, MeansError> {
        let signers = smtp.dkim.iter().map(Dkim::signer);
        Ok(Self {
            from,
            connections: Connections::new(settings(smtp))?,
            signers: signers.collect::<Result<_, _>>()?,
        })
    }

    /// What it is called where its pace is kept.
    pub(super) fn name(&self) -> &str {
        self.from.first().map_or("default", |from| from)
    }

    /// Signs the mail with each key that speaks for its sender.
    pub(super) fn sign(&self, mail: &mut Mail, at: Timestamp) -> Result<(), NotSigned> {
        let ours = self
            .signers
            .iter()
            .filter(|signer| signer.is_of(mail.from.domain()));
        let headers = ours
            .map(|signer| signer.sign(&mail.bytes, at))
            .collect::<Result<String, _>>()?;
        mail.bytes.splice(..0, headers.into_bytes());
        Ok(())
    }
}

impl Servers {
    /// No mail leaves.
    pub(super) fn none() -> Self {
        Self {
            all: None,
            own: Vec::new(),
            lanes: Lanes::new(Pace::default()),
        }
    }

    pub(super) fn new(config: &Config) -> Result<Self, MeansError> {
        let all = config.smtp.as_ref();
        let all = all.map(|smtp| Server::new(Vec::new(), smtp));
        let own = config.senders.iter();
        let own = own.map(|sender| Server::new(sender.from.clone(), &sender.smtp));
        Ok(Self {
            all: all.transpose()?,
            own: own.collect::<Result<_, _>>()?,
            lanes: Lanes::new(config.pace.clone()),
        })
    }

    /// Whether there is one for whoever has none of their own.
    pub(super) fn is_any(&self) -> bool {
        self.all.is_some()
    }

    /// The server that sends for `from`: by its address, by its domain, else the one for all.
    pub(super) fn of(&self, from: &Address) -> Option<&Server> {
        let address = from.as_str().to_ascii_lowercase();
        let find = |name: &str| {
            let mut own = self.own.iter();
            own.find(|server| server.from.iter().any(|from| **from == *name))
        };
        find(&address)
            .or_else(|| find(from.domain()))
            .or(self.all.as_ref())
    }

    /// A mail's turn by the pace that is set, or until when it has to wait.
    pub(super) async fn turn(
        &self,
        mail: &Mail,
        at: (Share, Timestamp),
    ) -> Result<Option<Turn>, Timestamp> {
        let Some(server) = self.of(&mail.from) else {
            return Ok(None);
        };
        let domain = mail.envelope.to.domain();
        self.lanes.enter(server.name(), domain, at).await.map(Some)
    }

    /// Says good-bye on every connection.
    pub(super) async fn close(&self) {
        for server in self.own.iter().chain(&self.all) {
            server.connections.close().await;
        }
    }
}

/// How a server of the settings is spoken to.
pub(crate) fn settings(smtp: &Smtp) -> Settings {
    let usual = Settings::new(&smtp.host, smtp.port);
    let deadlines = Deadlines {
        connect: smtp.connect_time_max.unwrap_or(usual.deadlines.connect),
        command: smtp.command_time_max.unwrap_or(usual.deadlines.command),
        data: smtp.command_time_max.unwrap_or(usual.deadlines.data),
        answer: smtp.answer_time_max.unwrap_or(usual.deadlines.answer),
        ..usual.deadlines
    };
    let credentials = smtp.login.as_ref().map(|(user, password)| Credentials {
        user: user.clone(),
        password: outreach::Secret::new(password.expose()),
    });
    Settings {
        encryption: match smtp.tls {
            Tls::Required => Encryption::StartTls,
            Tls::Implicit => Encryption::Implicit,
            Tls::Plain => Encryption::None,
        },
        credentials,
        hello: smtp.hello.clone().unwrap_or(usual.hello.clone()),
        deadlines,
        connections_max: smtp.concurrency_max,
        pipelining: smtp.pipelining,
        ..usual
    }
}
