//! The committed files, read once, with what every rule wants to know about a Rust file.

use std::path::Path;
use std::process::Command;

use crate::scan::{self, Views};

/// The files a rule looks at.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// In the order of their paths.
    pub files: Vec<File>,
}

/// One file of text.
#[derive(Debug, Clone)]
pub struct File {
    /// From the top of the repository, with `/`.
    pub path: String,
    /// As committed; empty for a file that is not text.
    pub text: String,
    views: Option<Views>,
    is_declared_test: bool,
}

impl Tree {
    /// Reads what git would commit under `top`: tracked files and new ones that are not ignored.
    ///
    /// # Errors
    /// When git cannot be run there or has nothing to list.
    pub fn committed(top: &Path) -> Result<Tree, String> {
        let listed = Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .current_dir(top)
            .output()
            .map_err(|error| format!("git cannot be run to list the files: {error}"))?;
        let names = String::from_utf8_lossy(&listed.stdout).into_owned();
        let mut files: Vec<File> = names
            .split('\0')
            .filter(|path| !path.is_empty())
            .filter_map(|path| {
                let bytes = std::fs::read(top.join(path)).ok()?;
                Some(File::new(
                    path,
                    String::from_utf8(bytes).unwrap_or_default(),
                ))
            })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        if files.is_empty() {
            return Err(format!("git lists no files in {}", top.display()));
        }
        Ok(Tree::with_tests_declared(files))
    }

    /// A tree that was made up: pairs of path and text.
    pub fn of(files: &[(&str, &str)]) -> Tree {
        let files = files.iter();
        let files = files.map(|(path, text)| File::new(path, (*text).to_owned()));
        Tree::with_tests_declared(files.collect())
    }

    /// Marks the files of modules that another file declares as `#[cfg(test)] mod name;`.
    fn with_tests_declared(mut files: Vec<File>) -> Tree {
        let declared: Vec<String> = files.iter().flat_map(File::test_modules).collect();
        for file in &mut files {
            file.is_declared_test = declared.iter().any(|module| {
                let rest = file.path.strip_prefix(module.as_str());
                rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            });
        }
        Tree { files }
    }

    /// The Rust files.
    pub fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.views.is_some())
    }

    /// The Rust files of the nine crates, without the tests' own packages.
    pub fn crates(&self) -> impl Iterator<Item = &File> {
        self.rust().filter(|file| file.crate_name().is_some())
    }
}

impl File {
    /// A file with its text.
    pub fn new(path: &str, text: String) -> File {
        let views = path.ends_with(".rs").then(|| scan::views(&text));
        File {
            path: path.to_owned(),
            text,
            views,
            is_declared_test: false,
        }
    }

    /// The code of a Rust file without comments and contents of strings; empty for other files.
    pub fn code(&self) -> &str {
        self.views.as_ref().map_or("", |views| &views.code)
    }

    /// The contents of the string literals of a Rust file; empty for other files.
    pub fn strings(&self) -> &str {
        self.views.as_ref().map_or("", |views| &views.strings)
    }

    /// The crate of `crates/` that the file belongs to.
    pub fn crate_name(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    /// The line of a byte offset.
    pub fn line(&self, offset: usize) -> usize {
        scan::line_of(&self.text, offset)
    }

    /// Whether the whole file is tests: it lies in a folder `tests` or `benches`, is named `tests.rs`, or
    /// is a module that another file declares under `#[cfg(test)]`.
    pub fn is_all_tests(&self) -> bool {
        let mut parts: Vec<&str> = self.path.split('/').collect();
        let name = parts.pop().unwrap_or_default();
        self.is_declared_test
            || name == "tests.rs"
            || parts
                .iter()
                .any(|part| matches!(*part, "tests" | "benches"))
    }

    /// Whether the byte at `offset` is part of tests.
    pub fn is_test(&self, offset: usize) -> bool {
        self.is_all_tests()
            || self
                .test_ranges()
                .iter()
                .any(|(start, end)| (*start..*end).contains(&offset))
    }

    /// The paths, without `.rs`, of the modules declared here under `#[cfg(test)]`.
    fn test_modules(&self) -> Vec<String> {
        let folder = self.path.trim_end_matches(".rs");
        let folder = ["/lib", "/main", "/mod"]
            .iter()
            .find_map(|root| folder.strip_suffix(root))
            .unwrap_or(folder);
        self.test_ranges()
            .into_iter()
            .filter_map(|(start, end)| {
                let item = self.code()[start..end].strip_suffix(';')?;
                let (_, name) = item.rsplit_once("mod ")?;
                Some(format!("{folder}/{}", name.trim()))
            })
            .collect()
    }

    /// The items under `#[cfg(test)]`, as ranges of bytes.
    pub fn test_ranges(&self) -> Vec<(usize, usize)> {
        let code = self.code();
        code.match_indices("#[cfg(test)]")
            .map(|(start, found)| (start, item_end(code, start + found.len())))
            .collect()
    }
}

/// Where the item that begins at `start` ends: behind its block, or its semicolon if it has none.
fn item_end(code: &str, start: usize) -> usize {
    let mut at = start;
    while let Some(found) = code[at..].find(['{', ';', '(', '[']) {
        at += found;
        match code.as_bytes()[at] {
            b';' => return at + 1,
            b'{' => return scan::closing(code, at),
            _ => at = scan::closing(code, at),
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_item_under_cfg_test_is_tests() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() {} }\nfn c() {}\n";
        let file = File::new("crates/model/src/lib.rs", text.to_owned());
        let at = |needle: &str| text.find(needle).expect("the text has it");
        assert!(!file.is_test(at("fn a")));
        assert!(file.is_test(at("fn b")));
        assert!(!file.is_test(at("fn c")));
    }

    #[test]
    fn a_file_in_a_folder_of_tests_is_all_tests() {
        for (path, expected) in [
            ("crates/store/tests/conformance.rs", true),
            ("crates/engine/src/fold/tests.rs", true),
            ("tests/end-to-end/src/sink.rs", true),
            ("crates/engine/src/fold.rs", false),
            ("crates/engine/src/contests.rs", false),
        ] {
            let file = File::new(path, String::new());
            assert_eq!(file.is_all_tests(), expected, "{path}");
        }
    }

    #[test]
    fn a_module_declared_for_tests_is_all_tests() {
        let tree = Tree::of(&[
            (
                "crates/store/src/lib.rs",
                "#[cfg(test)]\nmod conformance;\nmod log;\n",
            ),
            ("crates/store/src/conformance.rs", ""),
            ("crates/store/src/conformance/lease.rs", ""),
            (
                "crates/store/src/log.rs",
                "#[cfg(test)]\npub(crate) mod rig;\n",
            ),
            ("crates/store/src/log/rig.rs", ""),
            ("crates/store/src/rig.rs", ""),
        ]);
        let marked: Vec<bool> = tree.files.iter().map(File::is_all_tests).collect();
        assert_eq!(marked, [false, true, true, false, true, false]);
    }
}
