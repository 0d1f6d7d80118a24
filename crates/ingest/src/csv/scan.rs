//! Rows of cells by RFC 4180, each cell with its line and column; lines may end in LF, CR LF or CR.

use super::decode::Text;
use std::io::{self, Read};

/// The longest row, in bytes of its text.
pub const ROW_BYTES_MAX: usize = 1024 * 1024;

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// What it says, quotes taken off.
    pub text: Box<str>,
    /// The line where it begins, from 1.
    pub line: u64,
    /// In characters, from 1.
    pub column: u64,
}

/// One row; empty lines are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its cells.
    pub cells: Vec<Cell>,
    /// As it stands in the file, without the end of its line.
    pub raw: Box<str>,
    /// Where the next row begins, in bytes of the file's text.
    pub next_offset: u64,
    /// What keeps it from being a row.
    pub unfinished: Option<Unfinished>,
}

/// What keeps text from being a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The line, from 1.
    pub line: u64,
    /// In characters, from 1.
    pub column: u64,
    /// In words.
    pub why: &'static str,
}

const NO_END: &str =
    "the quote that begins here does not end; a quote inside a cell is written twice";
const BEHIND: &str =
    "something stands behind the closing quote; a quote inside a cell is written twice";
const TOO_LONG: &str = "the row is longer than a megabyte";

/// Reads the rows of a file.
pub struct Rows<R> {
    text: Text<R>,
    /// Text that was read; what lies before `at` is done.
    buffer: String,
    at: usize,
    is_read: bool,
    line: u64,
    offset: u64,
}

impl<R: Read> Rows<R> {
    /// From the beginning of the text.
    pub fn new(text: Text<R>) -> Self {
        Self {
            text,
            buffer: String::new(),
            at: 0,
            is_read: false,
            line: 1,
            offset: 0,
        }
    }

    fn read_more(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.at);
        self.at = 0;
        self.is_read = !self.text.read_into(&mut self.buffer)?;
        Ok(())
    }

    fn next_row(&mut self) -> io::Result<Option<Row>> {
        loop {
            let rest = &self.buffer[self.at..];
            if rest.is_empty() && self.is_read {
                return Ok(None);
            }
            let scanned = Scan::new(rest, self.line, self.is_read).run();
            let taken = match scanned {
                Scanned::More if rest.len() <= ROW_BYTES_MAX => {
                    self.read_more()?;
                    continue;
                }
                Scanned::More => self.one_line(TOO_LONG, None),
                Scanned::NoEnd { is_torn, .. }
                    if !is_torn && rest.len() <= ROW_BYTES_MAX && !self.is_read =>
                {
                    self.read_more()?;
                    continue;
                }
                // Only the line is given up in which the quote begins: the rows behind it may be sound.
                Scanned::NoEnd { line, column, .. } => self.one_line(NO_END, Some((line, column))),
                Scanned::Row(taken) => taken,
            };
            let raw: Box<str> = rest[..taken.raw].into();
            self.at += taken.bytes;
            self.offset += u64::try_from(taken.bytes).unwrap_or(u64::MAX);
            self.line = taken.next_line;
            if raw.trim().is_empty() && taken.unfinished.is_none() {
                continue;
            }
            return Ok(Some(Row {
                cells: taken.cells,
                raw,
                next_offset: self.offset,
                unfinished: taken.unfinished,
            }));
        }
    }

    /// Gives up one line of the buffer.
    fn one_line(&self, why: &'static str, place: Option<(u64, u64)>) -> Taken {
        let rest = &self.buffer[self.at..];
        let raw = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let end = line_end(&rest[raw..]);
        let (line, column) = place.unwrap_or((self.line, 1));
        Taken {
            cells: Vec::new(),
            raw,
            bytes: raw + end,
            // What is left of a line that is too long comes as a row of the same line.
            next_line: self.line + u64::from(end > 0),
            unfinished: Some(Unfinished { line, column, why }),
        }
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row().transpose()
    }
}

fn line_end(rest: &str) -> usize {
    match rest.as_bytes() {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    }
}

/// A row that was found.
struct Taken {
    cells: Vec<Cell>,
    raw: usize,
    bytes: usize,
    next_line: u64,
    unfinished: Option<Unfinished>,
}

enum Scanned {
    Row(Taken),
    /// The text ends before the row does.
    More,
    /// The same, inside quotes that began there; torn: they end in the middle of a later line's cell, which shows that
    /// they were not meant to begin.
    NoEnd {
        line: u64,
        column: u64,
        is_torn: bool,
    },
}

/// One look at the text from the beginning of a row.
struct Scan<'t> {
    text: &'t str,
    at: usize,
    line: u64,
    column: u64,
    is_all: bool,
    cells: Vec<Cell>,
    unfinished: Option<Unfinished>,
    is_torn: bool,
}

