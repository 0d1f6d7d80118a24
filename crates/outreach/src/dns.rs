//! What the DNS says of a sending domain: the records by which receivers know a mail's sender (RFC 7208, 6376, 7489).

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::{Resolver, TokioResolver};
use std::net::SocketAddr;

/// Records of one name that are read; a name has few.
const RECORDS_MAX: usize = 64;

/// Asks name servers: those of the system, or one of yours.
pub struct Dns(TokioResolver);

/// Why nothing is known of a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsFault {
    /// The system names no name server.
    #[error("no name server is known: {0}")]
    Unset(Box<str>),
    /// No name server answered.
    #[error("no name server answered: {0}")]
    Silent(Box<str>),
}

/// What a name's records say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// This.
    Record(Box<str>),
    /// There is no such record.
    Nothing,
    /// There are several, where receivers take none of them.
    Several(usize),
}

impl Dns {
    /// Those that the system asks.
    pub fn of_system() -> Result<Self, DnsFault> {
        let unset = |why: &dyn std::fmt::Display| DnsFault::Unset(why.to_string().into());
        let builder = TokioResolver::builder_tokio().map_err(|why| unset(&why))?;
        builder.build().map(Self).map_err(|why| unset(&why))
    }

    /// This one.
    pub fn at(server: SocketAddr) -> Result<Self, DnsFault> {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
        let connections = connections.map(|mut connection| {
            connection.port = server.port();
            connection
        });
        let server = NameServerConfig::new(server.ip(), true, connections.into());
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        let builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
        let built = builder.build();
        built
            .map(Self)
            .map_err(|why| DnsFault::Unset(why.to_string().into()))
    }

    /// The text record of a name that begins with this word, as `v=spf1`.
    pub async fn text(&self, name: &str, begins: &str) -> Result<Said, DnsFault> {
        // A dot at the end: nobody's search list is added to it.
        let found = match self.0.txt_lookup(format!("{name}.")).await {
            Ok(found) => found,
            Err(why) if why.is_no_records_found() => return Ok(Said::Nothing),
            Err(why) => return Err(DnsFault::Silent(why.to_string().into())),
        };
        let mut records = Vec::new();
        for record in found.answers().iter().take(RECORDS_MAX) {
            let RData::TXT(text) = &record.data else {
                continue;
            };
            let text = text.txt_data.concat();
            let text = String::from_utf8_lossy(&text);
            if is_of(&text, begins) {
                records.push(text.into());
            }
        }
        Ok(match (records.pop(), records.len()) {
            (None, _) => Said::Nothing,
            (Some(record), 0) => Said::Record(record),
            (Some(_), others) => Said::Several(others + 1),
        })
    }
}

/// Whether a record begins with a word: what follows is its end, a space or a semicolon.
fn is_of(record: &str, word: &str) -> bool {
    let record = record.trim_start();
    let head = record.get(..word.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(word))
        && record[word.len()..]
            .chars()
            .next()
            .is_none_or(|next| next == ' ' || next == ';')
}

/// A tag of a record such as `v=DMARC1; p=none`.
pub fn tag<'r>(record: &'r str, name: &str) -> Option<&'r str> {
    let tags = record.split(';').filter_map(|tag| tag.split_once('='));
    let mut found = tags.filter(|(tag, _)| tag.trim().eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_known_by_its_first_word() {
        assert!(is_of("v=spf1 -all", "v=spf1"));
        assert!(is_of("V=DMARC1;p=none", "v=DMARC1"));
        assert!(!is_of("v=spf10 -all", "v=spf1"));
        assert!(!is_of("google-site-verification=v=spf1", "v=spf1"));
        assert!(!is_of("", "v=spf1"));
    }

    #[test]
    fn tags_are_found_with_and_without_spaces() {
        assert_eq!(tag("v=DMARC1; p=reject;rua=x", "p"), Some("reject"));
        assert_eq!(tag("v=DKIM1;k=rsa; p=MIIB==", "P"), Some("MIIB=="));
        assert_eq!(tag("v=DMARC1", "p"), None);
    }
}
