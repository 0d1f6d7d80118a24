//! Files of facts, one a line: read in one go, from any line on.

use crate::refuse::parked;
use crate::{NewFact, Refused, Rules, Unreadable, decode_one};
use model::ParkCode;
use std::io::{self, BufRead, Read};

/// The longest line, in bytes.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;

/// One line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// Where the next line begins, in bytes: reading may go on from there.
    pub next_offset: u64,
    /// The fact, or why it is none.
    pub fact: Result<NewFact, Refused>,
}

/// Reads the facts of a file. Empty lines are skipped; bad ones are told, with their place.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    rules: Rules,
    number: u64,
    offset: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// Reads from the beginning.
    pub fn new(reader: R, rules: Rules) -> Self {
        Self::resume(reader, rules, 0, 0)
    }

    /// Reads on where it was cut off: `reader` stands at byte `offset`, and `lines` lines lie before it.
    pub fn resume(reader: R, rules: Rules, offset: u64, lines: u64) -> Self {
        Self {
            reader,
            rules,
            number: lines,
            offset,
            buffer: Vec::new(),
        }
    }

    /// Reads one line into the buffer; false at the end. What is past the limit is read and dropped.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX) + 1;
        let mut read = (&mut self.reader)
            .take(limit)
            .read_until(b'\n', &mut self.buffer)?;
        let mut last = self.buffer.last().copied();
        while read > 0 && last != Some(b'\n') {
            let chunk = self.reader.fill_buf()?;
            if chunk.is_empty() {
                break;
            }
            let end = chunk
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(chunk.len(), |at| at + 1);
            last = chunk[..end].last().copied();
            self.reader.consume(end);
            read += end;
        }
        self.number += u64::from(read > 0);
        self.offset += u64::try_from(read).unwrap_or(u64::MAX);
        Ok(read > 0)
    }

    fn fact(&self) -> Option<Result<NewFact, Refused>> {
        let refuse = |parked, column| {
            let raw = String::from_utf8_lossy(&self.buffer[..self.buffer.len().min(4_096)]);
            Err(Refused {
                index: 0,
                parked,
                raw: raw.trim_end().into(),
                column,
            })
        };
        if self.buffer.len() > LINE_BYTES_MAX {
            let message = format!("the line is longer than {LINE_BYTES_MAX} bytes");
            return Some(refuse(parked(ParkCode::TooLarge, None, message), 1));
        }
        let text = match std::str::from_utf8(&self.buffer) {
            Ok(text) => text,
            Err(error) => {
                let column = String::from_utf8_lossy(&self.buffer[..error.valid_up_to()])
                    .chars()
                    .count()
                    + 1;
                return Some(refuse(
                    parked(ParkCode::BadEnvelope, None, "not UTF-8"),
                    column,
                ));
            }
        };
        let text = if self.number == 1 {
            text.trim_start_matches('\u{feff}')
        } else {
            text
        };
        let text = text.trim_end_matches(['\n', '\r']);
        if text.trim_ascii().is_empty() {
            return None;
        }
        Some(match decode_one(text, self.rules) {
            Ok(fact) => fact,
            Err(unreadable) => {
                let column = match &unreadable {
                    Unreadable::NotJson { column, .. } => text
                        .get(..column.saturating_sub(1))
                        .map_or(1, |before| before.chars().count() + 1),
                    Unreadable::NotUtf8 { .. } | Unreadable::WrongShape { .. } => 1,
                };
                let what = match unreadable {
                    Unreadable::NotJson { what, .. } => format!("not JSON: {what}"),
                    Unreadable::NotUtf8 { .. } | Unreadable::WrongShape { .. } => {
                        unreadable.to_string()
                    }
                };
                refuse(parked(ParkCode::BadEnvelope, None, what), column)
            }
        })
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.fill() {
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
                Ok(true) => {}
            }
            if let Some(fact) = self.fact() {
                return Some(Ok(Line {
                    number: self.number,
                    next_offset: self.offset,
                    fact,
                }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn one(id: &str) -> String {
        format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"app","type":"user.logged_in","subject":"acme"}}"#
        )
    }

    fn told(line: &Line) -> String {
        match &line.fact {
            Ok(_) => format!("{}", line.number),
            Err(refused) => format!(
                "{}:{}:{}",
                line.number,
                refused.column,
                refused.parked.code.as_str()
            ),
        }
    }

    #[test]
    fn bad_lines_are_told_with_their_place() {
        let long = "x".repeat(LINE_BYTES_MAX + 1);
        let bad_time = one("e-3").replace(r#""subject""#, r#""time":"soon","subject""#);
        let text = format!(
            "\u{feff}{}\n\nアx\n{bad_time}\n{long}\n{}",
            one("e-1"),
            one("e-2")
        );
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(b"\nok \xff\n");
        let lines: Vec<_> = Lines::new(Cursor::new(&bytes), Rules::default())
            .map(|line| line.expect("readable"))
            .collect();
        let told: Vec<_> = lines.iter().map(told).collect();
        assert_eq!(
            told,
            [
                "1",
                "3:1:bad_envelope",
                "4:72:bad_time",
                "5:1:too_large",
                "6",
                "7:4:bad_envelope"
            ]
        );
        assert_eq!(
            lines.last().map(|line| line.next_offset),
            u64::try_from(bytes.len()).ok()
        );
    }

    #[test]
    fn reading_goes_on_where_it_was_cut_off() {
        let text = format!("{}\n{}\n{}\n", one("e-1"), one("e-2"), one("e-3"));
        let whole: Vec<_> = Lines::new(Cursor::new(&text), Rules::default())
            .map(|line| line.expect("readable"))
            .collect();
        for (index, line) in whole.iter().enumerate() {
            let offset = usize::try_from(line.next_offset).expect("small");
            let rest: Vec<_> = Lines::resume(
                Cursor::new(&text[offset..]),
                Rules::default(),
                line.next_offset,
                line.number,
            )
            .map(|line| line.expect("readable"))
            .collect();
            assert_eq!(rest, whole[index + 1..]);
        }
    }
}
