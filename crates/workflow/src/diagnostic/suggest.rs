//! "Did you mean": the nearest known word, or those that are equally near.

use std::fmt;
use strsim::damerau_levenshtein;

/// Words longer than this are no typing mistakes.
const WORD_LETTERS_MAX: usize = 64;
/// So many equally near words are named.
const NEAR_MAX: usize = 3;
/// So many candidates are measured for one word: that is dear, and a file can hold thousands of misspelt names.
const MEASURED_MAX: usize = 10;

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
    let typed = Typed::of(word)?;
    let mut alike = Alike::default();
    for candidate in known {
        alike.offer(&typed, candidate);
    }
    alike.nearest(&typed)
}

/// The nearest of `known` as it is shown between backticks, if any is near enough to be meant.
pub fn meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, known).map(|near| near.to_string())
}

/// A word that is not known, and how often each letter stands in it; letters fall together by their last bits.
pub(crate) struct Typed<'w> {
    word: &'w str,
    letters: usize,
    distance_max: usize,
    bag: [u8; BAG],
}

const BAG: usize = 64;
/// The bits of a byte that say its place in the bag.
const BAG_BITS: u8 = 63;

impl<'w> Typed<'w> {
    /// Nothing if it is too long for a typing mistake.
    pub(crate) fn of(word: &'w str) -> Option<Self> {
        let letters = word.chars().count();
        if letters > WORD_LETTERS_MAX {
            return None;
        }
        let mut bag = [0_u8; BAG];
        for letter in word.chars() {
            bag[u32::from(letter) as usize % BAG] += 1;
        }
        Some(Self {
            word,
            letters,
            distance_max: (letters / 3).max(2).min(letters.saturating_sub(1)),
            bag,
        })
    }

    /// The fewest changes of letters that could make the word of the candidate: never more than their distance. Nothing if
    /// it is too far. Every name there is is asked this for every misspelt one, so it walks bytes where it can.
    fn at_least(&self, candidate: &str) -> Option<usize> {
        let is_ascii = candidate.is_ascii();
        let count = if is_ascii {
            candidate.len()
        } else {
            candidate.chars().count()
        };
        if count.abs_diff(self.letters) > self.distance_max {
            return None;
        }
        let mut bag = self.bag;
        // Fewer than 256: a longer candidate was too far already.
        let mut found = 0_u8;
        if is_ascii {
            // Without a branch or a check: this is asked a hundred thousand times of a file that is meant to be slow.
            for byte in candidate.as_bytes() {
                let place = &mut bag[usize::from(byte & BAG_BITS)];
                let is_left = u8::from(*place != 0);
                *place = place.wrapping_sub(is_left);
                found = found.wrapping_add(is_left);
            }
        } else {
            for letter in candidate.chars() {
                let place = &mut bag[u32::from(letter) as usize % BAG];
                if *place != 0 {
                    *place -= 1;
                    found += 1;
                }
            }
        }
        let found = usize::from(found);
        let (more, fewer) = (count - found, self.letters - found);
        Some(more.max(fewer)).filter(|at_least| *at_least <= self.distance_max)
    }
}

/// The candidates that could be near enough, by the fewest changes.
#[derive(Default)]
pub(crate) struct Alike<'a>(Vec<Vec<&'a str>>);

impl<'a> Alike<'a> {
    /// Takes a candidate, if it could be near enough.
    pub(crate) fn offer(&mut self, typed: &Typed<'_>, candidate: &'a str) {
        let Some(at_least) = typed.at_least(candidate) else {
            return;
        };
        if self.0.len() <= at_least {
            self.0.resize(at_least + 1, Vec::new());
        }
        self.0[at_least].push(candidate);
    }

    /// The nearest of these, or of `others` if none of these could have been meant.
    pub(crate) fn nearest_or(self, others: Self, typed: &Typed<'_>) -> Option<Near<'a>> {
        let is_crowd = self.0.iter().map(Vec::len).sum::<usize>() > MEASURED_MAX;
        let near = self.nearest(typed);
        if near.is_some() || is_crowd {
            return near;
        }
        others.nearest(typed)
    }

    /// The nearest of those that were offered.
    pub(crate) fn nearest(self, typed: &Typed<'_>) -> Option<Near<'a>> {
        let mut distance_max = typed.distance_max;
        let mut words: Vec<&str> = Vec::new();
        let mut measured = 0;
        for (at_least, candidates) in self.0.into_iter().enumerate() {
            if at_least > distance_max {
                break;
            }
            for candidate in candidates {
                if measured == MEASURED_MAX {
                    // Among so many that are alike nobody knows which one was meant.
                    return None;
                }
                measured += 1;
                let distance = damerau_levenshtein(typed.word, candidate);
                if distance < distance_max {
                    words.clear();
                    distance_max = distance;
                }
                if distance <= distance_max {
                    words.push(candidate);
                }
            }
        }
        words.sort_unstable();
        words.dedup();
        words.truncate(NEAR_MAX);
        (!words.is_empty()).then_some(Near { words })
    }
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
