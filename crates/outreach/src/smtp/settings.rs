//! Which server mails go to, and how.

use crate::Secret;
use crate::tls::{Trust, TrustFault};
use std::net::IpAddr;
use std::time::Duration;

/// How the connection is encrypted. There is no "if the server offers it": who strips the offer would read along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// In the clear first, then `STARTTLS`; without it nothing is sent.
    StartTls,
    /// From the first byte.
    Implicit,
    /// Not at all: for a relay on this machine or in tests.
    None,
}

/// A name and a password.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The name.
    pub user: Box<str>,
    /// The password.
    pub password: Secret,
}

/// How long each phase may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Opening the connection.
    pub connect: Duration,
    /// The server's first words, and each command up to `RCPT`.
    pub command: Duration,
    /// From `DATA` to the server's asking for the message.
    pub data: Duration,
    /// Writing the message.
    pub body: Duration,
    /// From the last byte to the answer. Too short a wait makes duplicates: what the server still takes counts as unknown.
    pub answer: Duration,
    /// Saying good-bye.
    pub quit: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            command: Duration::from_secs(5 * 60),
            data: Duration::from_secs(2 * 60),
            body: Duration::from_secs(5 * 60),
            answer: Duration::from_secs(10 * 60),
            quit: Duration::from_secs(5),
        }
    }
}

/// Where mails go and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server's name or address.
    pub host: Box<str>,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// Whom to believe.
    pub trust: Trust,
    /// Who we are, if the server asks.
    pub credentials: Option<Credentials>,
    /// The name we greet with.
    pub hello: Box<str>,
    /// How long each phase may take.
    pub deadlines: Deadlines,
    /// Whether commands go in one flight where the server takes them so.
    pub pipelining: bool,
    /// How old a permit may be when the message's first byte leaves; an older one is asked for again.
    pub permit_age_max: Duration,
    /// A permit is asked for ahead only where its mail's turn is likely to come within this time. Whoever is killed leaves
    /// each permit without a fate, so no more are given than are about to be used.
    pub ahead_time_max: Duration,
    /// The most connections at a time.
    pub connections_max: usize,
    /// How long a connection may wait for its next mail.
    pub idle_max: Duration,
    /// The most mails over one connection.
    pub mails_per_connection_max: u32,
}

/// What cannot be right in the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsFault {
    /// The host is no host.
    #[error("`{0}` is neither a host name nor an address")]
    Host(Box<str>),
    /// The name to greet with has blanks or control characters, or is empty.
    #[error("`{0}` is no name to greet a server with")]
    Hello(Box<str>),
    /// A password would travel in the clear.
    #[error("a password would travel in the clear: use STARTTLS or implicit TLS")]
    PasswordInClear,
    /// The certificates could not be read, or the machine has none.
    #[error(transparent)]
    Trust(TrustFault),
    /// A limit of zero.
    #[error("`{0}` must be at least 1")]
    Zero(&'static str),
}

impl Settings {
    /// Settings for a server, everything else as usual: STARTTLS, the machine's trust, four connections.
    pub fn new(host: &str, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            encryption: Encryption::StartTls,
            trust: Trust::System,
            credentials: None,
            hello: "localhost".into(),
            deadlines: Deadlines::default(),
            pipelining: true,
            permit_age_max: Duration::from_secs(2),
            ahead_time_max: Duration::from_millis(10),
            connections_max: 4,
            idle_max: Duration::from_secs(30),
            mails_per_connection_max: 100,
        }
    }

    /// Whether all of it makes sense together.
    pub fn check(&self) -> Result<(), SettingsFault> {
        let is_word = |text: &str| {
            !text.is_empty()
                && text.len() <= 255
                && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if !is_word(&self.host) {
            return Err(SettingsFault::Host(self.host.clone()));
        }
        if !is_word(&self.hello) {
            return Err(SettingsFault::Hello(self.hello.clone()));
        }
        if self.credentials.is_some() && self.encryption == Encryption::None && !self.is_here() {
            return Err(SettingsFault::PasswordInClear);
        }
        if self.connections_max == 0 {
            return Err(SettingsFault::Zero("connections_max"));
        }
        if self.mails_per_connection_max == 0 {
            return Err(SettingsFault::Zero("mails_per_connection_max"));
        }
        Ok(())
    }

    /// Whether the server is on this machine.
    fn is_here(&self) -> bool {
        &*self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_right_has_a_name() {
        let good = Settings::new("relay.example", 587);
        assert_eq!(good.check(), Ok(()));
        let broken = Settings {
            host: "a b".into(),
            ..good.clone()
        };
        assert_eq!(broken.check(), Err(SettingsFault::Host("a b".into())));
        let broken = Settings {
            hello: "x\r\nMAIL".into(),
            ..good.clone()
        };
        assert!(matches!(broken.check(), Err(SettingsFault::Hello(_))));
        let broken = Settings {
            connections_max: 0,
            ..good.clone()
        };
        assert_eq!(broken.check(), Err(SettingsFault::Zero("connections_max")));
        let credentials = Some(Credentials {
            user: "u".into(),
            password: Secret::new("p"),
        });
        let clear = Settings {
            encryption: Encryption::None,
            credentials,
            ..good
        };
        assert_eq!(clear.check(), Err(SettingsFault::PasswordInClear));
        assert_eq!(
            Settings {
                host: "127.0.0.1".into(),
                ..clear
            }
            .check(),
            Ok(())
        );
    }
}
