//! Addresses that mail comes back to. Each carries a message's id, sealed: who does not hold the mail can't make one.

use crate::shared::Shared;
use ingest::mail::{self, Purpose};
use model::MessageId;
use outreach::mail::Address;
use outreach::seal::{Seal, Use};
use store::Failure;

/// What every id of a message begins with.
const PREFIX: &str = "m_";
/// Letters behind it: 130 bits in base32.
const LETTERS_MAX: usize = 26;
/// Bytes of the id and the purpose together.
const BYTES: usize = 17;
/// The purpose stands in the bits that the id leaves free.
const REPLY: u8 = 1;
const BOUNCE: u8 = 0;
const FREE_BITS: u32 = 6;
/// The local part to which complaints are sent.
const COMPLAINTS: &str = "complaints";

/// Whose message a mail is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// It proves this one.
    Message(MessageId),
    /// It proves none.
    Nobody,
}

/// Makes and knows our addresses.
#[derive(Clone, Copy)]
pub(crate) struct Returns<'s> {
    shared: &'s Shared,
}

impl<'s> Returns<'s> {
    pub(crate) fn of(shared: &'s Shared) -> Self {
        Self { shared }
    }

    fn domain(&self) -> Option<&'s str> {
        self.shared
            .config
            .bounces
            .as_ref()
            .map(|bounces| &*bounces.domain)
    }

    /// The address for what comes back of a message; none where the settings name no domain for it.
    pub(crate) async fn address(
        &self,
        message: &MessageId,
        purpose: Purpose,
    ) -> Result<Option<Address>, Failure> {
        let (Some(domain), Some(payload)) = (self.domain(), packed(message, purpose)) else {
            return Ok(None);
        };
        let seal = self.shared.seals.present().await?;
        Ok(written(&seal, &payload, (purpose, domain)))
    }

    /// The address for complaints; none where the settings name no domain for it.
    pub(crate) fn complaints(&self) -> Option<Address> {
        Address::parse(&format!("{COMPLAINTS}@{}", self.domain()?)).ok()
    }

    /// The message that one of these addresses proves, for this purpose and no other.
    pub(crate) async fn whose(
        &self,
        addresses: &[Box<str>],
        purpose: Purpose,
    ) -> Result<Whose, Failure> {
        let Some(domain) = self.domain() else {
            return Ok(Whose::Nobody);
        };
        let tokens = addresses
            .iter()
            .filter_map(|address| mail::token(address, domain));
        for token in tokens.filter(|token| token.purpose == purpose) {
            let opened = self
                .shared
                .seals
                .open_local(Use::Bounce, &token.token)
                .await?;
            let message = opened.and_then(|payload| unpacked(&payload));
            if let Some((message, _)) = message.filter(|(_, of)| *of == purpose) {
                return Ok(Whose::Message(message));
            }
        }
        Ok(Whose::Nobody)
    }

    /// Whether mail to this address is ours to take.
    pub(crate) async fn takes(&self, address: &str) -> Result<bool, Failure> {
        let address = [Box::from(address)];
        for purpose in [Purpose::Bounce, Purpose::Reply] {
            if self.whose(&address, purpose).await? != Whose::Nobody {
                return Ok(true);
            }
        }
        let parts = address[0].rsplit_once('@').zip(self.domain());
        Ok(parts.is_some_and(|((local, at), domain)| {
            local.eq_ignore_ascii_case(COMPLAINTS) && at.eq_ignore_ascii_case(domain)
        }))
    }
}

fn written(seal: &Seal, payload: &[u8], (purpose, domain): (Purpose, &str)) -> Option<Address> {
    let token = seal.sign_local(Use::Bounce, payload).ok()?;
    let prefix = match purpose {
        Purpose::Bounce => "bounce",
        Purpose::Reply => "reply",
    };
    Address::parse(&format!("{prefix}+{token}@{domain}")).ok()
}

/// The message that a Message-ID of ours names; none for another's.
pub(crate) fn of_message_id(id: &str) -> Option<MessageId> {
    let (letters, _) = id.split_once('@')?;
    let letters = letters.to_ascii_lowercase();
    let is_ours = letters.len() == LETTERS_MAX && letters.bytes().all(|byte| value(byte).is_some());
    is_ours.then(|| MessageId::new(format!("{PREFIX}{letters}")))
}

fn value(letter: u8) -> Option<u8> {
    match letter {
        b'a'..=b'z' => Some(letter - b'a'),
        b'2'..=b'7' => Some(letter - b'2' + 26),
        _ => None,
    }
}

/// The id's 130 bits, then the purpose. None for an id that is not made so.
pub(crate) fn packed(message: &MessageId, purpose: Purpose) -> Option<[u8; BYTES]> {
    let letters = message.as_str().strip_prefix(PREFIX)?;
    if letters.len() != LETTERS_MAX {
        return None;
    }
    let mut bytes = [0; BYTES];
    for (index, letter) in letters.bytes().enumerate() {
        let value = value(letter)?;
        for bit in 0..5 {
            let at = index * 5 + bit;
            bytes[at / 8] |= (value >> (4 - bit) & 1) << (7 - at % 8);
        }
    }
    bytes[BYTES - 1] |= match purpose {
        Purpose::Bounce => BOUNCE,
        Purpose::Reply => REPLY,
    };
    Some(bytes)
}

/// The message and the purpose of these bytes.
pub(crate) fn unpacked(payload: &[u8]) -> Option<(MessageId, Purpose)> {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let bytes: [u8; BYTES] = payload.try_into().ok()?;
    let purpose = match bytes[BYTES - 1] & ((1 << FREE_BITS) - 1) {
        BOUNCE => Purpose::Bounce,
        REPLY => Purpose::Reply,
        _ => return None,
    };
    let mut id = PREFIX.to_owned();
    for index in 0..LETTERS_MAX {
        let mut value = 0_u8;
        for bit in 0..5 {
            let at = index * 5 + bit;
            value = value << 1 | (bytes[at / 8] >> (7 - at % 8) & 1);
        }
        id.push(char::from(ALPHABET[usize::from(value)]));
    }
    Some((MessageId::new(id), purpose))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_and_its_purpose_come_back_from_their_bytes() {
        for n in 0..1_000 {
            let message = MessageId::of(&[&n.to_string()]);
            for purpose in [Purpose::Bounce, Purpose::Reply] {
                let bytes = packed(&message, purpose).expect("it is made so");
                assert_eq!(unpacked(&bytes), Some((message.clone(), purpose)));
            }
        }
        for other in [
            "m_1",
            "r_abcdefghijklmnopqrstuvwxyz",
            "m_ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        ] {
            assert_eq!(
                packed(&MessageId::new(other), Purpose::Bounce),
                None,
                "{other}"
            );
        }
        assert_eq!(unpacked(&[0; 16]), None);
        assert_eq!(unpacked(&[255; 17]), None);
    }
}
