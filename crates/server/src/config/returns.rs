//! Settings of mail that comes back.

use super::{ConfigError, setting};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Where mail comes back to, and by which ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounces {
    /// The domain of the addresses that mail comes back to; its mail leads to one of the ways below.
    pub domain: Box<str>,
    /// Where LMTP and SMTP listen for it.
    pub listen: Option<SocketAddr>,
    /// A chain of certificates and its key, in PEM, with which the listener offers STARTTLS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// A maildir into which a mail server puts it.
    pub maildir: Option<PathBuf>,
    /// The domains whose complaints count; none: every complaint that proves which mail it is about.
    pub complaints_from: Vec<Box<str>>,
    /// Connections at once.
    pub connections_max: usize,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BounceSettings {
    pub(super) domain: Option<String>,
    pub(super) listen: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
    maildir: Option<String>,
    complaints_from: Vec<String>,
    connections_max: Option<usize>,
}

impl BounceSettings {
    pub(super) fn build(&self, base: &Path) -> Result<Option<Bounces>, ConfigError> {
        let Some(domain) = self.domain.as_deref() else {
            if self.listen.is_some() || self.maildir.is_some() {
                return Err(setting("bounces.domain", "is needed for mail to come back"));
            }
            return Ok(None);
        };
        let address = outreach::mail::Address::parse(&format!("bounce@{domain}"));
        let address = address.map_err(|fault| {
            setting(
                "bounces.domain",
                format!("{domain:?} is not a domain such as bounces.example.com: {fault}"),
            )
        })?;
        let listen = self.listen.as_deref().map(|text| {
            let wrong = format!("{text:?} is not an address and port such as 127.0.0.1:2525");
            text.parse().map_err(|_| setting("bounces.listen", wrong))
        });
        let connections_max = self.connections_max.unwrap_or(32);
        if !(1..=1_000).contains(&connections_max) {
            let why = "must be from 1 to 1000";
            return Err(setting("bounces.connections_max", why));
        }
        let tls = match (self.certificate.as_deref(), self.key.as_deref()) {
            (Some(certificate), Some(key)) => Some((base.join(certificate), base.join(key))),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                let why = "goes with `bounces.key`: the paths of two files in PEM";
                return Err(setting("bounces.certificate", why));
            }
        };
        let small = |domain: &String| domain.to_ascii_lowercase().into();
        Ok(Some(Bounces {
            domain: address.domain().into(),
            listen: listen.transpose()?,
            tls,
            maildir: self.maildir.as_deref().map(|path| base.join(path)),
            complaints_from: self.complaints_from.iter().map(small).collect(),
            connections_max,
        }))
    }
}

impl Bounces {
    pub(super) fn shown(&self) -> serde_json::Value {
        serde_json::json!({
            "domain": self.domain,
            "listen": self.listen.map(|address| address.to_string()),
            "certificate": self.tls.as_ref().map(|(certificate, _)| certificate.display().to_string()),
            "maildir": self.maildir.as_ref().map(|path| path.display().to_string()),
            "complaints_from": self.complaints_from,
            "connections_max": self.connections_max,
        })
    }
}
