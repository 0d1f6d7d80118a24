//! Names that say nothing: a drawer called so fills with what has no place.

use crate::manifest::manifests;
use crate::tree::File;
use crate::{Complaint, Reason, Tree, scan};

/// No crate, module or type is called this.
pub const BANNED: &[&str] = &[
    "common", "core", "helper", "helpers", "manager", "misc", "types", "util", "utils",
];

const REASON: Reason = Reason {
    why: "a drawer with this name fills with what has no place",
    instead: "name it by the one noun or verb it holds (ARCHITECTURE.md, words)",
};

/// No package, file, module or type has a name that says nothing.
pub fn names(tree: &Tree) -> Vec<Complaint> {
    let packages = manifests(tree)
        .into_iter()
        .filter(|manifest| says_nothing(&manifest.name))
        .map(|manifest| Complaint::new(&manifest.path, 1, named(&manifest.name), REASON));
    let paths = tree.rust().filter_map(of_path);
    let items = tree.rust().flat_map(of_items);
    packages.chain(paths).chain(items).collect()
}

fn of_path(file: &File) -> Option<Complaint> {
    let part = file
        .path
        .trim_end_matches(".rs")
        .split('/')
        .find(|part| says_nothing(part))?;
    Some(Complaint::new(&file.path, 1, named(part), REASON))
}

fn of_items(file: &File) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for keyword in ["mod", "struct", "enum", "trait", "type", "union"] {
        for at in scan::words(file.code(), keyword) {
            let name: String = file.code()[at + keyword.len()..]
                .trim_start()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if says_nothing(&name) {
                complaints.push(Complaint::new(
                    &file.path,
                    file.line(at),
                    named(&name),
                    REASON,
                ));
            }
        }
    }
    complaints
}

fn named(name: &str) -> String {
    format!("the name `{name}`")
}

/// Whether the last word of a name, in any of the ways to write one, is banned.
fn says_nothing(name: &str) -> bool {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
        .split(['_', '-', ' '])
        .next_back()
        .is_some_and(|last| BANNED.contains(&last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::control::flags;

    #[test]
    fn a_name_that_says_nothing_is_flagged_wherever_it_stands() {
        let items = "//! X.\nmod helpers;\nstruct LeaseManager;\nenum Managerial {}\nfn core() {}\n// mod utils\n";
        flags(
            names,
            &[
                ("crates/common/Cargo.toml", "[package]\nname = \"common\"\n"),
                ("crates/store/src/lease.rs", items),
                ("crates/store/src/types.rs", "//! X.\n"),
                (
                    "crates/store/src/typesetting.rs",
                    "//! X.\nstruct Corelation;\n",
                ),
            ],
            &[
                ("crates/common/Cargo.toml", 1),
                ("crates/store/src/types.rs", 1),
                ("crates/store/src/lease.rs", 2),
                ("crates/store/src/lease.rs", 3),
            ],
        );
    }
}
