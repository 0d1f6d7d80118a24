//! Enhanced status codes (RFC 3463), and what each asks for.

use std::fmt;

/// A code such as `5.1.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Status {
    /// 2, 4 or 5.
    pub class: u8,
    /// What it is about.
    pub subject: u16,
    /// What about it.
    pub detail: u16,
}

/// What a bounce asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// There is no such mailbox: never write to it again.
    Hard,
    /// The other side does not want us as a sender: a matter of the domain, not of the reader.
    Policy,
    /// It may pass: several in a short time ask for a pause.
    Soft,
}

impl Class {
    /// The word in facts and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Policy => "policy",
            Self::Soft => "soft",
        }
    }
}

/// Words by which servers that give no enhanced code, or a code without a meaning, say that there is no such mailbox.
const UNKNOWN_USER: [&str; 14] = [
    "user unknown",
    "unknown user",
    "no such user",
    "no such recipient",
    "no such mailbox",
    "no mailbox here by that name",
    "user doesn't have a",
    "user does not exist",
    "recipient not found",
    "recipientnotfound",
    "unknown or illegal alias",
    "account that you tried to reach does not exist",
    "address does not exist",
    "host or domain name not found",
];

impl Status {
    /// Reads a code that stands at the beginning of a text.
    pub fn parse(text: &str) -> Option<Self> {
        let code: String = text
            .trim_start()
            .chars()
            .take_while(|c| c.is_ascii_digit() || *c == '.')
            .collect();
        let mut numbers = code.split('.');
        let class = numbers.next()?.parse().ok()?;
        let (subject, detail) = (numbers.next()?, numbers.next()?);
        let is_short = |number: &str| number.len() <= 3;
        if !matches!(class, 2 | 4 | 5)
            || !is_short(subject)
            || !is_short(detail)
            || numbers.next().is_some()
        {
            return None;
        }
        Some(Self {
            class,
            subject: subject.parse().ok()?,
            detail: detail.parse().ok()?,
        })
    }

    /// The first code inside a text: not a part of an address or of another number.
    pub fn find(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let starts = text.match_indices(['4', '5']).map(|(at, _)| at);
        starts
            .filter(|at| {
                *at == 0 || !matches!(bytes[at - 1], b'0'..=b'9' | b'.' | b'a'..=b'z' | b'A'..=b'Z')
            })
            .filter(|at| bytes.get(at + 1) == Some(&b'.'))
            .find_map(|at| Self::parse(&text[at..]))
    }

    /// What it asks for by itself.
    pub fn asks(self) -> Class {
        match (self.class, self.subject, self.detail) {
            (5, 1, 1 | 2 | 3 | 6 | 10) | (5, 2, 1) => Class::Hard,
            (5, 7, _) => Class::Policy,
            _ => Class::Soft,
        }
    }

    /// Whether it says anything beside its class.
    fn is_vague(self) -> bool {
        matches!((self.subject, self.detail), (0 | 5, _))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// The code and the class of a refusal, from the status that was stated and the words of the server.
pub(crate) fn judge(stated: Option<Status>, words: &str) -> Option<(Status, Class)> {
    let said = Status::find(words);
    // The server's own code is nearer to the matter than a vague one of the relay.
    let status = match (stated, said) {
        (Some(stated), Some(said)) if stated.is_vague() && said.class == stated.class => said,
        (Some(stated), _) => stated,
        (None, Some(said)) => said,
        (None, None) => basic(words)?,
    };
    if status.class == 2 {
        return None;
    }
    let small = words.to_lowercase();
    let is_unknown_user = status.class == 5
        && status.is_vague()
        && UNKNOWN_USER.iter().any(|word| small.contains(word));
    let class = if is_unknown_user {
        Class::Hard
    } else {
        status.asks()
    };
    Some((status, class))
}

/// The class and code of an SMTP reply that refuses, such as `550 5.1.1 no such user`.
pub fn of_reply(code: u16, words: &str) -> Option<(Status, Class)> {
    let stated = matches!(code / 100, 4 | 5).then_some(Status {
        class: u8::try_from(code / 100).unwrap_or(5),
        subject: 0,
        detail: 0,
    });
    judge(stated, words)
}

/// A three-digit reply code in the text, as a status that says no more than its class.
fn basic(words: &str) -> Option<Status> {
    let bytes = words.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let code = (0..bytes.len()).find(|at| {
        let before = *at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'.');
        let after = matches!(bytes.get(at + 3), Some(b' ' | b'-') | None);
        before && after && matches!(bytes[*at], b'4' | b'5') && is_digit(at + 1) && is_digit(at + 2)
    })?;
    Some(Status {
        class: bytes[code] - b'0',
        subject: 0,
        detail: 0,
    })
}
