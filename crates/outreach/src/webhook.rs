//! Calls of somebody else's server, signed as Standard Webhooks has it.
//!
//! A call carries the message's id, so whoever is called knows one that comes again. Therefore a call whose fate is
//! not known is made again: at least once, where mail and Slack are at most once.

use crate::egress::{Call, Cut, Egress, RETRY_AFTER_MAX};
use crate::{Fate, Phase, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use std::time::Duration;

/// The bytes that a key has at least, and at most.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// What stands before a key.
const KEY_MARK: &str = "whsec_";
/// The waits after the first, second … attempt. After the last attempt nothing is tried any more.
pub const WAITS: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3_600),
    Duration::from_secs(5 * 3_600),
    Duration::from_secs(10 * 3_600),
    Duration::from_secs(14 * 3_600),
    Duration::from_secs(20 * 3_600),
    Duration::from_secs(24 * 3_600),
];

/// Why a key can't be used. It is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key of a webhook is `whsec_` and 24 to 64 bytes in base64")]
pub struct KeyFault;

/// What calls are signed with.
#[derive(Clone, Debug)]
pub struct Key(hmac::Key);

impl Key {
    /// Reads `whsec_…`.
    pub fn new(secret: &Secret) -> Result<Self, KeyFault> {
        let text = secret.expose().trim();
        let text = text.strip_prefix(KEY_MARK).ok_or(KeyFault)?;
        let bytes = STANDARD.decode(text).map_err(|_| KeyFault)?;
        if !KEY_BYTES.contains(&bytes.len()) {
            return Err(KeyFault);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The signature of one call.
    fn sign(&self, signed: &[u8]) -> String {
        format!("v1,{}", STANDARD.encode(hmac::sign(&self.0, signed)))
    }
}

/// What is called.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// Where.
    pub url: &'a str,
    /// The message's id, the same at every attempt.
    pub id: &'a str,
    /// When this attempt is made, in seconds since 1970.
    pub at: i64,
    /// What it says, as JSON.
    pub body: &'a str,
    /// The keys to sign with: the present one, and while keys change the one before. None: it is not signed.
    pub keys: &'a [Key],
}

/// Calls once.
pub async fn call(egress: &Egress, letter: Letter<'_>) -> Fate {
    let called = Call {
        headers: headers(letter),
        content_type: "application/json",
        body: letter.body.as_bytes().to_vec(),
    };
    let answer = match egress.call(letter.url, &called).await {
        Ok(answer) => answer,
        Err(Cut::Barred(barred)) => return Fate::cut(Phase::Connect, barred.to_string()),
        Err(Cut::NotConnected(why)) => return Fate::cut(Phase::Connect, why),
        Err(Cut::Broken(why)) => return Fate::cut(Phase::Body, why),
    };
    let (code, phase) = (answer.status, Phase::Answer);
    match code {
        200..=299 => Fate::Sent {
            reply: code.to_string().into(),
            refused_copies: Vec::new(),
        },
        // Gone for good, and says so.
        410 => Fate::Refused {
            phase,
            code,
            text: "the endpoint is gone".into(),
            recipient: None,
        },
        // What its body says is somebody else's, and stays there.
        _ => Fate::Deferred {
            phase,
            code,
            text: "".into(),
            retry_after: answer.retry_after,
        },
    }
}

fn headers(letter: Letter<'_>) -> Vec<(&'static str, String)> {
    let Letter { id, at, body, .. } = letter;
    let mut headers = vec![
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", at.to_string()),
    ];
    if !letter.keys.is_empty() {
        let signed = format!("{id}.{at}.{body}");
        let all = letter.keys.iter().map(|key| key.sign(signed.as_bytes()));
        headers.push(("webhook-signature", all.collect::<Vec<_>>().join(" ")));
    }
    headers
}

/// The wait after attempt number `attempt` (the first is 1), up to a fifth longer than the schedule says, or as long
/// as the other side asks; none: it was the last.
pub fn wait(key: &str, attempt: u32, asked: Option<Duration>) -> Option<Duration> {
    let index = usize::try_from(attempt.saturating_sub(1)).ok()?;
    let base = *WAITS.get(index)?;
    let own = crate::backoff::spread(base, key, attempt);
    Some(asked.map_or(own, |asked| own.max(asked.min(RETRY_AFTER_MAX))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Result<Key, KeyFault> {
        Key::new(&Secret::new(text))
    }

    #[test]
    fn a_call_is_signed_as_the_standard_has_it() {
        // The example of the standard's own libraries.
        let keys = [key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a key")];
        let letter = Letter {
            url: "",
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at: 1_614_265_330,
            body: "{\"test\": 2432232314}",
            keys: &keys,
        };
        let headers = headers(letter);
        assert_eq!(
            headers[2].1,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        let both = [keys[0].clone(), keys[0].clone()];
        let twice = super::headers(Letter {
            keys: &both,
            ..letter
        });
        assert_eq!(twice[2].1.split(' ').count(), 2);
        assert_eq!(
            super::headers(Letter {
                keys: &[],
                ..letter
            })
            .len(),
            2
        );
    }

    #[test]
    fn only_a_key_of_the_standard_is_taken() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for (text, is_good) in [
            (of(24), true),
            (of(64), true),
            (of(23), false),
            (of(65), false),
            (STANDARD.encode([7; 32]), false),
            ("whsec_not base64".to_owned(), false),
            (format!(" {}\n", of(32)), true),
        ] {
            let read = key(&text);
            assert_eq!(read.is_ok(), is_good, "{text}");
        }
        let shown = format!("{:?}", key(&of(24)));
        assert!(!shown.contains("BwcH"), "{shown}");
    }

    #[test]
    fn waits_follow_the_schedule_and_what_is_asked_up_to_a_day() {
        for attempt in 1..=9_u32 {
            let base = WAITS[usize::try_from(attempt - 1).expect("small")];
            let wait = wait("m_x", attempt, None).expect("one more");
            assert!(wait >= base && wait <= base + base / 5, "{attempt}");
        }
        assert_eq!(wait("m_x", 10, None), None);
        let hour = Duration::from_secs(3_600);
        assert_eq!(wait("m_x", 1, Some(hour)), Some(hour));
        assert_eq!(wait("m_x", 1, Some(hour * 9_999)), Some(RETRY_AFTER_MAX));
    }
}
