//! How many events, and what their values come to.

use crate::stored::{Bytes, DecodeError, Stored, stored_struct};
use model::Decimal;

/// How many events, and what their values come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    /// How many.
    pub(crate) count: u32,
    /// Their values, where a metric asks for them and any was known.
    pub(crate) values: Option<Spread>,
}
stored_struct!(Amount { count, values });

/// What known values come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spread {
    /// How many there were.
    pub(crate) count: u32,
    /// Their sum.
    pub(crate) sum: Sum,
    /// The least.
    pub(crate) least: Decimal,
    /// The greatest.
    pub(crate) greatest: Decimal,
}
stored_struct!(Spread {
    count,
    sum,
    least,
    greatest
});

/// A sum of millionths, wide enough that the order of adding never matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum(pub(crate) i128);

impl Stored for Sum {
    fn write(&self, out: &mut Vec<u8>) {
        let bytes = self.0.to_be_bytes();
        let (high, low) = bytes.split_at(8);
        i64::from_be_bytes(high.try_into().unwrap_or_default()).write(out);
        u64::from_be_bytes(low.try_into().unwrap_or_default()).write(out);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
        let high = i64::read(bytes)?;
        let low = u64::read(bytes)?;
        Ok(Self((i128::from(high) << 64) | i128::from(low)))
    }
}

impl Sum {
    /// As a number, where it is not too large for one.
    pub(crate) fn decimal(self) -> Option<Decimal> {
        i64::try_from(self.0).ok().map(Decimal::from_millionths)
    }

    /// Shared among `count`, half to even.
    pub(crate) fn over(self, count: u32) -> Option<Decimal> {
        if count == 0 {
            return None;
        }
        let count = i128::from(count);
        let down = self.0.div_euclid(count);
        let rest = self.0.rem_euclid(count) * 2;
        let up = match rest.cmp(&count) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Greater => 1,
            std::cmp::Ordering::Equal => down.rem_euclid(2),
        };
        i64::try_from(down + up).ok().map(Decimal::from_millionths)
    }
}

impl Amount {
    /// One event more.
    pub(crate) fn add(&mut self, value: Option<Decimal>) {
        let one = value.map(|value| Spread {
            count: 1,
            sum: Sum(i128::from(value.millionths())),
            least: value,
            greatest: value,
        });
        self.join(&Self {
            count: 1,
            values: one,
        });
    }

    /// One event less. What was least or greatest stays: nobody keeps the second.
    pub(crate) fn take(&mut self, value: Option<Decimal>) {
        self.count = self.count.saturating_sub(1);
        if let (Some(values), Some(value)) = (&mut self.values, value) {
            values.count = values.count.saturating_sub(1);
            values.sum.0 -= i128::from(value.millionths());
            if values.count == 0 {
                self.values = None;
            }
        }
    }

    /// Both together.
    pub(crate) fn join(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        match (&mut self.values, &other.values) {
            (Some(mine), Some(theirs)) => {
                mine.count = mine.count.saturating_add(theirs.count);
                mine.sum.0 += theirs.sum.0;
                mine.least = mine.least.min(theirs.least);
                mine.greatest = mine.greatest.max(theirs.greatest);
            }
            (None, Some(theirs)) => self.values = Some(theirs.clone()),
            (Some(_) | None, None) => {}
        }
    }
}
