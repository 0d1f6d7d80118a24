//! Columns to words and back.

use crate::Failure;
use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// Positions and shards share one integer: `shard * 2^40 + position`.
const PLACE_BITS: u32 = 40;

/// The place of a position in a shard.
pub(crate) fn place(shard: u32, position: u64) -> i64 {
    (i64::from(shard) << PLACE_BITS) + signed(position)
}

/// The last place that a shard can have.
pub(crate) fn last_place(shard: u32) -> i64 {
    (i64::from(shard + 1) << PLACE_BITS) - 1
}

/// The position of a place.
pub(crate) fn position_of(place: i64) -> u64 {
    place.cast_unsigned() & ((1 << PLACE_BITS) - 1)
}

/// A count as the database holds it.
pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// An instant as the database holds it: nanoseconds, from 1677 to 2262.
pub(crate) fn nanos(at: Timestamp) -> i64 {
    let exact = at.as_nanosecond();
    i64::try_from(exact).unwrap_or(if exact < 0 { i64::MIN } else { i64::MAX })
}

/// The instant of so many nanoseconds.
pub(crate) fn instant_of(nanos: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanos))
        .expect("64 bits of nanoseconds lie within the years that jiff knows")
}

/// Columns by number.
pub(crate) trait Columns {
    fn long(&self, index: usize) -> Result<i64, Failure>;
    fn maybe_long(&self, index: usize) -> Result<Option<i64>, Failure>;
    fn text(&self, index: usize) -> Result<Box<str>, Failure>;
    fn maybe_text(&self, index: usize) -> Result<Option<Box<str>>, Failure>;
    fn bytes(&self, index: usize) -> Result<Vec<u8>, Failure>;

    fn count(&self, index: usize) -> Result<u64, Failure> {
        u64::try_from(self.long(index)?).map_err(|why| Failure::unreadable("a count", why))
    }

    fn small(&self, index: usize) -> Result<u32, Failure> {
        u32::try_from(self.long(index)?).map_err(|why| Failure::unreadable("a number", why))
    }

    fn instant(&self, index: usize) -> Result<Timestamp, Failure> {
        Ok(instant_of(self.long(index)?))
    }

    fn maybe_instant(&self, index: usize) -> Result<Option<Timestamp>, Failure> {
        Ok(self.maybe_long(index)?.map(instant_of))
    }
}

impl Columns for SqliteRow {
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
