//! Seals what leaves in a link or an address and comes back by a stranger's hand: unsubscribing, bounces, answers, clicks.
//!
//! A token is the key's number, the payload and the first 128 bits of an HMAC-SHA256 (RFC 2104) over the use, the number
//! and the payload; truncated as RFC 2104, section 5 allows. Keys rotate; a token of an old key is good for ever, since
//! a mail is. The payload is signed, not hidden.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

/// The most bytes of a payload.
pub const PAYLOAD_BYTES_MAX: usize = 1024;
/// Bytes of the key's number.
const NUMBER: usize = 2;
/// Bytes of the tag.
const TAG: usize = 16;
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// What a token is good for; one made for another use does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Use {
    /// A link to say no.
    Unsubscribe,
    /// An address to which bounces and replies come.
    Bounce,
    /// A link to answer an approval.
    Answer,
    /// A link whose click is counted.
    Click,
}

impl Use {
    /// What is signed with it; changing one makes every token in the world worthless.
    fn word(self) -> &'static [u8] {
        match self {
            Self::Unsubscribe => b"sottaku unsubscribe 1",
            Self::Bounce => b"sottaku bounce 1",
            Self::Answer => b"sottaku answer 1",
            Self::Click => b"sottaku click 1",
        }
    }
}

/// The keys, newest last. Neither shown nor printed.
#[derive(Clone)]
pub struct Seal {
    keys: Vec<(u16, hmac::Key)>,
}

/// Why there is no seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealFault {
    /// There is no key.
    #[error("there is no key to sign with")]
    NoKey,
    /// The payload is longer than a link may be.
    #[error("{0} bytes are more than a token holds, {PAYLOAD_BYTES_MAX}")]
    TooLong(usize),
}

/// What a token came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// It is ours, for this use.
    Payload(Vec<u8>),
    /// It names a key that is not among these: made by a newer one, or made up.
    OtherKey,
    /// It is not ours, or not for this use.
    Forged,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seal({} keys)", self.keys.len())
    }
}

impl Seal {
    /// A seal of these keys; the last one signs, all of them open.
    pub fn new(keys: impl IntoIterator<Item = (u16, [u8; 32])>) -> Result<Self, SealFault> {
        let keys: Vec<_> = keys
            .into_iter()
            .map(|(number, secret)| (number, hmac::Key::new(hmac::HMAC_SHA256, &secret)))
            .collect();
        if keys.is_empty() {
            return Err(SealFault::NoKey);
        }
        Ok(Self { keys })
    }

    /// Signs `payload` for a link: letters of base64url (RFC 4648).
    pub fn sign(&self, wanted: Use, payload: &[u8]) -> Result<String, SealFault> {
        Ok(URL_SAFE_NO_PAD.encode(self.seal(wanted, payload)?))
    }

    /// Opens what [`Self::sign`] made.
    pub fn open(&self, wanted: Use, token: &str) -> Opened {
        let bytes = (token.len() <= 2 * PAYLOAD_BYTES_MAX)
            .then(|| URL_SAFE_NO_PAD.decode(token).ok())
            .flatten();
        bytes.map_or(Opened::Forged, |bytes| self.unseal(wanted, &bytes))
    }

    /// Signs `payload` for the local part of an address: small letters of base32 (RFC 4648), which servers may
    /// turn into capitals. 17 bytes, as a message's id has, make 56 letters.
    pub fn sign_local(&self, wanted: Use, payload: &[u8]) -> Result<String, SealFault> {
        Ok(base32(&self.seal(wanted, payload)?))
    }

    /// Opens what [`Self::sign_local`] made, capitals or not.
    pub fn open_local(&self, wanted: Use, token: &str) -> Opened {
        let bytes = (token.len() <= 2 * PAYLOAD_BYTES_MAX)
            .then(|| from_base32(token))
            .flatten();
        bytes.map_or(Opened::Forged, |bytes| self.unseal(wanted, &bytes))
    }

    fn seal(&self, wanted: Use, payload: &[u8]) -> Result<Vec<u8>, SealFault> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(SealFault::TooLong(payload.len()));
        }
        let (number, key) = self.keys.last().ok_or(SealFault::NoKey)?;
        let mut bytes = number.to_be_bytes().to_vec();
        bytes.extend(payload);
        let tag = tag(key, wanted, &bytes);
        bytes.extend(&tag.as_ref()[..TAG]);
        Ok(bytes)
    }

    fn unseal(&self, wanted: Use, bytes: &[u8]) -> Opened {
        let Some((signed, said)) = bytes.split_last_chunk::<TAG>() else {
            return Opened::Forged;
        };
        let Some((number, payload)) = signed.split_first_chunk::<NUMBER>() else {
            return Opened::Forged;
        };
        let number = u16::from_be_bytes(*number);
        let Some((_, key)) = self.keys.iter().find(|(known, _)| *known == number) else {
            return Opened::OtherKey;
        };
        let right = tag(key, wanted, signed);
        // All bytes are compared, so that the time taken tells nothing of where they differ.
        let differs = right.as_ref()[..TAG].iter().zip(said);
        if differs.fold(0, |all, (a, b)| all | (a ^ b)) == 0 {
            Opened::Payload(payload.to_vec())
        } else {
            Opened::Forged
        }
    }
}

