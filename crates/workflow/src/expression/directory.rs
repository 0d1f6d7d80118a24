//! Defined names of one kind, found by the name and by the place in the program's list.

use super::Defined;
use std::collections::BTreeMap;
use std::ops::Deref;

/// Read like the map by name that it holds; [`Directory::at`] finds by place, without a walk through all of them.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    names: BTreeMap<Box<str>, Defined>,
    places: Vec<Option<Box<str>>>,
}

impl Directory {
    /// Takes a name; another one of the same place or name gives way.
    pub fn insert(&mut self, name: Box<str>, defined: Defined) {
        let place = defined.index;
        if self.places.len() <= place {
            self.places.resize(place + 1, None);
        }
        self.places[place] = Some(name.clone());
        self.names.insert(name, defined);
    }

    /// What a name means, to be said more exactly. Its place stays.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Defined> {
        self.names.get_mut(name)
    }

    /// The name at a place, and what it means.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<(&str, &Defined)> {
        let name = self.places.get(place)?.as_deref()?;
        let defined = self.names.get(name)?;
        (defined.index == place).then_some((name, defined))
    }
}

impl Deref for Directory {
    type Target = BTreeMap<Box<str>, Defined>;

    fn deref(&self) -> &Self::Target {
        &self.names
    }
}

impl FromIterator<(Box<str>, Defined)> for Directory {
    fn from_iter<I: IntoIterator<Item = (Box<str>, Defined)>>(all: I) -> Self {
        let mut directory = Self::default();
        for (name, defined) in all {
            directory.insert(name, defined);
        }
        directory
    }
}
