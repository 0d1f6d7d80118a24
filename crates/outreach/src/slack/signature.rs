//! Whether a request really comes from Slack: signed with the app's secret, and lately.

use crate::Secret;
use ring::hmac;
use std::time::Duration;

/// How old a request may be, and how far ahead its clock.
pub const SIGNATURE_AGE_MAX: Duration = Duration::from_secs(5 * 60);

/// Why a request is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// Its time is missing or no number.
    #[error("the request does not say when it was made")]
    Time,
    /// Its time is too far from ours.
    #[error("the request is older than five minutes")]
    Old,
    /// Its signature is not ours.
    #[error("the request's signature is wrong")]
    Signature,
}

/// Checks `X-Slack-Signature` over `X-Slack-Request-Timestamp` and the body; `now` in seconds since 1970.
pub fn verify(
    secret: &Secret,
    (timestamp, signature): (&str, &str),
    body: &[u8],
    now: i64,
) -> Result<(), Unverified> {
    let at: i64 = timestamp.parse().map_err(|_| Unverified::Time)?;
    if now.abs_diff(at) > SIGNATURE_AGE_MAX.as_secs() {
        return Err(Unverified::Old);
    }
    let given = signature.strip_prefix("v0=").and_then(hex);
    let given = given.ok_or(Unverified::Signature)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let mut signed = format!("v0:{timestamp}:").into_bytes();
    signed.extend_from_slice(body);
    // In constant time.
    hmac::verify(&key, &signed, &given).map_err(|_| Unverified::Signature)
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|it| u8::try_from(it).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    Some(digits.chunks(2).map(|two| two[0] << 4 | two[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_531_420_618;
    /// The example of Slack's own manual.
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const BODY: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    #[test]
    fn only_what_slack_signed_lately_is_believed() {
        let secret = Secret::new(SECRET);
        let at = AT.to_string();
        let check = |timestamp: &str, signature: &str, body: &[u8], now: i64| {
            verify(&secret, (timestamp, signature), body, now)
        };
        assert_eq!(check(&at, SIGNATURE, BODY, AT), Ok(()));
        assert_eq!(check(&at, SIGNATURE, BODY, AT + 300), Ok(()));
        assert_eq!(check(&at, SIGNATURE, BODY, AT - 300), Ok(()));
        assert_eq!(check(&at, SIGNATURE, BODY, AT + 301), Err(Unverified::Old));
        assert_eq!(check(&at, SIGNATURE, BODY, AT - 301), Err(Unverified::Old));
        assert_eq!(check("now", SIGNATURE, BODY, AT), Err(Unverified::Time));
        let wrong = Err(Unverified::Signature);
        assert_eq!(check(&(AT + 1).to_string(), SIGNATURE, BODY, AT), wrong);
        assert_eq!(check(&at, SIGNATURE, &BODY[1..], AT), wrong);
        assert_eq!(check(&at, &SIGNATURE[3..], BODY, AT), wrong);
        assert_eq!(check(&at, &SIGNATURE[..66], BODY, AT), wrong);
        assert_eq!(check(&at, &SIGNATURE.replace('a', "b"), BODY, AT), wrong);
        assert_eq!(check(&at, "v0=é", BODY, AT), wrong);
        assert_eq!(check(&at, "", BODY, AT), wrong);
        for at_byte in 0..BODY.len() {
            let mut body = BODY.to_vec();
            body[at_byte] ^= 1;
            assert_eq!(check(&at, SIGNATURE, &body, AT), wrong, "{at_byte}");
        }
    }
}
