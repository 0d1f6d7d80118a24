//! Signs mails (RFC 6376, RFC 8463), for those whose relay does not.
//!
//! What is signed is chosen here: whoever changes the sender, the recipients, the subject or how to leave on the way
//! breaks the signature, and a second `From` does too.

use crate::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ring::digest::{Context, Digest, SHA256, digest};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair as RsaKeyPair;
use ring::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

/// The headers that are signed, where the mail has them; `From` once more than it stands there, so that none can be added.
const SIGNED: [&str; 15] = [
    "From",
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    // Providers take these from signed mails only.
    "CFBL-Address",
    "Feedback-ID",
];
/// Bits of an RSA key, at least: fewer are refused by receivers, and by `ring`.
const RSA_BITS_MIN: usize = 2_048;
/// How many characters of the signature stand on a line.
const LINE_CHARS: usize = 72;
/// What a public RSA key begins with: a sequence of the algorithm's name and nothing.
const RSA_NAME: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// Why a key can't sign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DkimFault {
    /// It is no private key in PEM.
    #[error("it is no private key in PEM, as `openssl genpkey -algorithm ed25519` writes one")]
    Pem,
    /// Neither RSA of at least 2048 bits nor Ed25519.
    #[error("the key is neither RSA of 2048 to 4096 bits nor Ed25519: {0}")]
    Key(Box<str>),
    /// The domain or the selector is no name.
    #[error("`{0}` is no name in the DNS")]
    Name(Box<str>),
}

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

/// Signs for one domain with one key.
pub struct Signer {
    domain: Box<str>,
    selector: Box<str>,
    key: Key,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({}._domainkey.{})", self.selector, self.domain)
    }
}

/// The signature could not be made; a fault of ours, or a machine without chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mail could not be signed")]
pub struct NotSigned;

impl Signer {
    /// A signer whose public key stands at `selector._domainkey.domain`.
    pub fn new(domain: &str, selector: &str, pem: &Secret) -> Result<Self, DkimFault> {
        for name in [domain, selector] {
            if !is_name(name) {
                return Err(DkimFault::Name(name.into()));
            }
        }
        let der = PrivateKeyDer::from_pem_slice(pem.expose().as_bytes());
        let der = der.map_err(|_| DkimFault::Pem)?;
        Ok(Self {
            domain: domain.to_ascii_lowercase().into(),
            selector: selector.into(),
            key: key(&der)?,
        })
    }

    /// Whether a mail from `domain` is ours to sign: the domain itself, or one below it.
    pub fn is_of(&self, domain: &str) -> bool {
        let above = domain.strip_suffix(&*self.domain);
        above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
    }

    /// The name and the text of the TXT record that the DNS must have.
    pub fn record(&self) -> (String, String) {
        let (kind, public) = match &self.key {
            Key::Rsa(pair) => ("rsa", subject_public_key(pair.public_key().as_ref())),
            Key::Ed25519(pair) => ("ed25519", pair.public_key().as_ref().to_vec()),
        };
        (
            format!("{}._domainkey.{}", self.selector, self.domain),
            format!("v=DKIM1; k={kind}; p={}", STANDARD.encode(public)),
        )
    }

