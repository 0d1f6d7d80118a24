//! Since when absence proves something.

use crate::stored::stored_struct;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// What an account knows about its own beginnings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coverage {
    /// The earliest civil day on which any of the account's facts happened.
    pub first_on: Option<Date>,
    /// Whether the account's first fact was marked history: then nobody knows when the account began.
    pub began_in_history: bool,
    /// By event type: the civil day on which the first fact of that type was seen.
    pub seen_on: BTreeMap<Box<str>, Date>,
    /// By basis, for metrics that a later text brought: from when they are covered.
    pub covered_from: BTreeMap<Box<str>, Date>,
    /// In tests all that lies before counts as seen.
    pub is_whole: bool,
}
stored_struct!(Coverage {
    first_on,
    began_in_history,
    seen_on,
    covered_from,
    is_whole
});

impl Coverage {
    /// Notes a fact of a type: the day on which it happened, that on which it was seen, and whether it was marked history.
    /// Gives whether that was news.
    pub fn note(&mut self, kind: &str, happened_on: Date, seen_on: Date, is_history: bool) -> bool {
        let mut is_news = false;
        if self.first_on.is_none() {
            self.began_in_history = is_history;
        }
        if self.first_on.is_none_or(|first| happened_on < first) {
            self.first_on = Some(happened_on);
            is_news = true;
        }
        if !self.seen_on.contains_key(kind) {
            self.seen_on.insert(kind.into(), seen_on);
            is_news = true;
        }
        is_news
    }
}
