//! The stored format: how state becomes bytes and comes back; small, ordered, the same everywhere.

mod several;

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp};
use model::{Decimal, MessageId, RunId, Value};
use workflow::program::Band;

/// Why bytes could not be read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// They end too early.
    #[error("the stored bytes end too early")]
    Truncated,
    /// They go on after the end.
    #[error("the stored bytes go on after their end")]
    Trailing,
    /// A newer program wrote them, or none.
    #[error("the stored bytes have version {0}, which this program does not know")]
    Version(u8),
    /// A tag that no variant has.
    #[error("the stored bytes hold the unknown tag {0}")]
    Tag(u64),
    /// Text that is not UTF-8, or a time or day that does not exist.
    #[error("the stored bytes hold a value that cannot be")]
    Value,
    /// A part of a name that nobody knows.
    #[error("there is no part of that name")]
    Part,
}

/// Bytes on their way back.
#[derive(Debug)]
pub struct Bytes<'a> {
    rest: &'a [u8],
    /// The version that wrote them: what a later one added is not in them.
    version: u8,
}

impl<'a> Bytes<'a> {
    /// Begins at the first byte of what the newest version wrote.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            version: u8::MAX,
        }
    }

    /// From here on the bytes are those of a version.
    pub fn set_version(&mut self, version: u8) {
        self.version = version;
    }

    /// Reads what was added in a version; in older bytes it is as if it had never been said.
    pub fn added<T: Stored + Default>(&mut self, version: u8) -> Result<T, DecodeError> {
        if self.version < version {
            Ok(T::default())
        } else {
            T::read(self)
        }
    }

    /// All that is left.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether nothing is left.
    pub fn end(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::Trailing)
        }
    }

    /// The next `len` bytes.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    /// A number of elements, each of which takes at least a byte: never more than bytes are left.
    pub fn count(&mut self) -> Result<usize, DecodeError> {
        let len = usize::try_from(u64::read(self)?).map_err(|_| DecodeError::Truncated)?;
        if len > self.rest.len() {
            return Err(DecodeError::Truncated);
        }
        Ok(len)
    }
}

/// What has a stored form.
pub trait Stored: Sized {
    /// Appends the stored form.
    fn write(&self, out: &mut Vec<u8>);
    /// Reads it back.
    fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError>;
}

/// Gives a struct with named fields its stored form: the fields in the order listed, those that a later version added
/// behind them.
macro_rules! stored_struct {
    ($name:ident { $($field:ident),* $(,)? } $(since $version:literal { $($added:ident),* $(,)? })*) => {
        impl $crate::stored::Stored for $name {
            fn write(&self, out: &mut Vec<u8>) {
                $($crate::stored::Stored::write(&self.$field, out);)*
                $($($crate::stored::Stored::write(&self.$added, out);)*)*
            }
            fn read(bytes: &mut $crate::stored::Bytes<'_>) -> Result<Self, $crate::stored::DecodeError> {
                Ok(Self {
                    $($field: $crate::stored::Stored::read(bytes)?,)*
                    $($($added: bytes.added($version)?,)*)*
                })
            }
        }
    };
}

/// Gives an enum without data its stored form: the tags listed.
macro_rules! stored_enum {
    ($name:ident { $($tag:literal = $variant:ident),* $(,)? }) => {
        impl $crate::stored::Stored for $name {
            fn write(&self, out: &mut Vec<u8>) {
                let tag: u64 = match self { $(Self::$variant => $tag),* };
                $crate::stored::Stored::write(&tag, out);
            }
            fn read(bytes: &mut $crate::stored::Bytes<'_>) -> Result<Self, $crate::stored::DecodeError> {
                match <u64 as $crate::stored::Stored>::read(bytes)? {
                    $($tag => Ok(Self::$variant),)*
                    tag => Err($crate::stored::DecodeError::Tag(tag)),
                }
            }
        }
    };
}

pub(crate) use {stored_enum, stored_struct};

impl Stored for u64 {
    fn write(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            out.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        out.push((rest & 0x7f) as u8);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
        let mut value: u64 = 0;
        for shift in (0..64).step_by(7) {
            let byte = bytes.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::Value)
    }
}

impl Stored for i64 {
    fn write(&self, out: &mut Vec<u8>) {
        let zigzag = ((*self << 1) ^ (*self >> 63)).cast_unsigned();
        zigzag.write(out);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
        let zigzag = u64::read(bytes)?;
        Ok((zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed()))
    }
}

