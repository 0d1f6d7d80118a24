//! A table: its header names the fields, each row of it is a fact.

use super::scan::{Cell, Row};
use crate::{NewFact, Refused, Rules, decode_one};
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap};

/// What a file's rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// `account` and its fields.
    Accounts,
    /// `account`, `id` and the contact's fields.
    Contacts,
    /// `account`, `id` and the contract's fields.
    Contracts,
    /// `id` and the CSM's fields.
    Csms,
    /// `account`, `type`, `time`, perhaps `id`, and the events' fields.
    Events,
}

impl FileKind {
    const ALL: [Self; 5] = [
        Self::Accounts,
        Self::Contacts,
        Self::Contracts,
        Self::Csms,
        Self::Events,
    ];

    /// The word in file names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Contacts => "contacts",
            Self::Contracts => "contracts",
            Self::Csms => "csms",
            Self::Events => "events",
        }
    }

    /// By the first word of a file's name: `contacts.csv`, `contacts-2026.csv`, `contacts.csv.rejects.csv`.
    pub fn of_name(name: &str) -> Option<Self> {
        let word = name
            .split(|letter: char| !letter.is_ascii_alphabetic())
            .next()?;
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(word))
    }

    /// The entity whose fields the columns are; events have the fields of their own types.
    pub fn entity(self) -> Option<&'static str> {
        match self {
            Self::Accounts => Some("account"),
            Self::Contacts => Some("contact"),
            Self::Contracts => Some("contract"),
            Self::Csms => Some("csm"),
            Self::Events => None,
        }
    }

    fn required(self) -> &'static [&'static str] {
        match self {
            Self::Accounts => &["account"],
            Self::Contacts | Self::Contracts => &["account", "id"],
            Self::Csms => &["id"],
            Self::Events => &["account", "type", "time"],
        }
    }

    fn column(self, name: &str) -> Column {
        match (self, name) {
            (Self::Csms, "account") => Column::Field(name.into()),
            (_, "account") => Column::Account,
            (Self::Accounts, "id") => Column::Field(name.into()),
            (_, "id") => Column::Id,
            (Self::Events, "type") => Column::Kind,
            (_, "time") => Column::Time,
            (_, name) => Column::Field(name.into()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Column {
    Account,
    Id,
    Kind,
    Time,
    Field(Box<str>),
}

/// What is wrong with a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCell {
    /// The line, from 1.
    pub line: u64,
    /// In characters, from 1.
    pub column: u64,
    /// In words, with a way out.
    pub why: Box<str>,
}

/// Why a file can't be read as a table: what is wrong with its header.
pub type HeaderError = BadCell;

/// Makes a cell's text the value of a field, of an entity or an event's type; the error says what is wanted.
pub type Typing<'t> = dyn Fn(&str, &str, &str) -> Result<Value, Box<str>> + 't;

/// A table whose header was read.
pub struct Table<'t> {
    kind: FileKind,
    columns: Vec<Column>,
    names: Vec<(Box<str>, u64)>,
    typing: &'t Typing<'t>,
    rules: Rules,
    seen: HashMap<[u8; 16], u32>,
}

impl<'t> Table<'t> {
    /// Reads the header.
    pub fn new(
        kind: FileKind,
        header: &Row,
        rules: Rules,
        typing: &'t Typing<'t>,
    ) -> Result<Self, HeaderError> {
        let bad = |line, column, why: String| BadCell {
            line,
            column,
            why: why.into(),
        };
        if let Some(unfinished) = &header.unfinished {
            return Err(bad(
                unfinished.line,
                unfinished.column,
                unfinished.why.into(),
            ));
        }
        let mut known = BTreeSet::new();
        let (mut columns, mut names) = (Vec::new(), Vec::new());
        for cell in &header.cells {
            let name = cell.text.trim();
            if name.is_empty() || name.contains('\u{fffd}') {
                let why = "this column has no readable name; the first line names the fields";
                return Err(bad(cell.line, cell.column, why.into()));
            }
            if !known.insert(name) {
                return Err(bad(
                    cell.line,
                    cell.column,
                    format!("`{name}` stands twice"),
                ));
            }
            columns.push(kind.column(name));
            names.push((name.into(), cell.column));
        }
        let missing = kind.required().iter().find(|name| !known.contains(*name));
        if let Some(missing) = missing {
            let line = header.cells.first().map_or(1, |cell| cell.line);
            let why = format!(
                "the column `{missing}` is missing in a file of {}",
                kind.as_str()
            );
            return Err(bad(line, 1, why));
        }
        Ok(Self {
            kind,
            columns,
            names,
            typing,
            rules,
            seen: HashMap::new(),
        })
    }

    /// The columns that carry fields, with where their names stand.
    pub fn fields(&self) -> impl Iterator<Item = (&str, u64)> {
        self.columns
            .iter()
            .zip(&self.names)
            .filter(|(column, _)| matches!(column, Column::Field(_)))
            .map(|(_, (name, at))| (&**name, *at))
    }

    /// The fact that a row tells, or all that is wrong with it. Rows are given in their order, none left out.
    pub fn fact(&mut self, row: &Row) -> Result<NewFact, Vec<BadCell>> {
        let nth = self.nth(row);
        self.whole(row)?;
        let mut told = Told::default();
        let mut bad = Vec::new();
        let kind = self.event_type(row);
        for (column, cell) in self.columns.iter().zip(&row.cells) {
            let text = match &*cell.text {
                "" => continue,
                "\\N" => None,
                text => Some(text),
            };
            match column {
                Column::Account => told.account = text.map(str::trim),
                Column::Id => told.id = text.map(str::trim),
                Column::Time => told.time = text.map(str::trim),
                Column::Kind => {}
                Column::Field(name) => match text.map(|text| (self.typing)(&kind, name, text)) {
                    None => drop(told.data.insert((**name).into(), Value::Null)),
                    Some(Ok(value)) => drop(told.data.insert((**name).into(), value)),
                    Some(Err(why)) => bad.push(at(cell, format!("`{name}` {why}"))),
                },
            }
        }
        if !bad.is_empty() {
            return Err(bad);
        }
        let text = self.json(told, &kind, nth);
        match decode_one(&text, self.rules) {
            Ok(Ok(fact)) => Ok(fact),
            Ok(Err(refused)) => Err(vec![self.place(row, &refused)]),
            Err(unreadable) => Err(vec![at_first(row, unreadable.to_string())]),
        }
    }

    /// How many rows before this one were equal to it, and what names them all.
    fn nth(&mut self, row: &Row) -> ([u8; 16], u32) {
        let mut pairs: Vec<(&str, &str)> = self
            .names
            .iter()
            .zip(&row.cells)
            .map(|((name, _), cell)| (&**name, &*cell.text))
            .collect();
        pairs.sort_unstable();
        let mut parts = vec![self.kind.as_str()];
        parts.extend(pairs.into_iter().flat_map(|(name, text)| [name, text]));
        let digest = model::id::digest(&parts);
        let mut name = [0; 16];
        name.copy_from_slice(&digest[..16]);
        let seen = self.seen.entry(name).or_default();
        *seen += 1;
        (name, *seen)
    }

    /// Whether the row has all its cells, and each can be read.
    fn whole(&self, row: &Row) -> Result<(), Vec<BadCell>> {
        if let Some(unfinished) = &row.unfinished {
            return Err(vec![BadCell {
                line: unfinished.line,
                column: unfinished.column,
                why: unfinished.why.into(),
            }]);
        }
        let (cells, columns) = (row.cells.len(), self.columns.len());
        if cells != columns {
            let why = format!("the row has {cells} cells, the first line {columns}");
            return Err(vec![at_first(row, why)]);
        }
        let unreadable = row
            .cells
            .iter()
            .filter(|cell| cell.text.contains('\u{fffd}'));
        let bad: Vec<_> = unreadable
            .map(|cell| {
                let why =
                    "holds what can't be read as text; `--encoding` says how the file is written";
                at(cell, why.to_owned())
            })
            .collect();
        if bad.is_empty() { Ok(()) } else { Err(bad) }
    }

    /// The type of a row's event; the entity of other rows.
    fn event_type<'r>(&self, row: &'r Row) -> std::borrow::Cow<'r, str> {
        if let Some(entity) = self.kind.entity() {
            return entity.into();
        }
        let index = self
            .columns
            .iter()
            .position(|column| *column == Column::Kind);
        let cell = index.and_then(|index| row.cells.get(index));
        cell.map_or("", |cell| cell.text.trim()).into()
    }

    fn json(&self, mut told: Told<'_>, kind: &str, nth: ([u8; 16], u32)) -> String {
        let id = match (self.kind, told.id) {
            (FileKind::Events, Some(id)) => id.to_owned(),
            _ => {
                let hash = hex(&nth.0);
                format!("{hash}-{}", nth.1)
            }
        };
        let subject = match self.kind {
            FileKind::Csms => told.id,
            FileKind::Accounts | FileKind::Contacts | FileKind::Contracts | FileKind::Events => {
                told.account
            }
        };
        if let (FileKind::Contacts | FileKind::Contracts, Some(id)) = (self.kind, told.id) {
            told.data.insert(kind.to_owned(), json!(id));
        }
        let kind = match self.kind.entity() {
            Some(entity) => format!("{entity}.updated"),
            None => kind.to_owned(),
        };
        let mut fact = json!({
            "specversion": "1.0",
            "id": id,
            "source": format!("import/{}", self.kind.as_str()),
            "type": kind,
            "data": told.data,
        });
        if let Some(subject) = subject {
            fact["subject"] = json!(subject);
        }
        if let Some(time) = told.time {
            fact["time"] = json!(time);
        }
        fact.to_string()
    }

    /// Where in the row stands what was refused.
    fn place(&self, row: &Row, refused: &Refused) -> BadCell {
        let field = refused.parked.field.as_deref().unwrap_or_default();
        let wanted = match (field, self.kind) {
            ("subject", FileKind::Csms) => Column::Id,
            ("subject", _) => Column::Account,
            ("id", _) => Column::Id,
            ("type", _) => Column::Kind,
            ("time", _) => Column::Time,
            (name, _) => Column::Field(name.into()),
        };
        let index = self.columns.iter().position(|column| *column == wanted);
        let why = match (field, self.kind) {
            ("subject", FileKind::Csms) => {
                "`id` must name a CSM, in 1 to 128 characters".to_owned()
            }
            ("subject", _) => "`account` must name an account, in 1 to 128 characters".to_owned(),
            _ => refused.parked.message.clone().into(),
        };
        match index.and_then(|index| row.cells.get(index)) {
            Some(cell) => at(cell, why),
            None => at_first(row, why),
        }
    }
}

