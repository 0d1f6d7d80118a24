//! Rows of this database, read by the same columns; lists of values for statements that write many rows at once.

use crate::Failure;
pub(crate) use crate::sqlite::rows::{Columns, last_place, nanos, place, position_of, signed};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::borrow::Cow;

impl Columns for PgRow {
    fn long(&self, index: usize) -> Result<i64, Failure> {
        Ok(self.try_get(index)?)
    }

    fn maybe_long(&self, index: usize) -> Result<Option<i64>, Failure> {
        Ok(self.try_get(index)?)
    }

    fn text(&self, index: usize) -> Result<Box<str>, Failure> {
        Ok(self.try_get::<&str, _>(index)?.into())
    }

    fn maybe_text(&self, index: usize) -> Result<Option<Box<str>>, Failure> {
        Ok(self.try_get::<Option<&str>, _>(index)?.map(Into::into))
    }

    fn bytes(&self, index: usize) -> Result<Vec<u8>, Failure> {
        Ok(self.try_get(index)?)
    }
}

/// Text as this database takes it: it has no place for the character 0, and one that came in from outside must not
/// make a whole batch fail for ever.
pub(crate) fn word(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The number of a shard.
pub(crate) fn number(shard: u32) -> i64 {
    i64::from(shard)
}
