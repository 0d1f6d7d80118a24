//! A mail taken into its parts, within limits of depth and number. Nothing is decompressed.

use super::header::{Head, Structured, line};
use super::{MAIL_DEPTH_MAX, MAIL_PARTS_MAX, Unread, encoding};

/// The most bytes of a part's text that are looked at.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// A header and what it is the header of.
#[derive(Clone, Debug)]
pub(super) struct Entity<'a> {
    pub(super) head: Head,
    pub(super) body: &'a [u8],
}

impl<'a> Entity<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let (head, at) = Head::read(bytes);
        Self {
            head,
            body: &bytes[at..],
        }
    }

    /// What kind of content it is, in small letters.
    pub(super) fn kind(&self) -> Structured {
        self.head.structured("content-type").unwrap_or_default()
    }

    /// Its leaves in order. A message inside is a leaf: what it holds is somebody else's.
    pub(super) fn parts(&self) -> Result<Vec<Entity<'a>>, Unread> {
        let mut leaves = Vec::new();
        let mut count = 0;
        self.gather(1, &mut count, &mut leaves)?;
        Ok(leaves)
    }

    fn gather(
        &self,
        depth: usize,
        count: &mut usize,
        leaves: &mut Vec<Entity<'a>>,
    ) -> Result<(), Unread> {
        *count += 1;
        if *count > MAIL_PARTS_MAX {
            return Err(Unread::TooManyParts);
        }
        let kind = self.kind();
        let boundary = kind
            .parameter("boundary")
            .filter(|boundary| !boundary.is_empty());
        let Some(boundary) = boundary.filter(|_| kind.word.starts_with("multipart/")) else {
            leaves.push(self.clone());
            return Ok(());
        };
        if depth >= MAIL_DEPTH_MAX {
            return Err(Unread::TooDeep);
        }
        for part in split(self.body, boundary)? {
            Entity::read(part).gather(depth + 1, count, leaves)?;
        }
        Ok(())
    }

    /// Its body with the transfer encoding undone.
    pub(super) fn decoded(&self) -> Vec<u8> {
        let encoding = self
            .head
            .get("content-transfer-encoding")
            .unwrap_or_default();
        encoding::decode(self.body, encoding)
    }

    /// Its words, as far as they are looked at.
    pub(super) fn text(&self) -> String {
        let decoded = self.decoded();
        let text = String::from_utf8_lossy(&decoded[..decoded.len().min(TEXT_BYTES_MAX)]);
        text.into_owned()
    }
}

/// The bodies between the boundary's lines.
fn split<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<&'a [u8]>, Unread> {
    let mut parts = Vec::new();
    let mut begin = None;
    let mut at = 0;
    while at < body.len() {
        let (text, next) = line(body, at);
        let rest = text
            .strip_prefix(b"--")
            .and_then(|text| text.strip_prefix(boundary.as_bytes()));
        let is_end = rest.is_some_and(|rest| rest.starts_with(b"--"));
        if rest.is_some_and(|rest| is_end || rest.iter().all(u8::is_ascii_whitespace)) {
            parts.extend(begin.map(|begin| &body[begin..at]));
            if parts.len() > MAIL_PARTS_MAX {
                return Err(Unread::TooManyParts);
            }
            begin = (!is_end).then_some(next);
            if is_end {
                break;
            }
        }
        at = next;
    }
    // A last part that was cut off is still what it is.
    parts.extend(begin.map(|begin| &body[begin..]));
    Ok(parts)
}
