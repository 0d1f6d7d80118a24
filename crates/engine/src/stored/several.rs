//! How several things are stored: options, lists, sets, maps and pairs.

use super::{Bytes, DecodeError, Stored};
use std::collections::{BTreeMap, BTreeSet};

/// For how many items room is made before they are read: a number that is wrong takes no memory.
const ROOM_MAX: usize = 64;

impl<T: Stored> Stored for Option<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.is_some().write(out);
        if let Some(inner) = self {
            inner.write(out);
        }
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
        Ok(if bool::read(bytes)? {
            Some(T::read(bytes)?)
        } else {
            None
        })
    }
}

impl<T: Stored> Stored for Vec<T> {
    fn write(&self, out: &mut Vec<u8>) {
        (self.len() as u64).write(out);
        for item in self {
            item.write(out);
        }
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
        let len = bytes.count()?;
        // Most are short and are kept in memory for long: they take the room of what is in them.
        let mut all = Vec::with_capacity(len.min(ROOM_MAX));
        for _ in 0..len {
            all.push(T::read(bytes)?);
        }
        Ok(all)
    }
}

impl<T: Stored + Ord> Stored for BTreeSet<T> {
    fn write(&self, out: &mut Vec<u8>) {
        (self.len() as u64).write(out);
        for item in self {
            item.write(out);
        }
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
        let len = bytes.count()?;
        (0..len).map(|_| T::read(bytes)).collect()
    }
}

impl<K: Stored + Ord, V: Stored> Stored for BTreeMap<K, V> {
    fn write(&self, out: &mut Vec<u8>) {
        (self.len() as u64).write(out);
        for (key, value) in self {
            key.write(out);
            value.write(out);
        }
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
        let len = bytes.count()?;
        (0..len)
            .map(|_| Ok((K::read(bytes)?, V::read(bytes)?)))
            .collect()
    }
}

impl<A: Stored, B: Stored> Stored for (A, B) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
        Ok((A::read(bytes)?, B::read(bytes)?))
    }
}
