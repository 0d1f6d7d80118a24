//! Leaving: the ticket that a link to unsubscribe carries. It is good for ever, whatever was deleted since, so it holds all
//! that is needed.

use crate::shared::Shared;
use model::message::{Channel, Content};
use model::{AccountId, Outgoing, Purpose};
use outreach::seal::{SealFault, Use};
use store::{AddressKey, Failure, Person};

/// The version of a ticket's form; one that was sent out is read for ever.
const VERSION: u8 = 1;

/// Who may leave what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// The address.
    pub(crate) key: AddressKey,
    /// The topic of the mail.
    pub(crate) topic: Box<str>,
    /// The mail.
    pub(crate) message: Box<str>,
    /// Its language.
    pub(crate) locale: Box<str>,
    /// The account, and the contact there; none where their ids are too long for a link.
    pub(crate) person: Option<Person>,
}

/// Why a mail gets no link.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// It can't be signed.
    #[error("the link to unsubscribe can't be made: {0}")]
    Seal(#[from] SealFault),
}

impl Ticket {
    /// The ticket of a mail; none where nothing can be left.
    pub(crate) fn of(outgoing: &Outgoing, key: AddressKey) -> Option<Self> {
        let Channel::Email { contact, .. } = &outgoing.channel else {
            return None;
        };
        match outgoing.purpose {
            Some(Purpose::Service | Purpose::Promotional) => {}
            Some(Purpose::Contractual) | None => return None,
        }
        Some(Self {
            key,
            topic: outgoing.topic.clone()?,
            message: outgoing.message.as_str().into(),
            locale: locale(outgoing).into(),
            person: Some(Person {
                account: outgoing.account.clone(),
                contact: contact.clone(),
            }),
        })
    }

    /// Its bytes: the version, the key, then each text with its length before it.
    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend(self.key.0);
        let person = self.person.as_ref();
        let account = person.map_or("", |person| person.account.as_str());
        let contact = person.map_or("", |person| &*person.contact);
        for text in [
            &*self.topic,
            &*self.message,
            &*self.locale,
            account,
            contact,
        ] {
            let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
            bytes.extend(length.to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        if *version != VERSION {
            return None;
        }
        let (key, mut rest) = rest.split_first_chunk::<32>()?;
        let mut text = || {
            let (length, after) = rest.split_first_chunk::<2>()?;
            let (text, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
            rest = after;
            std::str::from_utf8(text).ok().map(Box::<str>::from)
        };
        let (topic, message, locale) = (text()?, text()?, text()?);
        let (account, contact) = (text()?, text()?);
        let is_known = !account.is_empty();
        Some(Self {
            key: AddressKey(*key),
            topic,
            message,
            locale,
            person: is_known.then(|| Person {
                account: AccountId::new(account),
                contact,
            }),
        })
    }

    /// Signs it for a link.
    pub(crate) async fn sign(&self, shared: &Shared) -> Result<String, LinkError> {
        let seal = shared.seals.present().await?;
        match seal.sign(Use::Unsubscribe, &self.encode()) {
            Ok(token) => Ok(token),
            Err(SealFault::TooLong(_)) => {
                let nameless = Self {
                    person: None,
                    ..self.clone()
                };
                Ok(seal.sign(Use::Unsubscribe, &nameless.encode())?)
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// Opens what [`Self::sign`] made; none if it is not ours.
    pub(crate) async fn open(shared: &Shared, token: &str) -> Result<Option<Self>, Failure> {
        let payload = shared.seals.open(Use::Unsubscribe, token).await?;
        Ok(payload.as_deref().and_then(Self::decode))
    }
}

/// The locale that a message was decided in.
pub(crate) fn locale(outgoing: &Outgoing) -> &str {
    match &outgoing.content {
        Content::Template { locale, .. } | Content::Ask { locale, .. } => locale,
        Content::Text(_)
        | Content::Nobody { .. }
        | Content::Complained { .. }
        | Content::Task { .. }
        | Content::Webhook => "en",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket() -> Ticket {
        Ticket {
            key: AddressKey([7; 32]),
            topic: "tips".into(),
            message: "m_abc".into(),
            locale: "ja".into(),
            person: Some(Person {
                account: AccountId::new("アクメ"),
                contact: "p-1".into(),
            }),
        }
    }

    #[test]
    fn a_ticket_is_read_back_and_half_a_ticket_is_none() {
        let bytes = ticket().encode();
        assert_eq!(Ticket::decode(&bytes), Some(ticket()));
        for end in 0..bytes.len() {
            assert_eq!(Ticket::decode(&bytes[..end]), None, "{end}");
        }
        let nameless = Ticket {
            person: None,
            ..ticket()
        };
        assert_eq!(Ticket::decode(&nameless.encode()), Some(nameless));
    }

    #[test]
    fn a_ticket_that_was_sent_out_is_read_for_ever() {
        let mut golden = vec![1];
        golden.extend([7; 32]);
        golden.extend(
            b"\0\x04tips\0\x05m_abc\0\x02ja\0\x09\xe3\x82\xa2\xe3\x82\xaf\xe3\x83\xa1\0\x03p-1",
        );
        assert_eq!(Ticket::decode(&golden), Some(ticket()));
    }
}