/// What a row told so far.
#[derive(Default)]
struct Told<'r> {
    account: Option<&'r str>,
    id: Option<&'r str>,
    time: Option<&'r str>,
    data: Map<String, Value>,
}

fn at(cell: &Cell, why: String) -> BadCell {
    BadCell {
        line: cell.line,
        column: cell.column,
        why: why.into(),
    }
}

fn at_first(row: &Row, why: String) -> BadCell {
    row.cells.first().map_or_else(
        || BadCell {
            line: 1,
            column: 1,
            why: why.clone().into(),
        },
        |cell| at(cell, why.clone()),
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csv::{Encoding, Rows, Text};
    use std::io::Cursor;

    fn typing(kind: &str, field: &str, text: &str) -> Result<Value, Box<str>> {
        match (kind, field) {
            ("account", "arr") => text
                .parse::<i64>()
                .map(Value::from)
                .map_err(|_| "wants a number".into()),
            _ => Ok(Value::from(text)),
        }
    }

    fn told(kind: FileKind, text: &str) -> Vec<String> {
        let mut rows = Rows::new(Text::new(Cursor::new(text.to_owned()), Encoding::Utf8))
            .map(|row| row.expect("readable"));
        let header = rows.next().expect("a header");
        let mut table = match Table::new(kind, &header, Rules::default(), &typing) {
            Ok(table) => table,
            Err(bad) => return vec![format!("{}:{} {}", bad.line, bad.column, bad.why)],
        };
        rows.map(|row| match table.fact(&row) {
            Ok(fact) => {
                let fact: Value = serde_json::from_str(&fact.json).expect("JSON");
                let show = |name: &str| fact[name].to_string();
                [show("type"), show("subject"), show("time"), show("data")].join(" ")
            }
            Err(bad) => bad
                .iter()
                .map(|bad| format!("{}:{} {}", bad.line, bad.column, bad.why))
                .collect::<Vec<_>>()
                .join(" | "),
        })
        .collect()
    }

    #[test]
    fn rows_are_facts_empty_is_absent_and_a_mark_is_null() {
        assert_eq!(
            told(
                FileKind::Accounts,
                "account,name,arr\nacme,アクメ,5\nbeta,\\N,\n"
            ),
            [
                r#""account.updated" "acme" null {"name":"アクメ","arr":5}"#,
                r#""account.updated" "beta" null {"name":null}"#,
            ]
        );
        assert_eq!(
            told(FileKind::Contacts, "account,id,name\nacme,p-1,田中\n"),
            [r#""contact.updated" "acme" null {"name":"田中","contact":"p-1"}"#]
        );
        assert_eq!(
            told(FileKind::Csms, "id,name\nc7,山本\n"),
            [r#""csm.updated" "c7" null {"name":"山本"}"#]
        );
        assert_eq!(
            told(
                FileKind::Events,
                "account,type,time,user\nacme,user.logged_in,2026-01-13T09:00:00+09:00,u1\n"
            ),
            [r#""user.logged_in" "acme" "2026-01-13T00:00:00Z" {"user":"u1"}"#]
        );
    }

    #[test]
    fn all_that_is_wrong_with_a_row_is_told_with_its_place() {
        assert_eq!(
            told(
                FileKind::Accounts,
                "account,arr,name\nacme,many,x\n,1,y\nacme,1\n"
            ),
            [
                "2:6 `arr` wants a number",
                "3:1 `account` must name an account, in 1 to 128 characters",
                "4:1 the row has 2 cells, the first line 3",
            ]
        );
        assert!(
            told(
                FileKind::Events,
                "account,type,time\nacme,user.logged_in,soon\n"
            )[0]
            .starts_with("2:21 time must be RFC 3339")
        );
        assert!(
            told(FileKind::Events, "account,type,time\nacme,risk.opened,\n")[0].starts_with("2:6 ")
        );
        assert_eq!(
            told(FileKind::Contracts, "account,seats\n"),
            ["1:1 the column `id` is missing in a file of contracts"]
        );
        assert_eq!(
            told(FileKind::Accounts, "account,arr,arr\n"),
            ["1:13 `arr` stands twice"]
        );
    }

    #[test]
    fn equal_rows_are_told_apart_and_the_same_file_tells_the_same() {
        let ids = |text: &str| {
            let mut rows = Rows::new(Text::new(Cursor::new(text.to_owned()), Encoding::Utf8))
                .map(|row| row.expect("readable"));
            let header = rows.next().expect("a header");
            let mut table =
                Table::new(FileKind::Events, &header, Rules::default(), &typing).expect("a table");
            rows.map(|row| {
                let fact = table.fact(&row).expect("a fact");
                let fact: Value = serde_json::from_str(&fact.json).expect("JSON");
                fact["id"].to_string()
            })
            .collect::<Vec<_>>()
        };
        let row = "acme,user.logged_in,2026-01-13T09:00:00+09:00\n";
        let first = ids(&format!("account,type,time\n{row}{row}"));
        assert_ne!(first[0], first[1]);
        assert_eq!(first, ids(&format!("account,type,time\r\n{row}\r\n{row}")));
        let own = ids("id,account,type,time\ne-1,acme,user.logged_in,\n");
        assert_eq!(own, ["\"e-1\""]);
    }

    #[test]
    fn the_name_of_a_file_says_what_it_holds() {
        for (name, kind) in [
            ("contacts.csv", Some(FileKind::Contacts)),
            ("Contacts-2026.csv", Some(FileKind::Contacts)),
            ("contacts.csv.rejects.csv", Some(FileKind::Contacts)),
            ("contactsbook.csv", None),
            ("events_01.csv", Some(FileKind::Events)),
        ] {
            assert_eq!(FileKind::of_name(name), kind, "{name}");
        }
    }
}