    /// The header that signs `message`, with its line's end, to be put in front of it.
    pub fn sign(&self, message: &[u8], at: Timestamp) -> Result<String, NotSigned> {
        let text = String::from_utf8_lossy(message);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&*text, ""));
        let headers = headers(head);
        let (names, signed) = chosen(&headers);
        let body_hash = STANDARD.encode(body_hash(body));
        let algorithm = match &self.key {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        };
        let header = format!(
            "DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed; d={};\r\n s={}; t={};\r\n h={};\r\n bh={body_hash};\r\n b=",
            self.domain,
            self.selector,
            at.as_second(),
            names.join(":\r\n  "),
        );
        let own = header.split_once(':').map_or("", |(_, value)| value);
        let data = format!("{signed}{}", relaxed_header("DKIM-Signature", own));
        let signature = self.signature(data.as_bytes())?;
        Ok(format!(
            "{header}{}\r\n",
            folded(&STANDARD.encode(signature))
        ))
    }

    fn signature(&self, data: &[u8]) -> Result<Vec<u8>, NotSigned> {
        match &self.key {
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    data,
                    &mut signature,
                )
                .map_err(|_| NotSigned)?;
                Ok(signature)
            }
            Key::Ed25519(pair) => {
                let hash = digest(&SHA256, data);
                Ok(pair.sign(hash.as_ref()).as_ref().to_vec())
            }
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "there may come more kinds of keys; what is not known is refused"
)]
fn key(der: &PrivateKeyDer<'_>) -> Result<Key, DkimFault> {
    let refused = |error: ring::error::KeyRejected| DkimFault::Key(error.to_string().into());
    let rsa = |pair: RsaKeyPair| match pair.public().modulus_len() * 8 {
        bits if bits < RSA_BITS_MIN => Err(DkimFault::Key(format!("it has {bits} bits").into())),
        _ => Ok(Key::Rsa(Box::new(pair))),
    };
    match der {
        PrivateKeyDer::Pkcs1(der) => {
            rsa(RsaKeyPair::from_der(der.secret_pkcs1_der()).map_err(refused)?)
        }
        PrivateKeyDer::Pkcs8(der) => {
            let der = der.secret_pkcs8_der();
            match Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
                Ok(pair) => Ok(Key::Ed25519(pair)),
                Err(_) => rsa(RsaKeyPair::from_pkcs8(der).map_err(refused)?),
            }
        }
        _ => Err(DkimFault::Key("it is of another kind".into())),
    }
}

fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 200 && name.split('.').all(is_label)
}

/// A public RSA key as the DNS has it: its kind and itself.
fn subject_public_key(key: &[u8]) -> Vec<u8> {
    let bits = [&[0], key].concat();
    let inner = [&RSA_NAME[..], &tagged(0x03, &bits)].concat();
    tagged(0x30, &inner)
}

/// A value of DER with its kind and its length.
fn tagged(kind: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len().to_be_bytes();
    let digits: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut out = vec![kind];
    match (value.len(), u8::try_from(digits.len())) {
        (short @ 0..=127, _) => out.push(u8::try_from(short).unwrap_or_default()),
        (_, Ok(count)) => {
            out.push(0x80 | count);
            out.extend(digits);
        }
        (_, Err(_)) => {}
    }
    out.extend(value);
    out
}

/// The headers of a head, each with its folded lines.
fn headers(head: &str) -> Vec<(&str, String)> {
    let mut headers: Vec<(&str, String)> = Vec::new();
    for line in head.split("\r\n") {
        match headers.last_mut() {
            Some((_, value)) if line.starts_with([' ', '\t']) => value.push_str(line),
            _ => headers.extend(
                line.split_once(':')
                    .map(|(name, value)| (name, value.to_owned())),
            ),
        }
    }
    headers
}

/// The names to sign, and the headers as they are signed: of several the last one first, one that is not there as nothing.
fn chosen(headers: &[(&str, String)]) -> (Vec<&'static str>, String) {
    let mut names = Vec::new();
    let mut signed = String::new();
    let mut used: Vec<usize> = Vec::new();
    for name in SIGNED {
        let found = headers
            .iter()
            .enumerate()
            .rev()
            .find(|(at, (known, _))| known.eq_ignore_ascii_case(name) && !used.contains(at));
        match found {
            Some((at, (_, value))) => {
                used.push(at);
                names.push(name);
                signed.push_str(&relaxed_header(name, value));
                signed.push_str("\r\n");
            }
            None if name == "From" => names.push(name),
            None => {}
        }
    }
    (names, signed)
}

fn relaxed_header(name: &str, value: &str) -> String {
    let words: Vec<&str> = value
        .split([' ', '\t', '\r', '\n'])
        .filter(|word| !word.is_empty())
        .collect();
    format!("{}:{}", name.to_ascii_lowercase(), words.join(" "))
}

