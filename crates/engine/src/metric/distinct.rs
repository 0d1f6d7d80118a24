//! Different values over windows: by value the days on which it was seen.

use crate::stored::stored_struct;
use std::collections::BTreeMap;

/// The values of all bases that count different ones. The part `sets`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sets {
    /// By basis.
    pub values: BTreeMap<Box<str>, Values>,
}
stored_struct!(Sets { values });

impl Sets {
    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// The values of one basis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    /// By hash of the value.
    pub(crate) seen: BTreeMap<u64, Seen>,
    /// The day on which values that no window reaches any more were last dropped.
    pub(crate) pruned_on: i32,
}
stored_struct!(Values { seen, pruned_on });

/// The days on which one value was seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    /// The last one.
    pub(crate) last: i32,
    /// Bit k of the whole: seen k days before the last.
    pub(crate) bits: Vec<u64>,
}
stored_struct!(Seen { last, bits });
