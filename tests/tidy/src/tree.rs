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
        Ok(Tree { files })
    }

    /// A tree that was made up: pairs of path and text.
    pub fn of(files: &[(&str, &str)]) -> Tree {
        Tree {
            files: files
                .iter()
                .map(|(path, text)| File::new(path, (*text).to_owned()))
                .collect(),
        }
    }

    /// The Rust files.
    pub fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.views.is_some())
    }

    /// The Rust files of the eight crates, without the tests' own packages.
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

    /// Whether the whole file is tests: it lies in a folder `tests` or `benches`, or is named `tests.rs`.
    pub fn is_all_tests(&self) -> bool {
        let mut parts: Vec<&str> = self.path.split('/').collect();
        let name = parts.pop().unwrap_or_default();
        name == "tests.rs"
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
}
