//! What a rule says when it is broken: where, what, why, and what to do instead.

use std::fmt;

/// Why a rule is there and what to do when it complains: the part that is the same every time.
#[derive(Debug, Clone, Copy)]
pub struct Reason {
    /// Why the house holds this rule.
    pub why: &'static str,
    /// What to write instead.
    pub instead: &'static str,
}

/// One place where a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The path of the file, from the top of the repository.
    pub path: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What was found there.
    pub what: String,
    /// Why it may not be.
    pub why: &'static str,
    /// What to do instead.
    pub instead: &'static str,
}

impl Complaint {
    /// Says that `what` was found at `path:line`.
    pub fn new(path: &str, line: usize, what: impl Into<String>, reason: Reason) -> Self {
        Complaint {
            path: path.to_owned(),
            line,
            what: what.into(),
            why: reason.why,
            instead: reason.instead,
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}: {}; {}",
            self.path, self.line, self.what, self.why, self.instead
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_names_place_reason_and_remedy() {
        let reason = Reason {
            why: "tests never wait",
            instead: "ask until it is so",
        };
        let said = Complaint::new("a/b.rs", 7, "`sleep(`", reason).to_string();
        assert_eq!(
            said,
            "a/b.rs:7: `sleep(`: tests never wait; ask until it is so"
        );
    }
}
