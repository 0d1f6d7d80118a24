//! A shape as what stands between its words: whether a page has it is seen without taking the page apart.

use super::shape::{CLOSE, OPEN, Place, decoded};
use std::borrow::Cow;

/// What stands before each word and where that word stands, and what stands behind the last.
#[derive(Debug)]
pub(super) struct Pattern {
    pieces: Vec<(String, Place)>,
    rest: String,
}

impl Pattern {
    /// Of a page with marks in place of its words, which stand in these places.
    pub(super) fn of(marked: &str, places: impl Iterator<Item = Place>) -> Self {
        let mut rest = marked;
        let mut pieces = Vec::new();
        for place in places {
            let (before, behind) = rest.split_once(OPEN).unwrap_or((rest, ""));
            pieces.push((before.to_owned(), place));
            rest = behind.split_once(CLOSE).map_or("", |(_, behind)| behind);
        }
        let rest = rest.to_owned();
        Self { pieces, rest }
    }

    /// The words of a page that has this shape; none where it has another or none.
    pub(super) fn read<'p>(&self, page: &'p str) -> Option<Vec<(Place, Cow<'p, str>)>> {
        let mut words = Vec::with_capacity(self.pieces.len());
        let mut rest = page;
        for (before, place) in &self.pieces {
            rest = rest.strip_prefix(before.as_str())?;
            let (word, behind) = rest.split_at(end_of_word(rest, *place)?);
            words.push((*place, decoded(word)?));
            rest = behind;
        }
        (rest == self.rest).then_some(words)
    }
}

/// Where the word ends that stands at the beginning; none where no word of a shape stands there.
fn end_of_word(text: &str, place: Place) -> Option<usize> {
    let is_end = |c: char| match place {
        Place::Text => c == '<' || c.is_whitespace(),
        Place::Attribute => c == '"',
    };
    let end = text.find(is_end).unwrap_or(text.len());
    let word = &text[..end];
    // A tag with a single quote in it has no shape.
    let is_odd = place == Place::Attribute && word.contains('\'');
    (!word.is_empty() && !is_odd).then_some(end)
}
