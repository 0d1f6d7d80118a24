//! Whom may be called: the world by https, and what the settings name besides.

use super::address::{is_inside, lies_in};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use url::{Host, Url};

/// The ports that may be called anywhere.
const PORTS: [u16; 2] = [443, 8443];

/// Why somebody may not be called. The address is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Barred {
    /// It does not read as an address of the web.
    #[error("its address does not read as an address of the web")]
    Address,
    /// Name and password in the address.
    #[error("its address holds a user's name or password")]
    Login,
    /// In the clear.
    #[error("its address is not https; `egress.allow` names what may be called in the clear")]
    Scheme,
    /// Another port.
    #[error("its port is not 443 or 8443; `egress.allow` names what may be called besides")]
    Port,
    /// Of this machine, of a private net or of nobody.
    #[error(
        "it leads to an address of this machine or a private net; `egress.allow` names what may be called there"
    )]
    Inside,
}

/// What the settings allow besides: `name:port`, `10.0.0.0/8:8443` or `[fd00::/8]:443`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    whom: Whom,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Whom {
    /// By its name, wherever that leads.
    Name(Box<str>),
    /// By its address.
    Net(IpAddr, u8),
}

/// Why an entry can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write a name or an address with a port, such as crm.internal:8443, 10.0.0.0/8:8443 or [::1]:8080"
)]
pub struct AllowFault;

impl FromStr for Allow {
    type Err = AllowFault;

    fn from_str(text: &str) -> Result<Self, AllowFault> {
        let (whom, port) = text.rsplit_once(':').ok_or(AllowFault)?;
        let port: u16 = port.parse().map_err(|_| AllowFault)?;
        if port == 0 {
            return Err(AllowFault);
        }
        let bare = whom.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let (base, prefix) = match bare.unwrap_or(whom).split_once('/') {
            Some((base, prefix)) => (base, Some(prefix)),
            None => (bare.unwrap_or(whom), None),
        };
        let whom = match (base.parse::<IpAddr>(), prefix) {
            (Ok(ip), prefix) if ip.is_ipv4() == bare.is_none() => {
                let most = if ip.is_ipv4() { 32 } else { 128 };
                let prefix = prefix.map_or(Ok(most), str::parse);
                let prefix = prefix.map_err(|_| AllowFault)?;
                if prefix > most {
                    return Err(AllowFault);
                }
                Whom::Net(ip, prefix)
            }
            (Err(_), None) if bare.is_none() => Whom::Name(name(base)?),
            (Ok(_) | Err(_), _) => return Err(AllowFault),
        };
        Ok(Self { whom, port })
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.whom {
            Whom::Name(name) => write!(f, "{name}:{}", self.port),
            Whom::Net(IpAddr::V4(base), prefix) => write!(f, "{base}/{prefix}:{}", self.port),
            Whom::Net(IpAddr::V6(base), prefix) => write!(f, "[{base}/{prefix}]:{}", self.port),
        }
    }
}

/// A name as addresses of the web have it: small letters, punycode, no dot at its end.
fn name(text: &str) -> Result<Box<str>, AllowFault> {
    match Host::parse(text) {
        Ok(Host::Domain(name)) => Ok(plain(&name).into()),
        Ok(Host::Ipv4(_) | Host::Ipv6(_)) | Err(_) => Err(AllowFault),
    }
}

fn plain(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// Whom may be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    allow: Vec<Allow>,
}

/// What was found of an address of the web.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) port: u16,
    /// Its name and port are in the settings.
    is_named: bool,
    /// It is https at one of the usual ports.
    is_usual: bool,
}

impl Policy {
    /// The world, and these.
    pub fn new(allow: Vec<Allow>) -> Self {
        Self { allow }
    }

    /// What can be said before any name is resolved; an address in digits is judged whole.
    pub(super) fn judge(&self, url: &Url) -> Result<Judged, Barred> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Barred::Login);
        }
        if !matches!(url.scheme(), "https" | "http") {
            return Err(Barred::Address);
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(Barred::Address);
        };
        let is_https = url.scheme() == "https";
        let judged = Judged {
            port,
            is_named: self.names(&host, port),
            is_usual: is_https && PORTS.contains(&port),
        };
        let by_address = self.nets(port).next().is_some();
        if !judged.is_named && !judged.is_usual && !by_address {
            return Err(if is_https {
                Barred::Port
            } else {
                Barred::Scheme
            });
        }
        let ip = match host {
            Host::Ipv4(ip) => IpAddr::V4(ip),
            Host::Ipv6(ip) => IpAddr::V6(ip),
            Host::Domain(_) => return Ok(judged),
        };
        if self.lets(&judged, ip) {
            Ok(judged)
        } else {
            Err(Barred::Inside)
        }
    }

    /// Whether this address may be connected to.
    pub(super) fn lets(&self, judged: &Judged, ip: IpAddr) -> bool {
        judged.is_named
            || (judged.is_usual && !is_inside(ip))
            || self.nets(judged.port).any(|net| lies_in(ip, net))
    }

    fn names(&self, host: &Host<&str>, port: u16) -> bool {
        let Host::Domain(host) = host else {
            return false;
        };
        let host = plain(host);
        self.allow.iter().any(|allow| {
            allow.port == port && matches!(&allow.whom, Whom::Name(name) if **name == *host)
        })
    }

    fn nets(&self, port: u16) -> impl Iterator<Item = (IpAddr, u8)> {
        self.allow
            .iter()
            .filter(move |allow| allow.port == port)
            .filter_map(|allow| match allow.whom {
                Whom::Net(base, prefix) => Some((base, prefix)),
                Whom::Name(_) => None,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_read_as_they_are_written() {
        for good in [
            "127.0.0.1:8080",
            "10.0.0.0/8:8443",
            "[::1]:8080",
            "[fd00::/8]:443",
            "crm.internal:8443",
            "CRM.Internal.:80",
            "localhost:1",
        ] {
            assert!(good.parse::<Allow>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "crm",
            "crm:",
            "crm:0",
            "crm:65536",
            ":80",
            "10.0.0.0/33:80",
            "::1:80",
            "fd00::/8:443",
            "[10.0.0.1]:80",
            "[crm]:80",
            "crm/8:80",
            "10.0.0.0/x:80",
            "https://crm:80",
            "a b:80",
            "[::/129]:1",
        ] {
            assert!(bad.parse::<Allow>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_entry_lets_its_own_port_pass_and_no_other() {
        let policy = |entry: &str| Policy::new(vec![entry.parse().expect("an entry")]);
        let judge = |policy: &Policy, url: &str| {
            policy
                .judge(&Url::parse(url).expect("an address"))
                .map(|_| ())
        };
        let crm = policy("crm.example:8080");
        assert_eq!(judge(&crm, "http://crm.example:8080/x"), Ok(()));
        assert_eq!(judge(&crm, "http://CRM.example.:8080/x"), Ok(()));
        assert_eq!(
            judge(&crm, "http://crm.example:8081/x"),
            Err(Barred::Scheme)
        );
        assert_eq!(
            judge(&crm, "https://other.example:8080/x"),
            Err(Barred::Port)
        );
        let net = policy("127.0.0.0/8:8080");
        assert_eq!(judge(&net, "http://127.1.2.3:8080/"), Ok(()));
        assert_eq!(judge(&net, "http://128.1.2.3:8080/"), Err(Barred::Inside));
        assert_eq!(judge(&net, "https://127.1.2.3/"), Err(Barred::Inside));
    }
}
