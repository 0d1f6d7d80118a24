//! Writes the lines of a head: folded at blanks, and words encoded that are not ASCII (RFC 5322, 2047).

use super::Address;
use email_encoding::headers::writer::EmailWriter;
use email_encoding::headers::{quoted_string, rfc2047};
use std::fmt::{self, Write};

/// A name, cleaned, and an address.
pub(super) type Party<'a> = (Option<String>, &'a Address);

/// The lines so far.
pub(super) struct Head<'o>(pub(super) &'o mut String);

impl Head<'_> {
    /// A header in one line, whatever its length: its value is ours, or what stands in angle brackets and must not be broken.
    pub(super) fn plain(&mut self, name: &'static str, value: &str) {
        for piece in [name, ": ", value, "\r\n"] {
            self.0.push_str(piece);
        }
    }

    /// A header of words.
    pub(super) fn words(&mut self, name: &'static str, value: &str) -> fmt::Result {
        self.folded(name, |writer| words(value, writer))
    }

    /// A header of mailboxes.
    pub(super) fn parties(&mut self, name: &'static str, all: &[Party<'_>]) -> fmt::Result {
        self.folded(name, |writer| {
            for (number, (called, address)) in all.iter().enumerate() {
                if number > 0 {
                    writer.write_char(',')?;
                    writer.space();
                }
                match called {
                    Some(called) => {
                        quoted_string::encode(called, writer)?;
                        writer.space();
                        write!(writer, "<{address}>")?;
                    }
                    None => writer.write_str(address.as_str())?,
                }
            }
            Ok(())
        })
    }

    fn folded(
        &mut self,
        name: &'static str,
        write: impl FnOnce(&mut EmailWriter<'_>) -> fmt::Result,
    ) -> fmt::Result {
        self.0.push_str(name);
        self.0.push_str(": ");
        let written = write(&mut EmailWriter::new(self.0, name.len() + 2, 0, false));
        self.0.push_str("\r\n");
        written
    }
}

/// Words that are ASCII as they stand; those in a row that are not as one text.
fn words(value: &str, writer: &mut EmailWriter<'_>) -> fmt::Result {
    let mut rest = value;
    while !rest.is_empty() {
        let plain = length(rest, true);
        writer.folding().write_str(&rest[..plain])?;
        rest = &rest[plain..];
        let (coded, behind) = rest.split_at(length(rest, false));
        let text = coded.trim_end_matches(' ');
        rfc2047::encode(text, writer)?;
        for _ in text.len()..coded.len() {
            writer.space();
        }
        rest = behind;
    }
    Ok(())
}

/// How long the words at the beginning are that can all stand as they are, or all can't.
fn length(text: &str, is_plain: bool) -> usize {
    let words = text.split_inclusive(' ');
    words
        .take_while(|word| word.bytes().all(is_allowed) == is_plain)
        .map(str::len)
        .sum()
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii() && !matches!(byte, b'\0' | b'\n' | b'\r')
}
