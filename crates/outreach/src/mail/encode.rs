//! How the words of a mail travel: quoted-printable or base64 (RFC 2045), written in one pass behind what is there.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::sync::LazyLock;

/// The most signs of a line.
const LINE_MAX: usize = 76;
/// A run of plain signs is written at once up to here: what is left is for one sign that may have to move on.
const RUN_MAX: usize = LINE_MAX - 2;
/// So many bytes make a line of base64.
const LINE_BYTES: usize = LINE_MAX / 4 * 3;
/// Below this share of plain characters base64 is shorter and as readable as quoted-printable.
const PLAIN_SHARE_MIN: usize = 2;

/// Every byte as quoted-printable writes it, three signs each.
static CODES: LazyLock<String> =
    LazyLock::new(|| (0..=u8::MAX).map(|byte| format!("={byte:02X}")).collect());

/// One of the two encodings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    QuotedPrintable,
    Base64,
}

impl Encoding {
    /// The one that fits a text.
    pub(super) fn of(text: &str) -> Self {
        if plain(text) * PLAIN_SHARE_MIN >= text.len() {
            Self::QuotedPrintable
        } else {
            Self::Base64
        }
    }

    /// Its name in the head of a part.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::QuotedPrintable => "quoted-printable",
            Self::Base64 => "base64",
        }
    }

    /// Writes a text, every line of which ends in CRLF.
    pub(super) fn write(self, text: &str, out: &mut String) {
        match self {
            Self::QuotedPrintable => quoted_printable(text, out),
            Self::Base64 => base64(text, out),
        }
    }
}

/// About how long a text gets.
pub(super) fn length(text: &str) -> usize {
    // Quoted-printable takes three signs for what is not plain, and base64 less than that.
    let signs = text.len() + (text.len() - plain(text)) * 2;
    signs + signs / 8 + 64
}

fn plain(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii).count()
}

fn base64(text: &str, out: &mut String) {
    let mut lines = String::with_capacity(text.len() + text.len() / 32);
    let mut rest = text;
    while let Some(end) = memchr::memchr(b'\n', rest.as_bytes()) {
        lines.push_str(rest[..end].strip_suffix('\r').unwrap_or(&rest[..end]));
        lines.push_str("\r\n");
        rest = &rest[end + 1..];
    }
    lines.push_str(rest);
    for (number, line) in lines.as_bytes().chunks(LINE_BYTES).enumerate() {
        if number > 0 {
            out.push_str("\r\n");
        }
        STANDARD.encode_string(line, out);
    }
}

/// The line of quoted-printable that is being written.
#[derive(Default)]
struct Line {
    length: usize,
    /// How long its last sign is, in case it has to move on: a full line has no place for the mark that it goes on.
    last: usize,
}

impl Line {
    /// Makes room for a sign, or for three that stand for one; they are to be written then.
    fn make_room(&mut self, signs: usize, out: &mut String) {
        if self.length + signs > LINE_MAX {
            if self.length == LINE_MAX {
                out.insert_str(out.len() - self.last, "=\r\n");
                self.length = self.last;
            } else {
                out.push_str("=\r\n");
                self.length = 0;
            }
        }
        self.length += signs;
        self.last = signs;
    }

    fn plain(&mut self, byte: u8, out: &mut String) {
        self.make_room(1, out);
        out.push(char::from(byte));
    }

    fn coded(&mut self, byte: u8, out: &mut String) {
        self.make_room(3, out);
        let at = usize::from(byte) * 3;
        out.push_str(&CODES[at..at + 3]);
    }

    /// Blanks must not stand at the end of a line.
    fn end(&mut self, out: &mut String) {
        if let Some(blank @ (b' ' | b'\t')) = out.as_bytes().last().copied() {
            out.pop();
            self.length -= 1;
            self.coded(blank, out);
        }
    }
}

fn quoted_printable(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    let mut line = Line::default();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let is_pair = byte == b'\r' && bytes.get(at + 1) == Some(&b'\n');
        if byte == b'\n' || is_pair {
            line.end(out);
            out.push_str("\r\n");
            line = Line::default();
            at += usize::from(is_pair) + 1;
        } else if !is_plain(byte) {
            line.coded(byte, out);
            at += 1;
        } else if line.length < RUN_MAX {
            let longest = bytes.len().min(at + RUN_MAX - line.length);
            let run = bytes[at..longest].iter().position(|byte| !is_plain(*byte));
            let run = run.unwrap_or(longest - at);
            out.push_str(&text[at..at + run]);
            line.length += run;
            at += run;
        } else {
            line.plain(byte, out);
            at += 1;
        }
    }
    line.end(out);
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'<' | b'>'..=b'~')
}
