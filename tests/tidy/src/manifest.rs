//! Reads of a `Cargo.toml` what the rules ask: name, dependencies, lints.
//!
//! It reads line by line the plain form that this workspace writes; a form that it would
//! misread (a renamed dependency) is itself a complaint of `rules::arrows`.

use crate::tree::{File, Tree};

/// Which table a dependency stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `[dependencies]`, for some targets only too.
    Normal,
    /// `[dev-dependencies]`.
    Dev,
    /// `[build-dependencies]`.
    Build,
}

/// One line of a table of dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// As it is called here.
    pub name: String,
    /// The table it stands in.
    pub kind: Kind,
    /// Counted from 1.
    pub line: usize,
    /// Whether it gives a package another name, which hides what it is.
    pub is_renamed: bool,
}

/// What the rules know of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The path of the `Cargo.toml`.
    pub path: String,
    /// The name of the package.
    pub name: String,
    /// In the order of the file.
    pub dependencies: Vec<Dependency>,
    /// Whether `[lints] workspace = true` stands there.
    pub has_house_lints: bool,
}

/// The packages of the tree (the root, which is only a workspace, is none).
pub fn manifests(tree: &Tree) -> Vec<Manifest> {
    tree.files
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"))
        .map(read)
        .collect()
}

fn read(file: &File) -> Manifest {
    let mut manifest = Manifest {
        path: file.path.clone(),
        name: String::new(),
        dependencies: Vec::new(),
        has_house_lints: false,
    };
    let mut table = String::new();
    for (index, line) in file.text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(header) = line.strip_prefix('[') {
            table = header.trim_end_matches(']').trim().to_owned();
            if let Some((kind, Some(name))) = dependency_table(&table) {
                manifest
                    .dependencies
                    .push(dependency(name, kind, index, ""));
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        let (key, value) = (key.trim(), value.trim());
        if table == "package" && key == "name" {
            manifest.name = value.trim_matches('"').to_owned();
        }
        if table == "lints" && key == "workspace" && value == "true" {
            manifest.has_house_lints = true;
        }
        if key == "package"
            && matches!(dependency_table(&table), Some((_, Some(_))))
            && let Some(dependency) = manifest.dependencies.last_mut()
        {
            dependency.is_renamed = true;
        }
        if let Some((kind, None)) = dependency_table(&table) {
            let name = key.split('.').next().unwrap_or(key);
            manifest
                .dependencies
                .push(dependency(name, kind, index, line));
        }
    }
    manifest
}

/// The kind of a table of dependencies, with the name in `[dependencies.name]`.
fn dependency_table(table: &str) -> Option<(Kind, Option<&str>)> {
    let kinds = [
        ("dev-dependencies", Kind::Dev),
        ("build-dependencies", Kind::Build),
        ("dependencies", Kind::Normal),
    ];
    for (word, kind) in kinds {
        if table == word || table.ends_with(&format!(".{word}")) {
            return Some((kind, None));
        }
        let dotted = format!("{word}.");
        if let Some(at) = table.find(&dotted)
            && (at == 0 || table.as_bytes()[at - 1] == b'.')
        {
            return Some((kind, Some(&table[at + dotted.len()..])));
        }
    }
    None
}

fn dependency(name: &str, kind: Kind, index: usize, line: &str) -> Dependency {
    Dependency {
        name: name.trim_matches('"').to_owned(),
        kind,
        line: index + 1,
        is_renamed: line.contains("package"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_dependency_is_read() {
        let text = "[package]\nname = \"store\"\n[lints]\nworkspace = true\n[dependencies]\na.workspace = true # why\nb = \"1\"\n[dependencies.c]\nversion = \"1\"\n[target.'cfg(unix)'.dependencies]\nd = { version = \"1\", package = \"e\" }\n[dev-dependencies]\nf.workspace = true\n[[bin]]\nname = \"x\"\n";
        let tree = Tree::of(&[("crates/store/Cargo.toml", text), ("Cargo.toml", "")]);
        let [manifest] = manifests(&tree).try_into().expect("one package");
        assert_eq!(manifest.name, "store");
        assert!(manifest.has_house_lints);
        let read: Vec<_> = manifest
            .dependencies
            .iter()
            .map(|d| (d.name.as_str(), d.kind, d.line, d.is_renamed))
            .collect();
        assert_eq!(
            read,
            [
                ("a", Kind::Normal, 6, false),
                ("b", Kind::Normal, 7, false),
                ("c", Kind::Normal, 8, false),
                ("d", Kind::Normal, 11, true),
                ("f", Kind::Dev, 13, false),
            ]
        );
    }
}
