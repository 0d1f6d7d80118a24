//! Mail that comes back: bounces (RFC 3464), complaints (RFC 5965), answers of machines (RFC 3834) and of people, told
//! apart by nothing but their bytes. Nothing in them is believed: who may speak about which message is for the caller
//! to know, by the signed token of the address that the mail was sent to.

mod automatic;
mod bounce;
mod complaint;
mod encoding;
mod entity;
mod header;
mod returned;
mod status;
mod to;

pub use bounce::{Action, Report};
pub(crate) use status::judge;
pub use status::{Class, Status, of_reply};
pub use to::{Purpose, Token, token};

use entity::Entity;

/// The largest mail that is read, in bytes.
pub const MAIL_BYTES_MAX: usize = 1024 * 1024;
/// How deep the parts of a mail may nest.
pub const MAIL_DEPTH_MAX: usize = 8;
/// How many parts a mail may have.
pub const MAIL_PARTS_MAX: usize = 50;
/// How many recipients a bounce may speak of; more are left out.
pub const MAIL_REPORTS_MAX: usize = 50;

/// Why a mail cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Unread {
    /// Too many bytes.
    #[error("the mail is longer than {MAIL_BYTES_MAX} bytes")]
    TooLarge,
    /// Its parts nest too deep.
    #[error("the mail's parts nest deeper than {MAIL_DEPTH_MAX}")]
    TooDeep,
    /// Too many parts.
    #[error("the mail has more than {MAIL_PARTS_MAX} parts")]
    TooManyParts,
    /// It has no header.
    #[error("this is no mail")]
    NoMail,
}

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// What became of a message, for each recipient that it names.
    Reports(Vec<Report>),
    /// Its reader calls a message spam.
    Complaint {
        /// The domain that speaks, of the sender's address in the header.
        from: Box<str>,
    },
    /// A machine answered; in a word, how that shows.
    Automatic(&'static str),
    /// A person answered, as far as can be seen.
    Reply,
}

/// A mail that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Came {
    /// What it says.
    pub says: Says,
    /// The addresses that it was sent to, as its own header has them.
    pub to: Vec<Box<str>>,
    /// The envelope senders of the message that it returns or complains of.
    pub returned_from: Vec<Box<str>>,
    /// The Message-IDs that it answers or returns, without their angle brackets.
    pub about: Vec<Box<str>>,
    /// What names the mail itself: its own Message-ID, or nothing.
    pub id: Box<str>,
}

/// Reads a mail.
pub fn read(bytes: &[u8]) -> Result<Came, Unread> {
    if bytes.len() > MAIL_BYTES_MAX {
        return Err(Unread::TooLarge);
    }
    let mail = Entity::read(bytes);
    if mail.head.is_empty() {
        return Err(Unread::NoMail);
    }
    let parts = mail.parts()?;
    let complaint = complaint::read(&mail, &parts);
    let (says, returned) = if let Some((says, returned)) = complaint {
        (says, returned)
    } else {
        let reports = bounce::read(&mail, &parts);
        let returned = returned::read(&parts);
        if !reports.is_empty() {
            (Says::Reports(reports), returned)
        } else if let Some(how) = automatic::shows(&mail) {
            (Says::Automatic(how), returned)
        } else {
            (Says::Reply, returned::Returned::default())
        }
    };
    let mut about = to::ids(&mail.head);
    about.extend(returned.ids);
    Ok(Came {
        says,
        to: to::addresses(&mail.head),
        returned_from: returned.senders,
        about,
        id: mail.head.get("message-id").unwrap_or_default().into(),
    })
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