/// The hash of a body as it is signed.
fn body_hash(body: &str) -> Digest {
    let bytes = body.as_bytes();
    let is_somewhere = |blanks: &[u8]| memchr::memmem::find(bytes, blanks).is_some();
    let is_relaxed = !bytes.contains(&b'\t')
        && !is_somewhere(b"  ")
        && !is_somewhere(b" \r\n")
        && !body.ends_with(' ');
    if !is_relaxed {
        return digest(&SHA256, relaxed_body(body).as_bytes());
    }
    // Most are as they are signed but for empty lines at their end.
    let mut context = Context::new(&SHA256);
    let lines = body.trim_end_matches("\r\n");
    if !lines.is_empty() {
        context.update(lines.as_bytes());
        context.update(b"\r\n");
    }
    context.finish()
}

/// Lines without blanks at their ends, runs of blanks as one, no empty lines at the end.
fn relaxed_body(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut empty = 0;
    for line in body.split("\r\n") {
        let line = line.trim_end_matches([' ', '\t']);
        if line.is_empty() {
            empty += 1;
            continue;
        }
        (0..empty).for_each(|_| out.push_str("\r\n"));
        empty = 0;
        relaxed_line(line, &mut out);
        out.push_str("\r\n");
    }
    out
}

/// Writes a line without blanks at its end.
fn relaxed_line(line: &str, out: &mut String) {
    let first = out.len();
    for letter in line.chars() {
        match letter {
            ' ' | '\t' if out[first..].ends_with(' ') => {}
            ' ' | '\t' => out.push(' '),
            other => out.push(other),
        }
    }
}

