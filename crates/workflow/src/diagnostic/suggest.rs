//! "Did you mean": the nearest known word.

use strsim::damerau_levenshtein;

/// Words longer than this are no typing mistakes.
const WORD_LETTERS_MAX: usize = 64;

/// The nearest of `known` to `word`, if it is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = word.chars().count();
    if letters > WORD_LETTERS_MAX {
        return None;
    }
    let distance_max = (letters / 3).max(2).min(letters.saturating_sub(1));
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= WORD_LETTERS_MAX * 4)
        .map(|candidate| (damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= distance_max)
        .min()
        .map(|(_, candidate)| candidate)
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

    #[test]
    fn the_nearest_word_is_found_and_a_far_one_is_not() {
        let known = ["priority", "champion", "title"];
        assert_eq!(nearest("prioritty", known), Some("priority"));
        assert_eq!(nearest("champoin", known), Some("champion"));
        assert_eq!(nearest("zz", known), None);
        assert_eq!(nearest(&"x".repeat(100_000), known), None);
    }
}
