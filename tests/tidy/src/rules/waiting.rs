//! Tests never wait for time to pass, and none is set aside.

use crate::{Complaint, Reason, Tree, scan};

/// Where a pause may stand in tests, each with its reason.
pub const MAY_PAUSE: &[(&str, &str)] = &[
    (
        "crates/torture/src/wait.rs",
        "asks another process again and again until it answers, with a pause between and a deadline",
    ),
    (
        "tests/bench/src/pace.rs",
        "a steady rate, and a server that takes its time, are what is measured against",
    ),
    (
        "crates/torture/src/sink/session.rs",
        "a plan may order a slow mail server: the delay is what is being tested",
    ),
    (
        "tests/end-to-end/src/slack.rs",
        "an endpoint may be told to be slow: a kill while it has not answered is what is being tested",
    ),
];

const SLEEP: Reason = Reason {
    why: "a test that sleeps is slow on a good day and false on a bad one",
    instead: "turn the clock by hand, or wait on a signal (end-to-end: `wait::until`)",
};
const IGNORE: Reason = Reason {
    why: "a test that is set aside protects nothing",
    instead: "mend it, or take it out and say in the commit why",
};

/// No test sleeps.
pub fn sleeping(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree.rust() {
        if MAY_PAUSE.iter().any(|(path, _)| *path == file.path) {
            continue;
        }
        for word in ["sleep(", "sleep_ms(", "sleep_until(", "park_timeout("] {
            for at in scan::words(file.code(), word) {
                if file.is_test(at) {
                    let what = format!("`{word}` in a test");
                    complaints.push(Complaint::new(&file.path, file.line(at), what, SLEEP));
                }
            }
        }
    }
    complaints
}

/// No test is ignored.
pub fn ignored(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree.rust() {
        for at in scan::words(file.code(), "ignore") {
            let before = file.code()[..at].trim_end();
            if before.ends_with("#[") || before.ends_with(',') && is_attribute(before) {
                let line = file.line(at);
                complaints.push(Complaint::new(&file.path, line, "`ignore`", IGNORE));
            }
        }
    }
    complaints
}

/// Whether the text ends inside an attribute, such as `#[cfg_attr(a, `.
fn is_attribute(before: &str) -> bool {
    before
        .rfind("#[")
        .is_some_and(|open| scan::closing(before, open + 1) == before.len())
        && before
            .rfind("#[")
            .is_some_and(|open| before[open..].starts_with("#[cfg_attr("))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::control::flags;

    #[test]
    fn a_sleep_in_tests_is_flagged_and_one_in_the_product_is_not() {
        let text = "//! X.\nfn a() { tokio::time::sleep(d).await; }\n#[cfg(test)]\nmod tests {\n    fn b() { thread::sleep(d); let s = \"sleep(\"; }\n}\n";
        flags(
            sleeping,
            &[
                ("crates/server/src/worker.rs", text),
                ("crates/store/tests/conformance.rs", "//! X.\nsleep(d);\n"),
                ("crates/torture/src/wait.rs", "//! X.\nsleep(d);\n"),
            ],
            &[
                ("crates/server/src/worker.rs", 5),
                ("crates/store/tests/conformance.rs", 2),
            ],
        );
    }

    #[test]
    fn an_ignored_test_is_flagged() {
        let text = "//! ignore\n#[test]\n#[ignore]\nfn a() {}\n#[ignore = \"slow\"]\nfn b() {}\n#[cfg_attr(debug_assertions, ignore)]\nfn c() { ignore(a, ignore) }\n";
        flags(
            ignored,
            &[("crates/store/src/a.rs", text)],
            &[
                ("crates/store/src/a.rs", 3),
                ("crates/store/src/a.rs", 5),
                ("crates/store/src/a.rs", 7),
            ],
        );
    }
}
