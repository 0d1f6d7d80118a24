//! Sources: read once the schema is known.

use super::sort::Sorted;
use crate::expression::Scope;
use crate::program::TopicSource;
use crate::reader::Notes;
use crate::reader::named::named;
use crate::reader::source;
use std::collections::BTreeMap;

/// Reads all sources.
pub(crate) fn read(
    notes: &mut Notes,
    sorted: &Sorted<'_>,
    scope: &Scope,
) -> BTreeMap<Box<str>, TopicSource> {
    let all = named(notes, sorted.all("sources"), "`sources`");
    let mut sources = BTreeMap::new();
    for named in &all {
        notes.open(named.file);
        if let Some(read) = source::source(notes, named, scope) {
            sources.insert(named.name.into(), read);
        }
    }
    sources
}
