//! What the pure crates may depend on and touch: a list of what is allowed, so that a new
//! dependency is a decision and never an accident.

use crate::manifest::{Kind, manifests};
use crate::rules::banned_words;
use crate::rules::reach::TEETH;
use crate::{Complaint, Reason, Tree};

/// The pure crates, each with all that it may depend on.
pub const ALLOWED: &[(&str, &[&str])] = &[
    (
        "model",
        &["blake3", "jiff", "serde", "serde_json", "thiserror"],
    ),
    (
        "workflow",
        &[
            "annotate-snippets",
            "blake3",
            "handlebars",
            "jiff",
            "model",
            "mrml",
            "saphyr-parser",
            "serde",
            "serde_json",
            "strsim",
            "thiserror",
            "unicode-width",
        ],
    ),
    (
        "engine",
        &[
            "blake3",
            "jiff",
            "lz4_flex",
            "model",
            "serde",
            "serde_json",
            "thiserror",
            "workflow",
        ],
    ),
];

/// What the tests of the pure crates may depend on besides.
pub const ALLOWED_TO_TESTS: &[&str] =
    &["boon", "croner", "insta", "proptest", "similar", "tempfile"];

/// What the pure crates may not name, whichever crate it comes from.
const BANNED: &[&str] = &[
    "HashMap",
    "HashSet",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::sync::Mutex",
    "std::sync::RwLock",
    "std::thread",
    "async fn",
];

const DEPENDENCY: Reason = Reason {
    why: "the pure crates know no IO, no clock and no chance, and their tests stay quick",
    instead: "pass in what is needed, or add it to the list in tests/tidy/src/rules/pure.rs with the lead's word",
};
const WORD: Reason = Reason {
    why: "same inputs give the same bytes in the pure crates",
    instead: "take BTreeMap or BTreeSet for a map; for anything else have the caller pass in what it read",
};

const BANS: Reason = Reason {
    why: "clippy reads only the nearest clippy.toml, and the bans of the pure crates hold in all three",
    instead: "copy the file of crates/model",
};

/// Pure crates depend on nothing that is not in their list.
pub fn pure_dependencies(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for manifest in manifests(tree) {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == manifest.name) else {
            continue;
        };
        for dependency in &manifest.dependencies {
            let name = dependency.name.as_str();
            let for_tests = dependency.kind == Kind::Dev && ALLOWED_TO_TESTS.contains(&name);
            if !allowed.contains(&name) && !for_tests {
                let what = format!("the pure crate `{}` depends on `{name}`", manifest.name);
                let place = (&manifest.path, dependency.line);
                complaints.push(Complaint::new(place.0, place.1, what, DEPENDENCY));
            }
        }
    }
    complaints
}

/// Pure crates name no file, no environment, no thread and no unordered map.
pub fn pure_words(tree: &Tree) -> Vec<Complaint> {
    tree.crates()
        .filter(|file| {
            ALLOWED
                .iter()
                .any(|(name, _)| file.crate_name() == Some(name))
        })
        .filter(|file| file.path != TEETH)
        .flat_map(|file| banned_words(file, BANNED, WORD))
        .collect()
}

/// Each pure crate has the same `clippy.toml`: clippy reads only the nearest one, so one that is
/// missing or shorter would lift the bans without a sound.
pub fn pure_bans(tree: &Tree) -> Vec<Complaint> {
    let bans = |name: &str| {
        let path = format!("crates/{name}/clippy.toml");
        let file = tree.files.iter().find(|file| file.path == path);
        (path, file.map(|file| file.text.as_str()))
    };
    let (_, first) = bans(ALLOWED[0].0);
    ALLOWED
        .iter()
        .map(|(name, _)| bans(name))
        .filter(|(_, text)| text.is_none() || *text != first)
        .map(|(path, _)| Complaint::new(&path, 1, "missing, or not the same as in `model`", BANS))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::control::flags;

    #[test]
    fn a_pure_crate_with_a_runtime_is_flagged() {
        let text = "[package]\nname = \"engine\"\n[dependencies]\njiff.workspace = true\ntokio.workspace = true\n[dev-dependencies]\nproptest.workspace = true\nreqwest.workspace = true\n";
        flags(
            pure_dependencies,
            &[("crates/engine/Cargo.toml", text)],
            &[
                ("crates/engine/Cargo.toml", 5),
                ("crates/engine/Cargo.toml", 8),
            ],
        );
    }

    #[test]
    fn a_crate_that_is_not_pure_may_have_its_runtime() {
        let text = "[package]\nname = \"server\"\n[dependencies]\ntokio.workspace = true\n";
        flags(
            pure_dependencies,
            &[("crates/server/Cargo.toml", text)],
            &[],
        );
    }

    #[test]
    fn an_unordered_map_is_flagged_in_a_pure_crate_outside_its_tests() {
        let text = "//! X.\nuse std::collections::HashMap;\n#[cfg(test)]\nmod tests { use std::collections::HashSet; }\n";
        flags(
            pure_words,
            &[
                ("crates/engine/src/fold.rs", text),
                ("crates/store/src/open.rs", text),
            ],
            &[("crates/engine/src/fold.rs", 2)],
        );
    }

    #[test]
    fn a_pure_crate_without_the_bans_is_flagged() {
        flags(
            pure_bans,
            &[
                ("crates/engine/clippy.toml", "a = 2"),
                ("crates/model/clippy.toml", "a = 1"),
            ],
            &[
                ("crates/workflow/clippy.toml", 1),
                ("crates/engine/clippy.toml", 1),
            ],
        );
    }
}
