//! Statements that go to the database in one flight: the way to its thread and back costs more than most of what is done
//! there.
//!
//! A statement's list stands in it as `VALUES`, which SQLite takes as they are; of a list as JSON it makes text, and reads
//! that again, for each column of each row. There are few lengths, so that each stays prepared: a list is filled up with
//! rows of NULL, which every statement passes over. What is longer than the longest goes in several flights.
//!
//! Those that change many rows end the transaction when they fail (`OR ROLLBACK`), since whoever sees an error closes the
//! connection anyway: SQLite keeps no copies of pages to take back one statement.
//!
//! That a query may be several statements is nothing that the client's authors promise for ever; a test shows that it is so.

use super::rows::{Columns, nanos};
use super::tx::Session;
use crate::Failure;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// So many rows of a list go at once.
const ROWS_MAX: usize = 256;
/// As many rows do lists have in statements.
const LENGTHS: [usize; 6] = [8, 16, 32, 64, 128, ROWS_MAX];
/// What stands for the list in a statement's text.
const LIST: &str = "{list}";

/// A statement. Where it has a list, all its values stand in that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    text: &'static str,
    columns: usize,
}

/// Statements that always go together.
pub(crate) struct Flight {
    parts: &'static [Part],
    /// For each length of lists.
    texts: [OnceLock<String>; LENGTHS.len()],
}

/// The values of a statement: of its list, row by row.
pub(crate) type Values<'v> = Vec<Value<'v>>;

/// One value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'v> {
    Nothing,
    Number(i64),
    Text(&'v str),
    Bytes(&'v [u8]),
}

/// What a statement answered.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) rows: Vec<SqliteRow>,
    /// How many rows it changed; of one that only reads, anything.
    pub(crate) changed: u64,
}

impl Answer {
    /// The numbers of a list that was read as a list.
    pub(crate) fn places(&self) -> Result<BTreeSet<i64>, Failure> {
        let mut places = BTreeSet::new();
        for row in &self.rows {
            let list: Vec<i64> = serde_json::from_str(&row.text(0)?)
                .map_err(|why| Failure::unreadable("a list", why))?;
            places.extend(list);
        }
        Ok(places)
    }

    /// Takes what another flight answered to the same statement.
    fn take(&mut self, more: Self) {
        self.rows.extend(more.rows);
        self.changed += more.changed;
    }
}

impl Part {
    /// One without a list.
    pub(crate) const fn plain(text: &'static str) -> Self {
        Self { text, columns: 0 }
    }

    /// One over a list of so many columns.
    pub(crate) const fn over(columns: usize, text: &'static str) -> Self {
        Self { text, columns }
    }

    /// Its text for a list of so many rows.
    pub(crate) fn sql(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.columns].join(", "));
        let list = format!("VALUES {}", vec![row; rows].join(", "));
        self.text.replace(LIST, &list)
    }

    fn rows(&self, values: &Values<'_>) -> usize {
        values.len().checked_div(self.columns).unwrap_or(0)
    }

    /// Its values from a row of its list on, as many as go at once; of one without a list all.
    fn section<'v>(&self, values: &Values<'v>, first: usize) -> Values<'v> {
        if self.columns == 0 {
            return values.clone();
        }
        let rows = values.chunks(self.columns).skip(first).take(ROWS_MAX);
        rows.flatten().copied().collect()
    }

    /// How many values it has with a list of so many rows; none: as many as are given.
    fn values(&self, rows: usize) -> Option<usize> {
        (self.columns > 0).then_some(self.columns * rows)
    }
}

impl Flight {
    pub(crate) const fn new(parts: &'static [Part]) -> Self {
        Self {
            parts,
            texts: [const { OnceLock::new() }; LENGTHS.len()],
        }
    }

