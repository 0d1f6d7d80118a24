//! The addresses we write to: stricter than the standards, so that nothing but an address can pass.

use std::fmt;

/// The most bytes of an address.
const ADDRESS_BYTES_MAX: usize = 254;
/// The most bytes before the `@`.
const LOCAL_BYTES_MAX: usize = 64;
/// The most bytes of a label of the domain.
const LABEL_BYTES_MAX: usize = 63;

/// What is wrong with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// No `@`, or more than one.
    #[error("it has not exactly one `@`")]
    At,
    /// Longer than addresses may be.
    #[error("it is too long")]
    TooLong,
    /// The part before the `@`.
    #[error("the part before the `@` has signs that we do not write to")]
    Local,
    /// The part before the `@` is not ASCII.
    #[error("the part before the `@` is not ASCII")]
    NotAscii,
    /// The domain is no name of a host on the internet.
    #[error("the domain is not a host name with a dot")]
    Domain,
    /// An IP address or `localhost` instead of a domain.
    #[error("it leads to an IP address or to this machine")]
    Literal,
}

/// An address that passed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    text: Box<str>,
    at: usize,
}

impl Address {
    /// Checks `text`; the domain is written in ASCII (IDNA), in small letters.
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        if text.len() > ADDRESS_BYTES_MAX * 4 {
            return Err(AddressFault::TooLong);
        }
        let (local, domain) = text.split_once('@').ok_or(AddressFault::At)?;
        if domain.contains('@') {
            return Err(AddressFault::At);
        }
        check_local(local)?;
        let domain = domain_of(domain)?;
        let text = format!("{local}@{domain}");
        if text.len() > ADDRESS_BYTES_MAX {
            return Err(AddressFault::TooLong);
        }
        Ok(Self {
            at: local.len(),
            text: text.into(),
        })
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the `@`.
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    /// What stands after it.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.text)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Words joined by dots, of the signs that need no quotes.
fn check_local(local: &str) -> Result<(), AddressFault> {
    if local.len() > LOCAL_BYTES_MAX {
        return Err(AddressFault::TooLong);
    }
    if !local.is_ascii() {
        return Err(AddressFault::NotAscii);
    }
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    if local.split('.').all(is_word) {
        Ok(())
    } else {
        Err(AddressFault::Local)
    }
}

/// The domain in ASCII.
fn domain_of(domain: &str) -> Result<String, AddressFault> {
    if domain.starts_with('[') || domain.contains(':') {
        return Err(AddressFault::Literal);
    }
    let is_plain = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if domain.len() > ADDRESS_BYTES_MAX * 4 || !domain.chars().all(is_plain) {
        return Err(AddressFault::Domain);
    }
    let ascii = match url::Host::parse(domain) {
        Ok(url::Host::Domain(ascii)) => ascii,
        Ok(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => return Err(AddressFault::Literal),
        Err(_) => return Err(AddressFault::Domain),
    };
    if ascii == "localhost" || ascii.ends_with(".localhost") {
        return Err(AddressFault::Literal);
    }
    let labels: Vec<&str> = ascii.split('.').collect();
    if labels.len() >= 2 && labels.iter().all(|label| is_label(label)) {
        Ok(ascii)
    } else {
        Err(AddressFault::Domain)
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= LABEL_BYTES_MAX
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_addresses_pass() {
        for (from, to) in [
            ("a@b.example", "a@b.example"),
            (
                "Taro.Yamada+cs@Daichi.Example",
                "Taro.Yamada+cs@daichi.example",
            ),
            ("info@例え.example", "info@xn--r8jz45g.example"),
        ] {
            assert_eq!(
                Address::parse(from).map(|it| it.as_str().to_owned()),
                Ok(to.to_owned())
            );
        }
    }

    #[test]
    fn everything_else_has_a_name() {
        let long = format!("{}@b.example", "a".repeat(65));
        for (text, fault) in [
            ("", AddressFault::At),
            ("a", AddressFault::At),
            ("a@b@c.example", AddressFault::At),
            ("a\r\n@b.example", AddressFault::Local),
            ("a b@b.example", AddressFault::Local),
            ("\"a b\"@b.example", AddressFault::Local),
            (".a@b.example", AddressFault::Local),
            ("a..b@b.example", AddressFault::Local),
            ("<a@b.example>", AddressFault::Local),
            ("@b.example", AddressFault::Local),
            ("太郎@b.example", AddressFault::NotAscii),
            ("a@b.example>\r\nRCPT TO:<x@y.example", AddressFault::At),
            ("a@b.example\r\nDATA", AddressFault::Domain),
            ("a@b.example NOTIFY=NEVER", AddressFault::Domain),
            ("a@localhost", AddressFault::Literal),
            ("a@x.localhost", AddressFault::Literal),
            ("a@127.0.0.1", AddressFault::Literal),
            ("a@0x7f.1", AddressFault::Literal),
            ("a@[127.0.0.1]", AddressFault::Literal),
            ("a@[IPv6:::1]", AddressFault::Literal),
            ("a@example", AddressFault::Domain),
            ("a@b..example", AddressFault::Domain),
            ("a@-b.example", AddressFault::Domain),
            ("a@b.example.", AddressFault::Domain),
            ("a@b_c.example", AddressFault::Domain),
            (long.as_str(), AddressFault::TooLong),
        ] {
            assert_eq!(Address::parse(text), Err(fault), "{text:?}");
        }
    }
}
