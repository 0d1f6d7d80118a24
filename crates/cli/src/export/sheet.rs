//! A table on its way out: CSV by RFC 4180, guarded against formulas, or one JSON object a line.

use serde_json::{Map, Value};
use std::io::{self, Write};

/// What makes spreadsheets take a cell for a formula, in both widths.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// A table whose columns are fixed.
pub(super) struct Sheet {
    out: Box<dyn Write>,
    columns: &'static [&'static str],
    is_csv: bool,
}

impl Sheet {
    /// Writes the header.
    pub(super) fn begin(
        mut out: Box<dyn Write>,
        columns: &'static [&'static str],
        is_csv: bool,
        has_mark: bool,
    ) -> io::Result<Self> {
        if is_csv {
            if has_mark {
                out.write_all("\u{feff}".as_bytes())?;
            }
            write!(out, "{}\r\n", columns.join(","))?;
        }
        Ok(Self {
            out,
            columns,
            is_csv,
        })
    }

    /// Writes a row: a cell for each column.
    pub(super) fn row(&mut self, cells: &[Value]) -> io::Result<()> {
        if !self.is_csv {
            let named = self.columns.iter().zip(cells);
            let object: Map<String, Value> = named
                .map(|(name, cell)| ((*name).to_owned(), cell.clone()))
                .collect();
            serde_json::to_writer(&mut self.out, &object)?;
            return self.out.write_all(b"\n");
        }
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                self.out.write_all(b",")?;
            }
            match cell {
                Value::Null => {}
                Value::String(text) => self.out.write_all(quoted(text).as_bytes())?,
                Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    self.out.write_all(quoted(&cell.to_string()).as_bytes())?;
                }
            }
        }
        self.out.write_all(b"\r\n")
    }

    /// Hands all over.
    pub(super) fn end(mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Text as a cell: what a spreadsheet would calculate is marked as text.
fn quoted(text: &str) -> String {
    let guard = if text.starts_with(FORMULA) { "'" } else { "" };
    let needs_quotes = text.contains([',', '"', '\n', '\r']) || text != text.trim();
    if needs_quotes {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        format!("{guard}{text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_always_reads_back() {
        for (text, cell) in [
            ("plain", "plain"),
            ("=1+1", "'=1+1"),
            ("+81 3", "'+81 3"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "\"'\tx\""),
            ("\r=1", "\"'\r=1\""),
            ("＝1", "'＝1"),
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=\"x\",y", "\"'=\"\"x\"\",y\""),
            ("two\nlines", "\"two\nlines\""),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(quoted(text), cell, "{text:?}");
        }
    }
}
