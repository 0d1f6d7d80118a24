//! "Did you mean": the nearest known word, or those that are equally near.

use std::fmt;
use strsim::damerau_levenshtein;

/// Words longer than this are no typing mistakes.
const WORD_LETTERS_MAX: usize = 64;
/// So many equally near words are named.
const NEAR_MAX: usize = 3;
/// So many candidates are measured for one word: that is dear, and a file can hold thousands of misspelt names.
const MEASURED_MAX: usize = 20;

/// The nearest words; mostly there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Near<'a> {
    words: Vec<&'a str>,
}

impl Near<'_> {
    /// Whether this is one of them.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }
}

/// Stands between backticks: `a`, or `` a` or `b ``.
impl fmt::Display for Near<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.words.join("` or `"))
    }
}

/// The nearest of `known` to `word`, if it is near enough to be meant.
pub(crate) fn nearest<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<Near<'a>> {
    let letters = word.chars().count();
    if letters > WORD_LETTERS_MAX {
        return None;
    }
    let mut distance_max = (letters / 3).max(2).min(letters.saturating_sub(1));
    let own = bag(word);
    let mut candidates: Vec<(usize, &str)> = known
        .into_iter()
        .filter(|candidate| candidate.len() <= WORD_LETTERS_MAX * 4)
        .map(|candidate| (apart(&own, &bag(candidate)), candidate))
        .filter(|(at_least, _)| *at_least <= distance_max)
        .collect();
    candidates.sort_unstable();
    candidates.dedup();
    let mut words: Vec<&str> = Vec::new();
    for (measured, (at_least, candidate)) in candidates.into_iter().enumerate() {
        if at_least > distance_max {
            break;
        }
        if measured == MEASURED_MAX {
            // Among so many that are alike nobody knows which one was meant.
            return None;
        }
        let distance = damerau_levenshtein(word, candidate);
        if distance < distance_max {
            words.clear();
            distance_max = distance;
        }
        if distance <= distance_max {
            words.push(candidate);
        }
    }
    words.sort_unstable();
    words.truncate(NEAR_MAX);
    (!words.is_empty()).then_some(Near { words })
}

/// How often each letter stands in a word; letters fall together by their last bits.
fn bag(word: &str) -> [u8; 64] {
    let mut bag = [0_u8; 64];
    for letter in word.chars() {
        let place = &mut bag[(u32::from(letter) & 63) as usize];
        *place = place.saturating_add(1);
    }
    bag
}

/// The fewest changes of letters that could make the one word of the other: never more than their distance.
fn apart(one: &[u8; 64], other: &[u8; 64]) -> usize {
    let (mut more, mut fewer) = (0, 0);
    for (a, b) in one.iter().zip(other) {
        more += usize::from(a.saturating_sub(*b));
        fewer += usize::from(b.saturating_sub(*a));
    }
    more.max(fewer)
}

/// The help for a misspelt word; without a near one, the list of what there is if it is short.
pub(crate) fn nearest_of(word: &str, known: &[&str]) -> Option<String> {
    if let Some(near) = nearest(word, known.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    (!known.is_empty() && known.len() <= 12).then(|| format!("one of: {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, expected: &str) {
        let known = ["priority", "champion", "title", "title2", "title3"];
        let near = nearest(word, known).map_or_else(String::new, |near| near.to_string());
        assert_eq!(near, expected);
    }

    #[test]
    fn the_nearest_word_is_found_and_a_far_one_is_not() {
        check("prioritty", "priority");
        check("champoin", "champion");
        check("zz", "");
        check(&"x".repeat(100_000), "");
    }

    #[test]
    fn equally_near_words_are_all_named() {
        check("title4", "title` or `title2` or `title3");
        check("title2", "title2");
    }
}
