//! A map by name for what is asked for in the order of names again and again, so the next one is found at once, and for
//! what is mostly one or two in very many places: it takes room for what it has, where a `BTreeMap` takes it for eleven.

use crate::stored::{Bytes, DecodeError, Stored};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Values by name, in the order of their names.
#[derive(Debug)]
pub struct Named<T> {
    all: Vec<(Box<str>, T)>,
    /// Behind what was found last: there it is looked first.
    next: AtomicUsize,
}

impl<T> Named<T> {
    /// The place of a name, or where it would be.
    fn place(&self, name: &str) -> Result<usize, usize> {
        let next = self.next.load(Ordering::Relaxed);
        // What was found last is often asked for once more, and then what follows it.
        for place in [next.wrapping_sub(1), next] {
            if self.all.get(place).is_some_and(|(key, _)| **key == *name) {
                self.next.store(place + 1, Ordering::Relaxed);
                return Ok(place);
            }
        }
        let place = self.all.binary_search_by(|(key, _)| (**key).cmp(name));
        let (Ok(at) | Err(at)) = place;
        self.next
            .store(at + usize::from(place.is_ok()), Ordering::Relaxed);
        place
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&T> {
        let place = self.place(name).ok()?;
        self.all.get(place).map(|(_, value)| value)
    }

    /// The value of a name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        let place = self.place(name).ok()?;
        self.all.get_mut(place).map(|(_, value)| value)
    }

    /// The value of a name, made if there is none.
    pub fn or_default(&mut self, name: &str) -> &mut T
    where
        T: Default,
    {
        self.or_insert_with(name, T::default)
    }

    /// Whether there is a value of that name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.place(name).is_ok()
    }

    /// Gives a name its value; the one it had.
    pub fn insert(&mut self, name: Box<str>, value: T) -> Option<T> {
        match self.place(&name) {
            Ok(place) => Some(std::mem::replace(&mut self.all[place].1, value)),
            Err(place) => {
                self.put(place, name, value);
                None
            }
        }
    }

    /// The value of a name, made so if there is none.
    pub fn or_insert_with(&mut self, name: &str, value: impl FnOnce() -> T) -> &mut T {
        let place = match self.place(name) {
            Ok(place) => place,
            Err(place) => self.put(place, name.into(), value()),
        };
        &mut self.all[place].1
    }

    fn put(&mut self, place: usize, name: Box<str>, value: T) -> usize {
        if self.all.len() == self.all.capacity() {
            self.all.reserve_exact(1 + self.all.len() / 4);
        }
        self.all.insert(place, (name, value));
        place
    }

    /// Takes a name and its value away.
    pub fn remove(&mut self, name: &str) -> Option<T> {
        let place = self.place(name).ok()?;
        Some(self.all.remove(place).1)
    }

    /// Keeps only what `is_kept`.
    pub fn retain(&mut self, mut is_kept: impl FnMut(&str, &mut T) -> bool) {
        self.all.retain_mut(|(name, value)| is_kept(name, value));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.all.iter().map(|(name, value)| (&**name, value))
    }

    /// The values, in the order of their names.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.all.iter().map(|(_, value)| value)
    }

    /// The values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.all.iter_mut().map(|(_, value)| value)
    }
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            next: AtomicUsize::new(0),
        }
    }
}

impl<T: Clone> Clone for Named<T> {
    fn clone(&self) -> Self {
        Self {
            all: self.all.clone(),
            next: AtomicUsize::new(0),
        }
    }
}

impl<T: PartialEq> PartialEq for Named<T> {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
    }
}

impl<T: Stored> Stored for Named<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.all.write(out);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, DecodeError> {
        let mut all = Vec::<(Box<str>, T)>::read(bytes)?;
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Self {
            all,
            next: AtomicUsize::new(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_finds_what_an_ordinary_map_finds(
            steps in prop::collection::vec(("[a-e]{1,2}", any::<bool>()), 0..60)
        ) {
            let mut named = Named::<u64>::default();
            let mut map = BTreeMap::<String, u64>::new();
            for (name, is_written) in steps {
                if is_written {
                    *named.or_default(&name) += 1;
                    *map.entry(name.clone()).or_default() += 1;
                }
                prop_assert_eq!(named.get(&name), map.get(&name));
                prop_assert_eq!(named.get_mut(&name), map.get_mut(&name));
            }
            let all: Vec<(&str, &u64)> = named.iter().collect();
            let wanted: Vec<(&str, &u64)> = map.iter().map(|(name, value)| (&**name, value)).collect();
            prop_assert_eq!(all, wanted);
        }
    }
}
