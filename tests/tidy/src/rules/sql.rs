//! Only `store` writes SQL, and only the `tx.rs` of each of its databases opens a transaction.

use crate::rules::banned_words;
use crate::tree::File;
use crate::{Complaint, Reason, Tree};

/// The one file of each database that opens transactions.
pub const TX: [&str; 2] = [
    "crates/store/src/sqlite/tx.rs",
    "crates/store/src/postgres/tx.rs",
];

/// Pairs of words that stand in this order in one statement.
const STATEMENTS: &[(&str, &str)] = &[
    ("SELECT ", " FROM "),
    ("INSERT ", "INTO "),
    ("UPDATE ", " SET "),
    ("DELETE ", "FROM "),
    ("CREATE ", "TABLE "),
    ("CREATE ", "INDEX "),
    ("ALTER ", "TABLE "),
    ("PRAGMA ", ""),
    ("BEGIN ", "IMMEDIATE"),
];

const TEXT: Reason = Reason {
    why: "only `store` writes SQL, so that two databases can keep one promise",
    instead: "ask `store` by a method that says what is wanted",
};
const BEGIN: Reason = Reason {
    why: "sqlx's own begin loses acknowledged commits on a full disk and is not safe to cancel",
    instead: "use the one wrapper of the database, its `tx.rs`",
};

/// No SQL in the string literals of other crates.
pub fn text(tree: &Tree) -> Vec<Complaint> {
    tree.crates()
        .filter(|file| file.crate_name() != Some("store"))
        .flat_map(statements)
        .collect()
}

/// No transaction that writes is begun outside the wrapper; a snapshot to read from may be.
pub fn begin(tree: &Tree) -> Vec<Complaint> {
    tree.crates()
        .filter(|file| file.crate_name() == Some("store") && !TX.contains(&&*file.path))
        .flat_map(|file| {
            let mut complaints = banned_words(file, &[".begin(", ".begin_with("], BEGIN);
            for word in ["BEGIN IMMEDIATE", "\"BEGIN\""] {
                let by_hand = file.strings().match_indices(word);
                let by_hand = by_hand.filter(|(at, _)| !file.is_test(*at));
                complaints.extend(by_hand.map(|(at, _)| {
                    Complaint::new(&file.path, file.line(at), format!("`{word}`"), BEGIN)
                }));
            }
            complaints
        })
        .collect()
}

fn statements(file: &File) -> Vec<Complaint> {
    let strings = file.strings();
    let mut complaints = Vec::new();
    for (first, second) in STATEMENTS {
        for (at, _) in strings.match_indices(first) {
            let rest = &strings[at + first.len() - 1..];
            // A statement ends with its literal, whose closing quote is in this view.
            let statement = rest.split('"').next().unwrap_or_default();
            if statement.contains(second) && !file.is_test(at) {
                let what = format!("SQL (`{}…`)", first.trim());
                complaints.push(Complaint::new(&file.path, file.line(at), what, TEXT));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::control::flags;

    #[test]
    fn sql_outside_the_store_is_flagged() {
        let broken = "//! X.\nconst A: &str = \"SELECT a\n  FROM b\";\nlet b = \"INSERT OR IGNORE INTO c\";\nlet c = \"PRAGMA x\";\n";
        let good =
            "//! X.\n// SELECT a FROM b\nlet a = \"SELECT one\"; let b = \"Letters FROM us\";\n";
        flags(
            text,
            &[
                ("crates/server/src/broken.rs", broken),
                ("crates/server/src/good.rs", good),
                ("crates/store/src/run.rs", broken),
            ],
            &[
                ("crates/server/src/broken.rs", 2),
                ("crates/server/src/broken.rs", 4),
                ("crates/server/src/broken.rs", 5),
            ],
        );
    }

    #[test]
    fn a_transaction_outside_the_wrapper_is_flagged() {
        // No other crate can know sqlx: the arrows and clippy hold that.
        let broken = "//! X.\nlet tx = pool.begin().await;\nlet a = range.begin;\nquery(\"BEGIN IMMEDIATE\");\nquery(\"BEGIN\");\nquery(\"BEGIN READ ONLY\");\n";
        flags(
            begin,
            &[
                ("crates/store/src/outbox.rs", broken),
                (TX[0], broken),
                (TX[1], broken),
            ],
            &[
                ("crates/store/src/outbox.rs", 2),
                ("crates/store/src/outbox.rs", 4),
                ("crates/store/src/outbox.rs", 5),
            ],
        );
    }
}
