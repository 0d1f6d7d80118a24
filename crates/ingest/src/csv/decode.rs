//! Bytes of a file to text, piece by piece: UTF-8 with or without its mark, or Shift_JIS.

use encoding_rs::{CoderResult, Decoder, SHIFT_JIS, UTF_8};
use std::borrow::Cow;
use std::io::{self, Read};

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// How a file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8; a byte order mark is dropped.
    #[default]
    Utf8,
    /// Shift_JIS, as Japanese spreadsheets write it.
    ShiftJis,
}

impl Encoding {
    /// The bytes of a text in it; what it can't hold becomes a numeric reference.
    pub fn bytes(self, text: &str) -> Cow<'_, [u8]> {
        match self {
            Self::Utf8 => Cow::Borrowed(text.as_bytes()),
            Self::ShiftJis => SHIFT_JIS.encode(text).0,
        }
    }
}

/// The text of a file. What can't be read is U+FFFD.
pub struct Text<R> {
    reader: R,
    decoder: Decoder,
    bytes: Vec<u8>,
    is_ended: bool,
}

impl<R: Read> Text<R> {
    /// Reads from the beginning of a file.
    pub fn new(reader: R, encoding: Encoding) -> Self {
        let decoder = match encoding {
            Encoding::Utf8 => UTF_8.new_decoder_with_bom_removal(),
            Encoding::ShiftJis => SHIFT_JIS.new_decoder_without_bom_handling(),
        };
        Self {
            reader,
            decoder,
            bytes: vec![0; CHUNK],
            is_ended: false,
        }
    }

    /// Appends the next piece; false at the end.
    pub(crate) fn read_into(&mut self, text: &mut String) -> io::Result<bool> {
        if self.is_ended {
            return Ok(false);
        }
        let read = loop {
            match self.reader.read(&mut self.bytes) {
                Ok(read) => break read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        };
        self.is_ended = read == 0;
        let mut rest = &self.bytes[..read];
        loop {
            let room = self.decoder.max_utf8_buffer_length(rest.len());
            text.reserve(room.unwrap_or(4 * CHUNK));
            let (result, taken, _) = self.decoder.decode_to_string(rest, text, self.is_ended);
            rest = &rest[taken..];
            match result {
                CoderResult::InputEmpty => return Ok(true),
                CoderResult::OutputFull => {}
            }
        }
    }
}
