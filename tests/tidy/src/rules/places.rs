//! Nothing committed belongs to one machine: no path of it, no host of it, no folder nobody knows.

use crate::tree::File;
use crate::{Complaint, Reason, Tree};

/// What lies at the top of the repository.
pub const TOP: &[&str] = &[
    ".ci",
    ".github",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "GUARANTEES.md",
    "LICENSE",
    "README.md",
    "clippy.toml",
    "crates",
    "demo",
    "deploy",
    "rustfmt.toml",
    "templates",
    "tests",
    "workflows",
];

/// Folders of somebody's machine, each in two halves so that this file may be committed itself.
const FOLDERS: &[(&str, &str)] = &[
    ("/wor", "k/"),
    ("/roo", "t/"),
    ("/hom", "e/"),
    ("/User", "s/"),
];

const PATH: Reason = Reason {
    why: "a path of one machine is wrong on every other",
    instead: "take it from the workspace, a flag or a temporary folder",
};
const HOST: Reason = Reason {
    why: "a host inside one network is wrong outside it",
    instead: "name a public host, `localhost` or an address of 127.0.0.0/8",
};
const SOURCE: Reason = Reason {
    why: "a clone builds with the public registry and the toolchain that is there",
    instead: "keep settings of one machine in that machine's own folder",
};
const ENTRY: Reason = Reason {
    why: "the top of the repository is its table of contents",
    instead: "put it where it belongs, or add it to tests/tidy/src/rules/places.rs and ARCHITECTURE.md",
};

/// No committed file names a folder of one machine.
pub fn paths(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in &tree.files {
        for (first, second) in FOLDERS {
            let folder = format!("{first}{second}");
            for at in absolute(&file.text, &folder) {
                let what = format!("`{folder}`");
                complaints.push(Complaint::new(&file.path, file.line(at), what, PATH));
            }
        }
    }
    complaints
}

/// No committed file names a host inside one network, or settings of one machine's cargo.
pub fn hosts(tree: &Tree) -> Vec<Complaint> {
    tree.files.iter().flat_map(hosts_of).collect()
}

/// Nothing lies at the top that is not known there.
pub fn top(tree: &Tree) -> Vec<Complaint> {
    let mut complaints: Vec<Complaint> = Vec::new();
    for file in &tree.files {
        let entry = file.path.split('/').next().unwrap_or_default();
        let what = format!("`{entry}` is not known at the top");
        if !TOP.contains(&entry) && complaints.iter().all(|earlier| earlier.what != what) {
            complaints.push(Complaint::new(&file.path, 1, what, ENTRY));
        }
    }
    complaints
}

/// Where `folder` begins a path, and is not the middle of a longer one such as `a/home/`.
fn absolute(text: &str, folder: &str) -> Vec<usize> {
    text.match_indices(folder)
        .map(|(at, _)| at)
        .filter(|at| {
            let before = text[..*at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || "-_.}*)]$".contains(c))
        })
        .collect()
}

fn hosts_of(file: &File) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let name = file.path.rsplit('/').next().unwrap_or_default();
    if file.path.contains(".cargo/config") || name.starts_with("rust-toolchain") {
        let what = "settings of one machine's toolchain";
        complaints.push(Complaint::new(&file.path, 1, what, SOURCE));
    }
    for (at, scheme) in file.text.match_indices("://") {
        let rest = &file.text[at + scheme.len()..];
        let end = rest.find(|c: char| !is_of_host(c)).unwrap_or(rest.len());
        let host = rest[..end].rsplit('@').next().unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default();
        if is_inside_a_network(host) {
            let what = format!("the host `{host}`");
            complaints.push(Complaint::new(&file.path, file.line(at), what, HOST));
        }
    }
    complaints
}

fn is_of_host(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._:@".contains(c)
}

fn is_inside_a_network(host: &str) -> bool {
    let parts: Vec<Option<u8>> = host.split('.').map(|part| part.parse().ok()).collect();
    match parts.as_slice() {
        [Some(first), Some(second), Some(_), Some(_)] => {
            *first == 10
                || (*first == 172 && (16..32).contains(second))
                || (*first == 192 && *second == 168)
        }
        _ => [".internal", ".local", ".lan", ".corp"]
            .iter()
            .any(|ending| host.ends_with(ending)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::control::flags;

    #[test]
    fn a_path_of_one_machine_is_flagged() {
        let broken = format!("a\ncd {}k/main\n", "/wor");
        let good = format!("${{TOP}}{}k/x and {}y\n", "/wor", "home");
        flags(
            paths,
            &[("tests/broken", &broken), ("tests/good", &good)],
            &[("tests/broken", 2)],
        );
    }

    #[test]
    fn a_host_of_one_network_is_flagged() {
        let inside = format!(
            "http://10.{}\nhttps://mirror.{}/x\n",
            "1.2.3:80", "internal"
        );
        let good = "http://127.0.0.1:80 https://github.com http://localhost http://$HOST/ https://hooks.slack.com/\n";
        flags(
            hosts,
            &[
                (".cargo/config.toml", ""),
                ("tests/good", good),
                ("tests/inside", &inside),
            ],
            &[
                (".cargo/config.toml", 1),
                ("tests/inside", 1),
                ("tests/inside", 2),
            ],
        );
    }

    #[test]
    fn a_stranger_at_the_top_is_flagged_once() {
        flags(
            top,
            &[
                ("README.md", ""),
                ("crates/model/src/lib.rs", ""),
                ("scratch/a", ""),
                ("scratch/b", ""),
            ],
            &[("scratch/a", 1)],
        );
    }
}