impl<'t> Scan<'t> {
    fn new(text: &'t str, line: u64, is_all: bool) -> Self {
        Self {
            text,
            at: 0,
            line,
            column: 1,
            is_all,
            cells: Vec::new(),
            unfinished: None,
            is_torn: false,
        }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn pass(&mut self, letter: char) {
        self.at += letter.len_utf8();
        self.column += 1;
    }

    fn run(mut self) -> Scanned {
        loop {
            let (line, column) = (self.line, self.column);
            let cell = if self.peek() == Some('"') {
                self.quoted()
            } else {
                Some(self.plain())
            };
            let Some(text) = cell else {
                let is_torn = self.is_torn;
                return Scanned::NoEnd {
                    line,
                    column,
                    is_torn,
                };
            };
            self.cells.push(Cell {
                text: text.into(),
                line,
                column,
            });
            match self.peek() {
                Some(',') => self.pass(','),
                Some(_) => return self.ended(),
                None if self.is_all => return self.ended(),
                None => return Scanned::More,
            }
        }
    }

    /// At the end of the row's line.
    fn ended(self) -> Scanned {
        let rest = &self.text[self.at..];
        // CR LF may have been cut between its two.
        if rest == "\r" && !self.is_all {
            return Scanned::More;
        }
        Scanned::Row(Taken {
            cells: self.cells,
            raw: self.at,
            bytes: self.at + line_end(rest),
            next_line: self.line + 1,
            unfinished: self.unfinished,
        })
    }

    fn plain(&mut self) -> String {
        let begun = self.at;
        while let Some(letter) = self.peek() {
            if matches!(letter, ',' | '\n' | '\r') {
                break;
            }
            self.pass(letter);
        }
        self.text[begun..self.at].to_owned()
    }

    /// The inside of quotes; none if they do not end.
    fn quoted(&mut self) -> Option<String> {
        let begun = self.line;
        self.pass('"');
        let mut inside = String::new();
        loop {
            let letter = self.peek()?;
            self.pass(letter);
            match letter {
                '"' if self.peek() == Some('"') => {
                    self.pass('"');
                    inside.push('"');
                }
                // It may be the first of two.
                '"' if self.peek().is_none() && !self.is_all => return None,
                '"' => break,
                letter => {
                    inside.push(letter);
                    let is_line_end =
                        letter == '\n' || (letter == '\r' && self.peek() != Some('\n'));
                    if is_line_end {
                        self.line += 1;
                        self.column = 1;
                    }
                }
            }
        }
        let (line, column) = (self.line, self.column);
        let behind = self.plain();
        if !behind.is_empty() && line > begun {
            self.is_torn = true;
            return None;
        }
        if !behind.is_empty() && self.unfinished.is_none() {
            let why = BEHIND;
            self.unfinished = Some(Unfinished { line, column, why });
        }
        Some(inside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csv::Encoding;

    /// Gives its bytes one by one, so that every cut is tried.
    struct Drops<'b>(&'b [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let [first, rest @ ..] = self.0 else {
                return Ok(0);
            };
            into[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn told(bytes: &[u8], encoding: Encoding) -> Vec<String> {
        let rows = |reader: Box<dyn Read>| -> Vec<Row> {
            Rows::new(Text::new(reader, encoding))
                .map(|row| row.expect("readable"))
                .collect()
        };
        let owned = bytes.to_vec();
        let whole = rows(Box::new(io::Cursor::new(owned)));
        let leaked: &'static [u8] = Box::leak(bytes.to_vec().into_boxed_slice());
        assert_eq!(
            rows(Box::new(Drops(leaked))),
            whole,
            "cut anywhere, it reads the same"
        );
        whole
            .iter()
            .map(|row| match &row.unfinished {
                Some(bad) => format!(
                    "{}:{} {}",
                    bad.line,
                    bad.column,
                    bad.why.split(';').next().unwrap_or_default()
                ),
                None => {
                    let cell =
                        |cell: &Cell| format!("{}:{} {:?}", cell.line, cell.column, cell.text);
                    row.cells.iter().map(cell).collect::<Vec<_>>().join(" ")
                }
            })
            .collect()
    }

    #[test]
    fn cells_know_their_line_and_column_through_quotes_and_line_breaks() {
        let text = "\u{feff}a,名前,c\r\n1,\"田中,\n太郎\",\"x\"\"y\"\r\n\r\n,,\n\"\",z\r3,ア,";
        assert_eq!(
            told(text.as_bytes(), Encoding::Utf8),
            [
                r#"1:1 "a" 1:3 "名前" 1:6 "c""#,
                r#"2:1 "1" 2:3 "田中,\n太郎" 3:5 "x\"y""#,
                r#"5:1 "" 5:2 "" 5:3 """#,
                r#"6:1 "" 6:4 "z""#,
                r#"7:1 "3" 7:3 "ア" 7:5 """#,
            ]
        );
    }

    #[test]
    fn a_stray_quote_gives_up_one_line_and_no_more() {
        assert_eq!(
            told(b"a,b\n1,\"open\n2,fine\n3,\"x\"y,z\n", Encoding::Utf8)[1..],
            [
                "2:3 the quote that begins here does not end".to_owned(),
                r#"3:1 "2" 3:3 "fine""#.to_owned(),
                "4:6 something stands behind the closing quote".to_owned(),
            ]
        );
    }

    #[test]
    fn shift_jis_reads_as_it_was_meant() {
        let (bytes, _, _) = encoding_rs::SHIFT_JIS.encode("名前,表\n髙橋,ソ\n");
        assert_eq!(
            told(&bytes, Encoding::ShiftJis),
            [r#"1:1 "名前" 1:4 "表""#, r#"2:1 "髙橋" 2:4 "ソ""#]
        );
        let wrong = told(&bytes, Encoding::Utf8).join(" ");
        assert!(wrong.contains('\u{fffd}'), "{wrong}");
    }

    #[test]
    fn a_row_that_is_too_long_is_refused_and_the_next_one_read() {
        let long = "x".repeat(ROW_BYTES_MAX + 200_000);
        let text = format!("a\n{long}\nb\n");
        let rows: Vec<_> = Rows::new(Text::new(io::Cursor::new(text), Encoding::Utf8))
            .map(|row| row.expect("readable"))
            .collect();
        assert!(rows.iter().any(|row| row.unfinished.is_some()));
        let last = rows.last().expect("rows");
        assert_eq!(&*last.cells[0].text, "b");
    }
}