fn folded(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let lines: Vec<String> = letters
        .chunks(LINE_CHARS)
        .map(|line| line.iter().collect())
        .collect();
    lines.join("\r\n  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{ED25519, UnparsedPublicKey};

    /// The key of RFC 8463, appendix A, as PKCS#8.
    const ED25519_PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    const MESSAGE: &[u8] = b"From: Joe SixPack <joe@football.example.com>\r\nTo: Suzie Q <suzie@shopping.example.net>\r\nSubject: Is dinner\r\n  ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\nMessage-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\nHi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n\r\n";

    fn signer() -> Signer {
        Signer::new(
            "football.example.com",
            "brisbane",
            &Secret::new(ED25519_PEM),
        )
        .expect("a key")
    }

    fn at() -> Timestamp {
        Timestamp::from_second(1_528_637_909).expect("an instant")
    }

    #[test]
    fn the_record_is_that_of_the_standard() {
        let (name, text) = signer().record();
        assert_eq!(name, "brisbane._domainkey.football.example.com");
        assert_eq!(
            text,
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        );
    }

    #[test]
    fn the_body_is_hashed_as_the_standard_has_it() {
        let header = signer().sign(MESSAGE, at()).expect("a signature");
        assert!(
            header.contains(" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;"),
            "{header}"
        );
        assert_eq!(relaxed_body(""), "");
        assert_eq!(relaxed_body("\r\n\r\n"), "");
        assert_eq!(
            relaxed_body(" a \t b \r\n\r\nc\r\n\r\n"),
            " a b\r\n\r\nc\r\n"
        );
    }

    #[test]
    fn every_short_body_has_the_hash_of_its_relaxed_lines() {
        let mut bodies = vec![String::new()];
        let mut first = 0;
        for _ in 0..6 {
            let next = bodies.len();
            for at in first..next {
                for end in ["a", " ", "\t", "\r\n"] {
                    bodies.push(bodies[at].clone() + end);
                }
            }
            first = next;
        }
        assert_eq!(bodies.len(), 5_461);
        for body in bodies {
            let relaxed = digest(&SHA256, relaxed_body(&body).as_bytes());
            assert_eq!(body_hash(&body).as_ref(), relaxed.as_ref(), "{body:?}");
        }
    }

    /// Signed data and signature, taken apart again by other means than `sign`.
    fn taken_apart(header: &str) -> (String, Vec<u8>) {
        let (own, signature) = header.rsplit_once(" b=").expect("a signature");
        let signature: String = signature.split_whitespace().collect();
        let own = own.split_once(':').expect("a header").1;
        let own: Vec<&str> = own.split_whitespace().collect();
        let data = format!(
            "from:Joe SixPack <joe@football.example.com>\r\nto:Suzie Q <suzie@shopping.example.net>\r\n\
             subject:Is dinner ready?\r\ndate:Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n\
             message-id:<20030712040037.46341.5F8J@football.example.com>\r\ndkim-signature:{} b=",
            own.join(" ")
        );
        (data, STANDARD.decode(signature).expect("base64"))
    }

    #[test]
    fn an_ed25519_signature_holds_and_any_change_breaks_it() {
        let header = signer().sign(MESSAGE, at()).expect("a signature");
        assert!(header.lines().all(|line| line.len() < 100), "{header}");
        let (data, signature) = taken_apart(&header);
        let public = STANDARD
            .decode("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
            .expect("base64");
        let key = UnparsedPublicKey::new(&ED25519, public);
        assert!(
            key.verify(digest(&SHA256, data.as_bytes()).as_ref(), &signature)
                .is_ok(),
            "{data}"
        );
        let other = data.replace("dinner", "supper");
        assert!(
            key.verify(digest(&SHA256, other.as_bytes()).as_ref(), &signature)
                .is_err()
        );
    }

    #[test]
    fn from_is_signed_once_more_than_it_stands_there() {
        let header = signer().sign(MESSAGE, at()).expect("a signature");
        let names: String = header
            .split("h=")
            .nth(1)
            .expect("names")
            .split_whitespace()
            .collect();
        assert!(
            names.starts_with("From:From:To:Subject:Date:Message-ID;"),
            "{names}"
        );
    }

    #[test]
    fn every_header_that_says_who_writes_and_how_to_leave_is_signed() {
        let signed = [
            "From",
            "To",
            "Cc",
            "Subject",
            "Date",
            "Message-ID",
            "Reply-To",
            "MIME-Version",
            "Content-Type",
            "List-Id",
            "List-Unsubscribe",
            "List-Unsubscribe-Post",
            "CFBL-Address",
            "Feedback-ID",
        ];
        let lines = signed.map(|name| format!("{name}: x\r\n"));
        let mail = format!("{}Auto-Submitted: x\r\n\r\nbody\r\n", lines.concat());
        let header = signer().sign(mail.as_bytes(), at()).expect("a signature");
        let (_, after) = header.split_once("h=").expect("names");
        let (names, _) = after.split_once(';').expect("their end");
        let mut names: Vec<&str> = names.split(':').map(str::trim).collect();
        names.sort_unstable();
        names.dedup();
        let mut expected = signed.to_vec();
        expected.sort_unstable();
        assert_eq!(names, expected);
    }

    #[test]
    fn what_is_no_key_or_no_name_has_a_fault() {
        let pem = Secret::new(ED25519_PEM);
        for (domain, selector) in [
            ("a b", "s"),
            ("a.example", "s;x"),
            ("a.example\r\nX: y", "s"),
            ("", "s"),
        ] {
            assert!(matches!(
                Signer::new(domain, selector, &pem),
                Err(DkimFault::Name(_))
            ));
        }
        assert!(matches!(
            Signer::new("a.example", "s", &Secret::new("x")),
            Err(DkimFault::Pem)
        ));
        let odd = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert!(matches!(
            Signer::new("a.example", "s", &Secret::new(odd)),
            Err(DkimFault::Key(_))
        ));
    }

    #[test]
    fn only_its_own_domain_is_signed_for() {
        let signer = signer();
        for (domain, is_own) in [
            ("football.example.com", true),
            ("a.football.example.com", true),
            ("xfootball.example.com", false),
            ("example.com", false),
        ] {
            assert_eq!(signer.is_of(domain), is_own, "{domain}");
        }
    }
}
