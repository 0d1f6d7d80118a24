//! The rules, one file for each matter.

pub mod arrows;
pub mod header;
pub mod length;
pub mod names;
pub mod places;
pub mod pure;
pub mod reach;
pub mod sql;
pub mod waiting;

use crate::tree::File;
use crate::{Complaint, Reason, scan};

/// Complains of each place outside tests where one of `words` stands in the code.
fn banned_words(file: &File, words: &[&str], reason: Reason) -> Vec<Complaint> {
    let mut found: Vec<Complaint> = words
        .iter()
        .flat_map(|word| {
            scan::words(file.code(), word)
                .into_iter()
                .map(move |at| (at, word))
        })
        .filter(|(at, _)| !file.is_test(*at))
        .map(|(at, word)| Complaint::new(&file.path, file.line(at), format!("`{word}`"), reason))
        .collect();
    found.sort_by_key(|complaint| complaint.line);
    found
}

#[cfg(test)]
pub(crate) mod control {
    //! The negative control of a rule: it must flag these files at these lines, and no others.

    use crate::{Complaint, Tree};

    /// Runs `rule` on `files` and compares where it complains with `expected`.
    pub(crate) fn flags(
        rule: fn(&Tree) -> Vec<Complaint>,
        files: &[(&str, &str)],
        expected: &[(&str, usize)],
    ) {
        let complaints = rule(&Tree::of(files));
        let places: Vec<(&str, usize)> = complaints
            .iter()
            .map(|complaint| (complaint.path.as_str(), complaint.line))
            .collect();
        assert_eq!(places, expected, "{complaints:#?}");
    }
}