    /// Runs statements that write, one after the other, each with its values; what each answered.
    pub(crate) async fn write<const N: usize>(
        &'static self,
        session: &mut Session,
        values: [Values<'_>; N],
    ) -> Result<[Answer; N], Failure> {
        let answers = self.run(session, values).await?;
        session.has_changed(answers.iter().map(|answer| answer.changed).sum());
        Ok(answers)
    }

    /// Writes a list of any length by the one statement of the flight; `values` gives those of a row.
    pub(crate) async fn write_all<R, const N: usize>(
        &'static self,
        session: &mut Session,
        rows: &[R],
        values: impl for<'r> Fn(&'r R) -> [Value<'r>; N],
    ) -> Result<(), Failure> {
        let list = rows.iter().flat_map(values).collect();
        self.write(session, [list]).await?;
        Ok(())
    }

    /// Runs statements that read.
    pub(crate) async fn read<const N: usize>(
        &'static self,
        session: &mut Session,
        values: [Values<'_>; N],
    ) -> Result<[Answer; N], Failure> {
        self.run(session, values).await
    }

    /// Runs the statements as often as the longest list wants; one without a list answers once.
    async fn run<const N: usize>(
        &'static self,
        session: &mut Session,
        values: [Values<'_>; N],
    ) -> Result<[Answer; N], Failure> {
        let rows = self.parts.iter().zip(&values);
        let rows = rows.map(|(part, values)| part.rows(values)).max();
        if rows.is_none_or(|rows| rows <= ROWS_MAX) {
            return self.run_once(session, values).await;
        }
        let mut answers = std::array::from_fn(|_| Answer::default());
        for first in (0..rows.unwrap_or(0)).step_by(ROWS_MAX) {
            let parts = self.parts.iter().zip(&values);
            let mut parts = parts.map(|(part, values)| part.section(values, first));
            let section: [Values<'_>; N] =
                std::array::from_fn(|_| parts.next().unwrap_or_default());
            let told = self.run_once(session, section).await?;
            for ((part, whole), told) in self.parts.iter().zip(&mut answers).zip(told) {
                if first == 0 || part.columns > 0 {
                    whole.take(told);
                }
            }
        }
        Ok(answers)
    }

    async fn run_once<const N: usize>(
        &'static self,
        session: &mut Session,
        values: [Values<'_>; N],
    ) -> Result<[Answer; N], Failure> {
        let rows = self.parts.iter().zip(&values);
        let rows = rows.map(|(part, values)| part.rows(values)).max();
        let rows = rows.unwrap_or(0);
        let mut texts = LENGTHS.into_iter().zip(&self.texts);
        let text = texts.find(|(length, _)| *length >= rows);
        let (Some((length, text)), true) = (text, N == self.parts.len()) else {
            return Err(Failure::Database(
                format!("{rows} rows for {N} statements").into(),
            ));
        };
        let text = text.get_or_init(|| self.text(length));
        let mut query = sqlx::query(text.as_str());
        for (part, values) in self.parts.iter().zip(values) {
            let filling = part
                .values(length)
                .unwrap_or(0)
                .saturating_sub(values.len());
            let filling = std::iter::repeat_n(Value::Nothing, filling);
            for value in values.into_iter().chain(filling) {
                query = match value {
                    Value::Nothing => query.bind(None::<i64>),
                    Value::Number(number) => query.bind(number),
                    Value::Text(text) => query.bind(text),
                    Value::Bytes(bytes) => query.bind(bytes),
                };
            }
        }
        let mut answers = session.each(query).await?.into_iter();
        Ok(std::array::from_fn(|_| answers.next().unwrap_or_default()))
    }

    fn text(&self, rows: usize) -> String {
        let parts: Vec<String> = self.parts.iter().map(|part| part.sql(rows)).collect();
        parts.join(";\n")
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(at: Timestamp) -> Self {
        Self::Number(nanos(at))
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(text)
    }
}

impl<'v> From<&'v [u8]> for Value<'v> {
    fn from(bytes: &'v [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'v, T: Into<Value<'v>>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tx::Ending;
    use crate::store::Tables;
    use crate::{OpenOptions, Store};

    static COUNTING: Flight = Flight::new(&[
        Part::over(
            2,
            "WITH j (n, word) AS ({list}) SELECT n, word FROM j WHERE n IS NOT NULL",
        ),
        Part::plain("SELECT ? || ?"),
        Part::over(
            1,
            "WITH j (n) AS ({list}) SELECT count(*), sum(n) FROM j WHERE n IS NOT NULL",
        ),
    ]);
    static WRITING: Flight = Flight::new(&[
        Part::over(
            2,
            "WITH j (name, note) AS ({list}) INSERT INTO switch (name, is_on, at, note) \
            SELECT j.name, 0, 0, j.note FROM j WHERE j.name IS NOT NULL",
        ),
        Part::over(
            1,
            "WITH j (name) AS ({list}) UPDATE switch SET is_on = 1 FROM j WHERE switch.name = j.name",
        ),
    ]);

    #[tokio::test]
    async fn each_statement_has_its_own_values_and_answers_for_itself()
    -> Result<(), Box<dyn std::error::Error>> {
        let dir = tempfile::tempdir()?;
        let store = Store::open(&dir.path().join("store.db"), OpenOptions::default()).await?;
        let Tables::Sqlite(store) = &store.tables else {
            return Err("it is in a file".into());
        };
        let asked = store.read(|session| {
            Box::pin(async move {
                for count in [0, 1, 7, 8, 9, 100, 256] {
                    let words: Vec<String> = (0..count).map(|n| format!("w{n}")).collect();
                    let pairs = (0..)
                        .zip(&words)
                        .flat_map(|(n, word)| [Value::Number(n), (&**word).into()]);
                    let others = (0..3).map(Value::Number).collect();
                    let both = vec!["a".into(), "b".into()];
                    let [read, joined, summed] = COUNTING
                        .read(session, [pairs.collect(), both, others])
                        .await?;
                    assert_eq!(read.rows.len(), words.len());
                    for ((n, word), row) in (0..).zip(&words).zip(&read.rows) {
                        assert_eq!((row.long(0)?, &*row.text(1)?), (n, &**word));
                    }
                    assert_eq!(&*joined.rows[0].text(0)?, "ab");
                    assert_eq!((summed.rows[0].long(0)?, summed.rows[0].long(1)?), (3, 3));
                }
                let many = (0..=600)
                    .flat_map(|n| [Value::Number(n), "w".into()])
                    .collect();
                let (both, others) = (vec!["a".into(), "b".into()], vec![Value::Number(1); 300]);
                let [read, joined, summed] = COUNTING.read(session, [many, both, others]).await?;
                let numbers: Result<Vec<i64>, _> =
                    read.rows.iter().map(|row| row.long(0)).collect();
                assert_eq!(
                    numbers?,
                    (0..=600).collect::<Vec<i64>>(),
                    "in three flights"
                );
                assert_eq!(joined.rows.len(), 1, "asked once");
                let counts: Result<Vec<i64>, _> =
                    summed.rows.iter().map(|row| row.long(0)).collect();
                assert_eq!(counts?, [256, 44, 0]);
                Ok(())
            })
        });
        asked.await?;
        let written = store.write(|session| {
            Box::pin(async move {
                let before = session.changed();
                let names = ["a", "b", "c"].map(Value::Text);
                let rows = names.iter().flat_map(|name| [*name, "".into()]);
                let two = names[..2].to_vec();
                let [inserted, updated] = WRITING.write(session, [rows.collect(), two]).await?;
                assert_eq!((inserted.changed, updated.changed), (3, 2));
                assert_eq!(session.changed() - before, 5);
                let none = WRITING.write(session, [vec![], vec!["x".into()]]).await?;
                assert_eq!(none.map(|answer| answer.changed), [0, 0]);
                Ok(Ending::Commit(()))
            })
        });
        Ok(written.await?)
    }
}