macro_rules! stored_small {
    ($($small:ty as $wide:ty),*) => {$(
        impl Stored for $small {
            fn write(&self, out: &mut Vec<u8>) {
                <$wide>::from(*self).write(out);
            }
            fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
                Self::try_from(<$wide>::read(bytes)?).map_err(|_| DecodeError::Value)
            }
        }
    )*};
}
stored_small!(u8 as u64, u16 as u64, u32 as u64, i32 as i64);

impl Stored for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
        match bytes.take(1)?[0] {
            0 => Ok(false),
            1 => Ok(true),
            tag => Err(DecodeError::Tag(u64::from(tag))),
        }
    }
}

impl Stored for Box<str> {
    fn write(&self, out: &mut Vec<u8>) {
        (self.len() as u64).write(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
        let len = bytes.count()?;
        let text = std::str::from_utf8(bytes.take(len)?).map_err(|_| DecodeError::Value)?;
        Ok(text.into())
    }
}

impl Stored for Timestamp {
    fn write(&self, out: &mut Vec<u8>) {
        self.as_second().write(out);
        self.subsec_nanosecond().write(out);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
        let seconds = i64::read(bytes)?;
        let nanoseconds = i32::read(bytes)?;
        Self::new(seconds, nanoseconds).map_err(|_| DecodeError::Value)
    }
}

impl Stored for Date {
    fn write(&self, out: &mut Vec<u8>) {
        i32::from(self.year()).write(out);
        out.push(self.month().cast_unsigned());
        out.push(self.day().cast_unsigned());
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
        let year = i16::try_from(i32::read(bytes)?).map_err(|_| DecodeError::Value)?;
        let rest = bytes.take(2)?;
        Self::new(year, rest[0].cast_signed(), rest[1].cast_signed())
            .map_err(|_| DecodeError::Value)
    }
}

impl Stored for DateTime {
    fn write(&self, out: &mut Vec<u8>) {
        self.date().write(out);
        let begun = self.time().duration_since(Time::midnight());
        i64::try_from(begun.as_nanos()).unwrap_or(0).write(out);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
        let day = Date::read(bytes)?;
        let begun = SignedDuration::from_nanos(i64::read(bytes)?);
        let time = Time::midnight().checked_add(begun);
        time.map(|time| Self::from_parts(day, time))
            .map_err(|_| DecodeError::Value)
    }
}

impl Stored for Decimal {
    fn write(&self, out: &mut Vec<u8>) {
        self.millionths().write(out);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
        Ok(Self::from_millionths(i64::read(bytes)?))
    }
}

macro_rules! stored_id {
    ($($id:ty),*) => {$(
        impl Stored for $id {
            fn write(&self, out: &mut Vec<u8>) {
                (self.as_str().len() as u64).write(out);
                out.extend_from_slice(self.as_str().as_bytes());
            }
            fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
                Ok(Self::new(<Box<str>>::read(bytes)?))
            }
        }
    )*};
}
stored_id!(RunId, MessageId);

stored_enum!(Band { 0 = Red, 1 = Yellow, 2 = Green });

impl Stored for Value {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Bool(yes) => {
                out.push(0);
                yes.write(out);
            }
            Self::Number(decimal) => {
                out.push(1);
                decimal.write(out);
            }
            Self::Percent(decimal) => {
                out.push(2);
                decimal.write(out);
            }
            Self::Money(decimal) => {
                out.push(3);
                decimal.write(out);
            }
            Self::Text(text) => {
                out.push(4);
                text.write(out);
            }
            Self::Word(word) => {
                out.push(5);
                word.write(out);
            }
            Self::Date(date) => {
                out.push(6);
                date.write(out);
            }
            Self::Time(time) => {
                out.push(7);
                time.write(out);
            }
        }
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
        Ok(match bytes.take(1)?[0] {
            0 => Self::Bool(Stored::read(bytes)?),
            1 => Self::Number(Stored::read(bytes)?),
            2 => Self::Percent(Stored::read(bytes)?),
            3 => Self::Money(Stored::read(bytes)?),
            4 => Self::Text(Stored::read(bytes)?),
            5 => Self::Word(Stored::read(bytes)?),
            6 => Self::Date(Stored::read(bytes)?),
            7 => Self::Time(Stored::read(bytes)?),
            tag => return Err(DecodeError::Tag(u64::from(tag))),
        })
    }
}
