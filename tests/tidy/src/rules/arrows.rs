//! Which package of the house may lean on which: the table of ARCHITECTURE.md, held.

use crate::manifest::{Dependency, Kind, Manifest, manifests};
use crate::{Complaint, Reason, Tree};

/// Every package of the workspace with the packages of the house it may name.
pub const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("workflow", &["model"]),
    ("engine", &["workflow", "model"]),
    ("store", &["model"]),
    ("outreach", &["model"]),
    ("ingest", &["model"]),
    (
        "server",
        &["ingest", "store", "outreach", "engine", "workflow", "model"],
    ),
    // It sees the product from outside, as its users do: by its binary.
    ("torture", &[]),
    (
        "cli",
        &[
            "torture", "server", "ingest", "store", "outreach", "engine", "workflow", "model",
        ],
    ),
    ("tidy", &[]),
    // So do the end-to-end tests.
    ("end-to-end", &["servers", "torture"]),
    ("servers", &[]),
    // It starts the servers that are measured with.
    (
        "bench",
        &[
            "servers", "server", "ingest", "store", "outreach", "engine", "workflow", "model",
        ],
    ),
];

/// Arrows that only tests may follow, each with its reason beside it.
pub const ARROWS_OF_TESTS: &[(&str, &str)] = &[
    // The log in Kafka is tried on a real broker, and so is the product: one place starts it.
    ("store", "servers"),
];

const UPWARDS: Reason = Reason {
    why: "arrows point down (ARCHITECTURE.md), so that a room can be changed without the rooms above it",
    instead: "move what is needed down into `model`, or pass it in from `server`",
};
const UNKNOWN: Reason = Reason {
    why: "every package has its place in the table of arrows",
    instead: "give it a row in tests/tidy/src/rules/arrows.rs and in ARCHITECTURE.md, in the same commit",
};
const RENAMED: Reason = Reason {
    why: "a renamed dependency hides what it is from this table",
    instead: "use it by its own name",
};
const LINTS: Reason = Reason {
    why: "the lints of the house hold in every package",
    instead: "add `[lints]` with `workspace = true`",
};

/// Dependencies between our own packages follow the table, and every package has the lints.
pub fn arrows(tree: &Tree) -> Vec<Complaint> {
    manifests(tree).iter().flat_map(of_package).collect()
}

fn of_package(manifest: &Manifest) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == manifest.name) else {
        let what = format!("the package `{}` is not in the table", manifest.name);
        return vec![Complaint::new(&manifest.path, 1, what, UNKNOWN)];
    };
    if !manifest.has_house_lints {
        complaints.push(Complaint::new(&manifest.path, 1, "no `[lints]`", LINTS));
    }
    for dependency in &manifest.dependencies {
        if dependency.is_renamed {
            let what = format!("`{}` is renamed", dependency.name);
            complaints.push(at(manifest, dependency, what, RENAMED));
        }
        if is_ours(&dependency.name)
            && !allowed.contains(&dependency.name.as_str())
            && !is_allowed_to_tests(manifest, dependency)
        {
            let what = format!("`{}` leans on `{}`", manifest.name, dependency.name);
            complaints.push(at(manifest, dependency, what, UPWARDS));
        }
    }
    complaints
}

fn is_ours(name: &str) -> bool {
    ARROWS.iter().any(|(ours, _)| *ours == name)
}

fn is_allowed_to_tests(manifest: &Manifest, dependency: &Dependency) -> bool {
    dependency.kind == Kind::Dev
        && ARROWS_OF_TESTS.contains(&(manifest.name.as_str(), dependency.name.as_str()))
}

fn at(manifest: &Manifest, dependency: &Dependency, what: String, reason: Reason) -> Complaint {
    Complaint::new(&manifest.path, dependency.line, what, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::control::flags;

    fn package(name: &str, rest: &str) -> String {
        format!("[package]\nname = \"{name}\"\n[lints]\nworkspace = true\n{rest}")
    }

    #[test]
    fn an_arrow_that_points_up_or_aside_is_flagged() {
        let store = package(
            "store",
            "[dependencies]\nmodel.workspace = true\nengine = { path = \"../engine\" }\n",
        );
        let model = package("model", "[dev-dependencies]\nworkflow.workspace = true\n");
        flags(
            arrows,
            &[
                ("crates/model/Cargo.toml", &model),
                ("crates/store/Cargo.toml", &store),
            ],
            &[
                ("crates/model/Cargo.toml", 6),
                ("crates/store/Cargo.toml", 7),
            ],
        );
    }

    #[test]
    fn arrows_of_the_table_and_strangers_pass() {
        let engine = package(
            "engine",
            "[dependencies]\nworkflow.workspace = true\njiff.workspace = true\n",
        );
        flags(arrows, &[("crates/engine/Cargo.toml", &engine)], &[]);
    }

    #[test]
    fn a_new_package_a_renamed_dependency_and_missing_lints_are_flagged() {
        let renamed = package(
            "ingest",
            "[dependencies]\nclock = { package = \"jiff\", version = \"1\" }\n",
        );
        flags(
            arrows,
            &[
                ("crates/attic/Cargo.toml", &package("attic", "")),
                ("crates/ingest/Cargo.toml", &renamed),
                ("crates/model/Cargo.toml", "[package]\nname = \"model\"\n"),
            ],
            &[
                ("crates/attic/Cargo.toml", 1),
                ("crates/ingest/Cargo.toml", 6),
                ("crates/model/Cargo.toml", 1),
            ],
        );
    }
}
