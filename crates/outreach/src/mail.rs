//! Builds the bytes of a mail. The same letter gives the same bytes, so a second attempt is the same mail.
//!
//! Header names are constants; names are cleaned of control characters, addresses are checked by our own rule; both
//! bodies are encoded, so that no bare CR or LF of a value reaches the wire.

mod address;
mod headers;

pub use address::{Address, AddressFault};

use crate::render::RenderedMail;
use jiff::Timestamp;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Mailbox as Party, MultiPart, MultiPartKind, SinglePart};
use model::{Channel, Mailbox, MessageId, Outgoing};
use std::time::SystemTime;

/// The most characters of a display name; what is longer is cut.
pub const NAME_CHARS_MAX: usize = 200;
/// The most copies of a mail.
pub const COPIES_MAX: usize = 50;
/// Below this share of plain characters base64 is shorter and as readable as quoted-printable.
const PLAIN_SHARE_MIN: usize = 2;

/// Everything a mail is made of.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// The message; its id makes the Message-ID.
    pub message: &'a MessageId,
    /// The sender; its domain stands in the Message-ID.
    pub from: &'a Mailbox,
    /// The recipient.
    pub to: &'a Mailbox,
    /// Who else gets a copy.
    pub cc: &'a [Mailbox],
    /// Where answers go, if not to the sender.
    pub reply_to: Option<&'a Mailbox>,
    /// What it says.
    pub words: &'a RenderedMail,
    /// The date it bears.
    pub at: Timestamp,
    /// Where one click, a POST without more, takes the recipient off: an https address. The mail then says so by RFC 8058.
    pub unsubscribe: Option<&'a str>,
    /// The stream it belongs to, which is its topic; with the sender's domain it makes the `List-Id`.
    pub list_id: Option<&'a str>,
    /// The workflow and the step that it comes of, by which a provider counts complaints (`Feedback-ID`); for customers only.
    pub campaign: Option<(&'a str, &'a str)>,
    /// Where the servers on the way send what they have to say of it, if not to the sender.
    pub return_path: Option<&'a Address>,
    /// Where an answer is noticed beside the sender, who gets it as ever. Not used where answers go elsewhere.
    pub replies: Option<&'a Address>,
    /// Where a reader's provider may send what it has to complain of (RFC 9477).
    pub complaints: Option<&'a Address>,
    /// The providers on the way that hand our own id back with what they tell.
    pub tags: &'a [Tag],
}

/// A provider's way to carry our own id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// Metadata of Postmark.
    Postmark,
    /// An argument of SendGrid.
    Sendgrid,
}

impl<'a> Letter<'a> {
    /// The letter that `outgoing` is, if it leaves by mail.
    pub fn of(outgoing: &'a Outgoing, words: &'a RenderedMail, at: Timestamp) -> Option<Self> {
        match &outgoing.channel {
            Channel::Email {
                to,
                cc,
                from,
                reply_to,
                ..
            } => Some(Self {
                message: &outgoing.message,
                from,
                to,
                cc,
                reply_to: reply_to.as_ref(),
                words,
                at,
                unsubscribe: None,
                list_id: outgoing.topic.as_deref(),
                campaign: Some((&outgoing.workflow, &outgoing.step)),
                return_path: None,
                replies: None,
                complaints: None,
                tags: &[],
            }),
            Channel::Route { .. } | Channel::Webhook { .. } => None,
        }
    }
}

/// Who sends to whom, as the SMTP session says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The sender.
    pub from: Address,
    /// The recipient, who decides the mail's fate.
    pub to: Address,
    /// The copies; a refused one does not stop the mail.
    pub cc: Vec<Address>,
}

/// A mail, ready to be handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Who sends to whom.
    pub envelope: Envelope,
    /// Whom it is from, as its reader sees it; the envelope may name another.
    pub from: Address,
    /// Its Message-ID, with its angle brackets.
    pub message_id: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Why a mail could not be built. None of it passes by waiting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// An address is none that we write to.
    #[error("the address in {place} is not one to write to: {fault}")]
    Address {
        /// `from`, `to`, `cc` or `reply_to`.
        place: &'static str,
        /// What is wrong with it.
        fault: AddressFault,
    },
    /// Too many copies.
    #[error("{0} copies are more than {COPIES_MAX}")]
    TooManyCopies(usize),
    /// The address for one click is none that a mail program calls.
    #[error("the address to unsubscribe at is not a short https address without blanks")]
    Unsubscribe,
    /// The builder refused; a fault of ours.
    #[error("the mail could not be put together: {0}")]
    Build(Box<str>),
}

/// The Message-ID of a message: the same for every attempt.
pub fn message_id(message: &MessageId, from: &Address) -> String {
    let id = message.as_str();
    let letters: String = id
        .strip_prefix("m_")
        .unwrap_or(id)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    format!("<{letters}@{}>", from.domain())
}

