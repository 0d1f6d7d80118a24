//! Every Rust file says in its first line what it is.

use crate::{Complaint, Reason, Tree};

const REASON: Reason = Reason {
    why: "a file holds one noun or one verb, and its first line says which",
    instead: "begin with `//! ` and a sentence",
};

/// Every Rust file begins with a `//!` sentence.
pub fn first_line(tree: &Tree) -> Vec<Complaint> {
    tree.rust()
        .filter(|file| {
            let said = file.text.strip_prefix("//! ");
            said.is_none_or(|said| said.trim_start().is_empty())
        })
        .map(|file| Complaint::new(&file.path, 1, "no `//!` line", REASON))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::control::flags;

    #[test]
    fn a_file_without_its_sentence_is_flagged() {
        flags(
            first_line,
            &[
                ("crates/model/src/good.rs", "//! Good.\n"),
                ("crates/model/src/late.rs", "use a;\n//! Late.\n"),
                ("crates/model/src/plain.rs", "// Plain.\n"),
                ("crates/model/src/void.rs", "//!\nfn a() {}\n"),
                ("crates/model/notes.txt", "no Rust"),
            ],
            &[
                ("crates/model/src/late.rs", 1),
                ("crates/model/src/plain.rs", 1),
                ("crates/model/src/void.rs", 1),
            ],
        );
    }
}
