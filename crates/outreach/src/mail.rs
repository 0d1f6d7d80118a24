//! Builds the bytes of a mail. The same letter gives the same bytes, so a second attempt is the same mail.
//!
//! Header names are constants; names are cleaned of control characters, addresses are checked by our own rule; both
//! bodies are encoded, so that no bare CR or LF of a value reaches the wire.

mod address;
mod encode;
mod head;
mod headers;

pub use address::{Address, AddressFault};

use crate::render::RenderedMail;
use encode::Encoding;
use head::{Head, Party};
use jiff::Timestamp;
use model::{Channel, Mailbox, MessageId, Outgoing};
use std::fmt::Write;

/// The most characters of a display name; what is longer is cut.
pub const NAME_CHARS_MAX: usize = 200;
/// The most copies of a mail.
pub const COPIES_MAX: usize = 50;
/// About how long a head is, and what stands around the parts.
const HEAD_BYTES: usize = 2_048;

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
    /// It could not be written; a fault of ours.
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
    let words = letter.words;
    let length = HEAD_BYTES + encode::length(&words.text) + encode::length(&words.html);
    let mut text = String::with_capacity(length);
    let mut head = Head(&mut text);
    head.plain("Message-ID", &message_id);
    parties(&mut head, letter, (&from, &envelope))?;
    headers::of_list(&mut head, letter, &from)?;
    if let Some(campaign) = letter.campaign {
        headers::feedback(&mut head, letter, campaign, &from);
    }
    if let Some(complaints) = letter.complaints {
        headers::complaints(&mut head, complaints);
    }
    for tag in letter.tags {
        headers::of_provider(&mut head, *tag, letter.message);
    }
    let written = head.words("Subject", &header_line(&words.subject));
    written.map_err(unwritten)?;
    head.plain("Auto-Submitted", "auto-generated");
    headers::language(&mut head, &words.locale);
    parts(&mut text, letter).map_err(unwritten)?;
    Ok(Mail {
        envelope,
        from,
        message_id,
        bytes: text.into_bytes(),
    })
}

fn unwritten(error: std::fmt::Error) -> MailError {
    MailError::Build(error.to_string().into())
}

/// When it is sent, who sends it, who gets it, and who gets the answer.
fn parties(
    head: &mut Head<'_>,
    letter: &Letter<'_>,
    (from, envelope): (&Address, &Envelope),
) -> Result<(), MailError> {
    let date = letter.at.strftime("%a, %d %b %Y %H:%M:%S +0000");
    head.plain("Date", &date.to_string());
    let sender = (name(letter.from), from);
    let mut lists = vec![("From", vec![sender.clone()])];
    lists.push(("To", vec![(name(letter.to), &envelope.to)]));
    let copies = letter.cc.iter().zip(&envelope.cc);
    lists.push(("Cc", copies.map(|(copy, to)| (name(copy), to)).collect()));
    let reply_to = letter.reply_to.map(|mailbox| address(mailbox, "reply_to"));
    let reply_to = reply_to.transpose()?;
    let mut answers: Vec<Party<'_>> = match (letter.reply_to, &reply_to) {
        (Some(mailbox), Some(address)) => vec![(name(mailbox), address)],
        _ if letter.replies.is_some() => vec![sender],
        _ => Vec::new(),
    };
    // Beside whoever reads the answer: without it no step would know that there was one.
    answers.extend(letter.replies.map(|replies| (None, replies)));
    lists.push(("Reply-To", answers));
    for (header, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
        head.parties(header, list).map_err(unwritten)?;
    }
    Ok(())
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

/// The name of a mailbox as the header writes it, cleaned.
fn name(mailbox: &Mailbox) -> Option<String> {
    let name = mailbox.name.as_deref().map(clean_name);
    name.filter(|name| !name.is_empty())
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

/// The words twice, as text and as a page.
fn parts(out: &mut String, letter: &Letter<'_>) -> std::fmt::Result {
    let id = letter.message.as_str();
    let boundary = id.replace(|c: char| !c.is_ascii_alphanumeric(), ".");
    let boundary = format!("=_{boundary}");
    let mut head = Head(out);
    head.plain("MIME-Version", "1.0");
    let kind = format!("multipart/alternative; boundary=\"{boundary}\"");
    head.words("Content-Type", &kind)?;
    out.push_str("\r\n");
    let words = letter.words;
    for (kind, text) in [("plain", &words.text), ("html", &words.html)] {
        let encoding = Encoding::of(text);
        write!(
            out,
            "--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
        )?;
        write!(
            out,
            "Content-Transfer-Encoding: {}\r\n\r\n",
            encoding.name()
        )?;
        encoding.write(text, out);
        out.push_str("\r\n");
    }
    write!(out, "--{boundary}--\r\n")
}

#[cfg(test)]
mod tests;
