//! What a crate may reach for in the world: the environment, sockets, clocks.

use crate::rules::banned_words;
use crate::tree::File;
use crate::{Complaint, Reason, Tree};

const ENVIRONMENT: &[&str] = &[
    "env::var",
    "env::var_os",
    "env::vars",
    "env::vars_os",
    "env::set_var",
    "env::remove_var",
    "env::home_dir",
    "env::temp_dir",
    "env::*",
    "env::{",
];
const SOCKETS: &[&str] = &[
    "TcpStream::connect",
    "TcpStream::connect_timeout",
    "TcpSocket",
    "UdpSocket",
    "UnixStream::connect",
    "reqwest",
    "lettre",
];
const TRANSPORTS: &[&str] = &["AsyncTransport", "AsyncSmtpTransport", "SmtpTransport"];
const CLOCKS: &[&str] = &[
    "Timestamp::now",
    "Zoned::now",
    "SystemTime::now",
    "UNIX_EPOCH.elapsed",
    "Instant::now",
    "TimeZone::system",
];

const CONFIG_ONLY: Reason = Reason {
    why: "only `server::config` reads the environment, so that every setting has one place and one page",
    instead: "make it a setting, and pass it in",
};
const OUTREACH_ONLY: Reason = Reason {
    why: "only `outreach` opens a socket to a customer, so that the last gate cannot be walked round",
    instead: "have `outreach` do it",
};
const OWN_SESSION: Reason = Reason {
    why: "lettre's transports do not say whether a mail may have been sent, and mix up replies after a cancelled send",
    instead: "use outreach's own session; of lettre only what builds a mail",
};
const CLOCK_ABOVE: Reason = Reason {
    why: "only `server` and `cli` read a clock, so that the same inputs give the same decisions",
    instead: "take the instant as a parameter",
};

/// What asks for the safeguard that is left out, in a build for trials and in no other.
pub const TEETH: &str = "crates/model/src/teeth.rs";

/// Only `server::config` reads the environment.
pub fn environment(tree: &Tree) -> Vec<Complaint> {
    let is_config = |file: &File| {
        file.path == "crates/server/src/config.rs"
            || file.path.starts_with("crates/server/src/config/")
            || file.path == TEETH
    };
    tree.crates()
        .filter(|file| !is_config(file))
        .flat_map(|file| banned_words(file, ENVIRONMENT, CONFIG_ONLY))
        .collect()
}

/// Only `outreach` opens sockets outwards; `torture` is a client of servers that it started itself.
pub fn sockets(tree: &Tree) -> Vec<Complaint> {
    tree.crates()
        .filter(|file| !matches!(file.crate_name(), Some("outreach" | "torture")))
        .flat_map(|file| banned_words(file, SOCKETS, OUTREACH_ONLY))
        .collect()
}

/// No mail leaves by another session than our own.
pub fn transports(tree: &Tree) -> Vec<Complaint> {
    tree.crates()
        .flat_map(|file| banned_words(file, TRANSPORTS, OWN_SESSION))
        .collect()
}

/// Only `server` and `cli` read a clock, and `torture`, which decides nothing; tokio's own may bound how long `outreach`
/// waits for a reply.
pub fn clocks(tree: &Tree) -> Vec<Complaint> {
    tree.crates()
        .filter(|file| !matches!(file.crate_name(), Some("server" | "cli" | "torture")))
        .flat_map(|file| banned_words(file, CLOCKS, CLOCK_ABOVE))
        .filter(|complaint| !is_tokio_deadline(tree, complaint))
        .collect()
}

/// Whether it is tokio's clock: named in full, or imported, in a file that does not know the other.
fn is_tokio_deadline(tree: &Tree, complaint: &Complaint) -> bool {
    if !complaint.path.starts_with("crates/outreach/") || !complaint.what.contains("Instant") {
        return false;
    }
    let file = tree.files.iter().find(|file| file.path == complaint.path);
    file.is_some_and(|file| file.code().contains("tokio::time") && !knows_std_instant(file))
}

fn knows_std_instant(file: &File) -> bool {
    file.code().match_indices("std::time::").any(|(at, _)| {
        let statement = file.code()[at..].split(';').next().unwrap_or_default();
        statement.contains("Instant")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::control::flags;

    #[test]
    fn the_environment_read_outside_config_is_flagged() {
        let text = "//! X.\nlet a = std::env::var(\"A\");\nlet b = env!(\"CARGO_MANIFEST_DIR\");\n";
        flags(
            environment,
            &[
                ("crates/cli/src/main.rs", text),
                ("crates/server/src/config.rs", text),
                ("crates/server/src/config/overlay.rs", text),
            ],
            &[("crates/cli/src/main.rs", 2)],
        );
    }

    #[test]
    fn a_socket_outside_outreach_is_flagged_but_for_tests() {
        let text = "//! X.\nlet a = TcpStream::connect(b).await;\nlet c = TcpListener::bind(d);\n#[cfg(test)]\nmod tests { fn a() { TcpStream::connect(b); } }\n";
        flags(
            sockets,
            &[
                ("crates/outreach/src/smtp.rs", text),
                ("crates/server/src/api.rs", text),
                ("crates/server/tests/api.rs", text),
            ],
            &[("crates/server/src/api.rs", 2)],
        );
    }

    #[test]
    fn a_foreign_transport_is_flagged_even_in_outreach() {
        let text = "//! X.\nuse lettre::Message;\nuse lettre::AsyncSmtpTransport;\n";
        flags(
            transports,
            &[("crates/outreach/src/smtp.rs", text)],
            &[("crates/outreach/src/smtp.rs", 3)],
        );
    }

    #[test]
    fn a_clock_below_the_server_is_flagged() {
        let text =
            "//! X.\nlet a = Timestamp::now();\nlet b = tokio::time::Instant::now() + limit;\n";
        let pool = "//! X.\nuse std::time::{Duration, Instant};\nuse tokio::time::timeout;\nlet a = Instant::now();\nlet b = SystemTime::from(at);\n";
        flags(
            clocks,
            &[
                ("crates/engine/src/decide.rs", text),
                ("crates/outreach/src/pool.rs", pool),
                ("crates/outreach/src/smtp.rs", text),
                ("crates/server/src/worker.rs", text),
            ],
            &[
                ("crates/engine/src/decide.rs", 2),
                ("crates/engine/src/decide.rs", 3),
                ("crates/outreach/src/pool.rs", 4),
                ("crates/outreach/src/smtp.rs", 2),
            ],
        );
    }
}