/// Builds the mail that `letter` describes.
pub fn build(letter: &Letter<'_>) -> Result<Mail, MailError> {
    if letter.cc.len() > COPIES_MAX {
        return Err(MailError::TooManyCopies(letter.cc.len()));
    }
    let from = address(letter.from, "from")?;
    let envelope = envelope(letter, &from)?;
    let message_id = message_id(letter.message, &from);
    let mut builder = lettre::Message::builder()
        .message_id(Some(message_id.clone()))
        .date(SystemTime::from(letter.at))
        .from(party(letter.from, &from, "from")?)
        .to(party(letter.to, &envelope.to, "to")?);
    for (copy, address) in letter.cc.iter().zip(&envelope.cc) {
        builder = builder.cc(party(copy, address, "cc")?);
    }
    if let Some(mailbox) = letter.reply_to {
        builder = builder.reply_to(party(mailbox, &address(mailbox, "reply_to")?, "reply_to")?);
    } else if letter.replies.is_some() {
        builder = builder.reply_to(party(letter.from, &from, "from")?);
    }
    // Beside whoever reads the answer: without it no step would know that there was one.
    if let Some(replies) = letter.replies {
        let noticed = Mailbox {
            name: None,
            address: replies.as_str().into(),
        };
        builder = builder.reply_to(party(&noticed, replies, "reply_to")?);
    }
    for header in headers::of_list(letter, &from)? {
        builder = builder.raw_header(header);
    }
    if let Some(campaign) = letter.campaign {
        builder = builder.raw_header(headers::feedback(letter, campaign, &from));
    }
    if let Some(complaints) = letter.complaints {
        builder = builder.raw_header(headers::complaints(complaints));
    }
    for tag in letter.tags {
        builder = builder.raw_header(headers::of_provider(*tag, letter.message));
    }
    let message = builder
        .subject(header_line(&letter.words.subject))
        .raw_header(headers::constant("Auto-Submitted", "auto-generated"))
        .raw_header(headers::language(&letter.words.locale))
        .multipart(parts(letter))
        .map_err(|error| MailError::Build(error.to_string().into()))?;
    Ok(Mail {
        envelope,
        from,
        message_id,
        bytes: message.formatted(),
    })
}

fn envelope(letter: &Letter<'_>, from: &Address) -> Result<Envelope, MailError> {
    Ok(Envelope {
        from: letter.return_path.unwrap_or(from).clone(),
        to: address(letter.to, "to")?,
        cc: letter
            .cc
            .iter()
            .map(|copy| address(copy, "cc"))
            .collect::<Result<_, _>>()?,
    })
}

fn address(mailbox: &Mailbox, place: &'static str) -> Result<Address, MailError> {
    Address::parse(&mailbox.address).map_err(|fault| MailError::Address { place, fault })
}

/// The mailbox as the header writes it, its name cleaned.
fn party(mailbox: &Mailbox, address: &Address, place: &'static str) -> Result<Party, MailError> {
    let odd = |_| MailError::Address {
        place,
        fault: AddressFault::Odd,
    };
    let plain = lettre::Address::new(address.local(), address.domain()).map_err(odd)?;
    let name = mailbox
        .name
        .as_deref()
        .map(clean_name)
        .filter(|name| !name.is_empty());
    Ok(Party::new(name, plain))
}

/// One line for a header. What looks like an encoded word (RFC 2047) is taken apart: readers would decode it, line breaks
/// and all.
fn header_line(text: &str) -> String {
    crate::render::one_line(text).replace("=?", "= ?")
}

/// A display name without control characters and direction marks, and not longer than a name is.
fn clean_name(name: &str) -> String {
    header_line(name)
        .chars()
        .take(NAME_CHARS_MAX)
        .collect::<String>()
        .trim_end()
        .to_owned()
}

fn parts(letter: &Letter<'_>) -> MultiPart {
    let boundary = format!(
        "=_{}",
        letter
            .message
            .as_str()
            .replace(|c: char| !c.is_ascii_alphanumeric(), ".")
    );
    MultiPart::builder()
        .kind(MultiPartKind::Alternative)
        .boundary(boundary)
        .singlepart(part(ContentType::TEXT_PLAIN, &letter.words.text))
        .singlepart(part(ContentType::TEXT_HTML, &letter.words.html))
}

fn part(kind: ContentType, text: &str) -> SinglePart {
    let plain = text.bytes().filter(u8::is_ascii).count();
    let encoding = if plain * PLAIN_SHARE_MIN >= text.len() {
        ContentTransferEncoding::QuotedPrintable
    } else {
        ContentTransferEncoding::Base64
    };
    SinglePart::builder()
        .header(kind)
        .header(encoding)
        .body(text.to_owned())
}
