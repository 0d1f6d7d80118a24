//! Files of rows: what a spreadsheet or a CRM exports, made into facts, each bad cell told with its place.

mod decode;
mod scan;
mod table;

pub use decode::{Encoding, Text};
pub use scan::{Cell, ROW_BYTES_MAX, Row, Rows, Unfinished};
pub use table::{BadCell, FileKind, HeaderError, Table, Typing};