fn tag(key: &hmac::Key, wanted: Use, signed: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(wanted.word());
    context.update(&[0]);
    context.update(signed);
    context.sign()
}

fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(LETTERS[(held >> bits & 31) as usize]));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(LETTERS[(held << (5 - bits) & 31) as usize]));
    }
    text
}

/// None for other letters, and for bits left over that are not nought: one token has one spelling.
fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut held, mut bits) = (0_u32, 0);
    for letter in text.bytes() {
        let letter = letter.to_ascii_lowercase();
        let value = LETTERS.iter().position(|known| *known == letter)?;
        held = held << 5 | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    (bits < 5 && held == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(keys: &[u16]) -> Seal {
        let keys = keys.iter().map(|number| {
            (
                *number,
                [u8::try_from(*number).expect("a small number"); 32],
            )
        });
        Seal::new(keys).expect("there are keys")
    }

    #[test]
    fn what_was_sealed_opens_for_its_use_and_no_other() {
        let seal = seal(&[1]);
        let token = seal.sign(Use::Unsubscribe, b"acme p-1").expect("it fits");
        let opened = seal.open(Use::Unsubscribe, &token);
        assert_eq!(opened, Opened::Payload(b"acme p-1".to_vec()));
        for other in [Use::Bounce, Use::Answer, Use::Click] {
            assert_eq!(seal.open(other, &token), Opened::Forged);
        }
    }

    #[test]
    fn every_changed_bit_is_a_forgery() {
        let seal = seal(&[1]);
        let bytes = seal.seal(Use::Click, b"payload").expect("it fits");
        for bit in 8 * NUMBER..8 * bytes.len() {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(seal.unseal(Use::Click, &changed), Opened::Forged, "{bit}");
        }
        for length in 0..bytes.len() {
            let cut = seal.unseal(Use::Click, &bytes[..length]);
            assert_eq!(cut, Opened::Forged, "{length}");
        }
    }

    #[test]
    fn a_million_guesses_open_nothing() {
        let seal = seal(&[1, 2, 3]);
        let real = seal.seal(Use::Unsubscribe, b"acme p-1").expect("it fits");
        let mut state = 0x5eed_0005_u64;
        let mut draw = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()
        };
        let mut hits = 0;
        for guess in 0..1_000_000_u32 {
            // A right key and payload with a tag that is guessed, or with one of a real token changed in places.
            let mut bytes = real.clone();
            let at = bytes.len() - TAG;
            bytes[1] = u8::try_from(guess % 4).expect("small");
            if guess % 2 == 0 {
                bytes[at..at + 8].copy_from_slice(&draw());
                bytes[at + 8..].copy_from_slice(&draw());
            } else {
                let change = draw();
                bytes[NUMBER + usize::from(change[0]) % (at - NUMBER)] ^= change[1] | 1;
            }
            hits += u32::from(matches!(
                seal.unseal(Use::Unsubscribe, &bytes),
                Opened::Payload(_)
            ));
        }
        assert_eq!(hits, 0);
    }

    #[test]
    fn an_old_key_opens_for_ever_and_the_newest_signs() {
        let old = seal(&[1]).sign(Use::Answer, b"x").expect("it fits");
        let both = seal(&[1, 2]);
        assert_eq!(both.open(Use::Answer, &old), Opened::Payload(b"x".to_vec()));
        let new = both.sign(Use::Answer, b"x").expect("it fits");
        assert_eq!(seal(&[1]).open(Use::Answer, &new), Opened::OtherKey);
        assert_eq!(seal(&[3]).open(Use::Answer, &old), Opened::OtherKey);
        assert_eq!(Seal::new([]).err(), Some(SealFault::NoKey));
    }

    #[test]
    fn an_address_may_be_turned_into_capitals() {
        let seal = seal(&[7]);
        for length in 0..40 {
            let payload: Vec<u8> = (0..length).collect();
            let token = seal.sign_local(Use::Bounce, &payload).expect("it fits");
            let loud = seal.open_local(Use::Bounce, &token.to_uppercase());
            assert_eq!(loud, Opened::Payload(payload));
            assert!(length != 17 || token.len() == 56, "{token}");
        }
        for wrong in ["", "a", "1", "ö", "aaaa aaaa"] {
            assert_eq!(seal.open_local(Use::Bounce, wrong), Opened::Forged);
        }
    }

    #[test]
    fn a_payload_has_its_limit_and_the_key_is_not_shown() {
        let seal = seal(&[1]);
        let long = vec![0; PAYLOAD_BYTES_MAX + 1];
        assert!(seal.sign(Use::Click, &long[1..]).is_ok());
        let refused = seal.sign(Use::Click, &long);
        assert_eq!(refused, Err(SealFault::TooLong(PAYLOAD_BYTES_MAX + 1)));
        assert_eq!(format!("{seal:?}"), "Seal(1 keys)");
    }
}
