//! How long a file and a function may be, and how many parameters a function takes.

use crate::scan;
use crate::tree::File;
use crate::{Complaint, Reason, Tree};

/// The most lines a file has before its tests.
pub const FILE_LINES_MAX: usize = 400;
/// The most lines a function has, from `fn` to its closing brace.
pub const FUNCTION_LINES_MAX: usize = 70;
/// The most parameters a function takes, not counting `self`.
pub const PARAMETERS_MAX: usize = 5;

const FILE: Reason = Reason {
    why: "a file holds one noun or one verb, at most 400 lines before its tests",
    instead: "move one of the things it does into a file of its own",
};
const FUNCTION: Reason = Reason {
    why: "a function fits a screen, 70 lines at most",
    instead: "give its parts names: branching in the caller, loops in the callee",
};
const PARAMETERS: Reason = Reason {
    why: "more than five parameters are not read but guessed",
    instead: "gather what belongs together in a struct with a name",
};

/// No file has more than 400 lines before its tests.
pub fn files(tree: &Tree) -> Vec<Complaint> {
    tree.rust()
        .filter_map(|file| {
            let lines = lines_before_tests(file);
            let what = format!("{lines} lines before its tests");
            (lines > FILE_LINES_MAX)
                .then(|| Complaint::new(&file.path, FILE_LINES_MAX + 1, what, FILE))
        })
        .collect()
}

/// No function has more than 70 lines or five parameters.
pub fn functions(tree: &Tree) -> Vec<Complaint> {
    tree.rust().flat_map(of_file).collect()
}

/// The lines that are no tests. A file of a crate that is all tests has none: it is bounded by what a
/// reader takes, not by this.
fn lines_before_tests(file: &File) -> usize {
    if file.crate_name().is_some() && file.is_all_tests() {
        return 0;
    }
    let ranges = file.test_ranges();
    let in_tests = |at: usize| {
        ranges
            .iter()
            .any(|(start, end)| (*start..*end).contains(&at))
    };
    let mut begins = 0;
    let mut lines = 0;
    for line in file.text.split_inclusive('\n') {
        lines += usize::from(!in_tests(begins));
        begins += line.len();
    }
    lines
}

fn of_file(file: &File) -> Vec<Complaint> {
    let code = file.code();
    let mut complaints = Vec::new();
    for at in scan::words(code, "fn") {
        let Some(function) = function(code, at) else {
            continue;
        };
        let line = file.line(at);
        let lines = file.line(function.end.saturating_sub(1)) - line + 1;
        if lines > FUNCTION_LINES_MAX {
            let what = format!("`{}` has {lines} lines", function.name);
            complaints.push(Complaint::new(&file.path, line, what, FUNCTION));
        }
        if function.parameters > PARAMETERS_MAX {
            let what = format!("`{}` takes {}", function.name, function.parameters);
            complaints.push(Complaint::new(&file.path, line, what, PARAMETERS));
        }
    }
    complaints
}

struct Function<'a> {
    name: &'a str,
    parameters: usize,
    end: usize,
}

/// The function whose `fn` stands at `at`; nothing for a pointer type, which has no name.
fn function(code: &str, at: usize) -> Option<Function<'_>> {
    let after = &code[at + 2..];
    let start = at + 2 + after.find(|c: char| !c.is_whitespace())?;
    let length = code[start..]
        .bytes()
        .take_while(|byte| scan::is_word(*byte))
        .count();
    if length == 0 {
        return None;
    }
    let open = parameters_open(code, start + length)?;
    let close = scan::closing(code, open);
    Some(Function {
        name: &code[start..start + length],
        parameters: count_parameters(&code[open + 1..close.saturating_sub(1)]),
        end: body_end(code, close),
    })
}

/// The parenthesis of the parameters, behind the generics, which may have parentheses of their own.
fn parameters_open(code: &str, from: usize) -> Option<usize> {
    let mut angles = 0_usize;
    let mut previous = b' ';
    for (at, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'<' => angles += 1,
            b'>' if previous != b'-' => angles = angles.saturating_sub(1),
            b'(' if angles == 0 => return Some(at),
            _ => {}
        }
        previous = byte;
    }
    None
}

/// Behind the body's closing brace, or behind the semicolon of a function without one.
fn body_end(code: &str, from: usize) -> usize {
    let mut at = from;
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

fn count_parameters(list: &str) -> usize {
    let (mut depth, mut previous) = (0_usize, b' ');
    let mut parameters = vec![String::new()];
    for byte in list.bytes() {
        match byte {
            b'(' | b'[' | b'{' | b'<' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'>' if previous != b'-' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => parameters.push(String::new()),
            _ => {}
        }
        if let Some(last) = parameters.last_mut() {
            last.push(char::from(byte));
        }
        previous = byte;
    }
    parameters
        .iter()
        .map(|parameter| parameter.trim_matches([',', ' ', '\n']))
        .filter(|parameter| !parameter.is_empty() && !is_self(parameter))
        .count()
}

fn is_self(parameter: &str) -> bool {
    let name = parameter.split(':').next().unwrap_or_default();
    name.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|word| word == "self")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::control::flags;

    fn lines(count: usize) -> String {
        "let a = 1;\n".repeat(count)
    }

    #[test]
    fn the_401st_line_before_the_tests_is_flagged() {
        let edge = format!(
            "{}#[cfg(test)]\nmod tests {{ #[cfg(test)]\nmod inner {{ {} }} }}",
            lines(400),
            lines(500)
        );
        let over = format!("{}#[cfg(test)]\nmod tests {{}}", lines(401));
        let sly = format!("#[cfg(test)]\nuse a;\n{}", lines(401));
        flags(
            files,
            &[
                ("crates/model/src/edge.rs", &edge),
                ("crates/model/src/over.rs", &over),
                ("crates/model/src/sly.rs", &sly),
            ],
            &[
                ("crates/model/src/over.rs", 401),
                ("crates/model/src/sly.rs", 401),
            ],
        );
    }

    #[test]
    fn the_71st_line_of_a_function_is_flagged() {
        let edge = format!("fn a() {{\n{}}}\n", lines(68));
        let over = format!(
            "fn a() {{}}\nfn b<F: Fn(u8) -> u8>(f: F) -> [u8; 4] {{\n{}}}\n",
            lines(69)
        );
        let fooled = format!("fn a() {{ let b = \"{{\"; }} // {{\n{}", lines(100));
        flags(
            functions,
            &[
                ("crates/model/src/edge.rs", &edge),
                ("crates/model/src/fooled.rs", &fooled),
                ("crates/model/src/over.rs", &over),
            ],
            &[("crates/model/src/over.rs", 2)],
        );
    }

    #[test]
    fn the_sixth_parameter_is_flagged() {
        let text = "fn a(&self, a: u8, b: u8, c: Map<u8, u8>, d: fn(u8, u8) -> u8, e: (u8, u8),) {}\nfn b(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8);\nlet f: fn(u8, u8, u8, u8, u8, u8);\n";
        flags(
            functions,
            &[("crates/model/src/a.rs", text)],
            &[("crates/model/src/a.rs", 2)],
        );
    }
}
