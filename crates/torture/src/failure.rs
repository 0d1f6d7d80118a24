//! Why a server of the tests could not do what it was asked.

use std::io;

/// A server that did not start, answer or stop.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The machine refused.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the machine said.
        source: io::Error,
    },
    /// A program ended with an error.
    #[error("`{program}` failed: {said}")]
    Program {
        /// The program and its first arguments.
        program: String,
        /// What it printed.
        said: String,
    },
    /// Something did not come about in time.
    #[error("after {seconds} s still not so: {what}")]
    Late {
        /// What was awaited.
        what: String,
        /// For how long.
        seconds: u64,
    },
    /// A text that should have been a plan, a record or a certificate is none.
    #[error("{what}: {reason}")]
    Unreadable {
        /// Which text.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Failure {
    /// For `map_err`: names what was being done.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Failure {
        let doing = doing.into();
        move |source| Failure::Io { doing, source }
    }
}

/// What was read is not what it should be.
pub fn broken(what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::Unreadable {
        what: what.to_owned(),
        reason: error.to_string(),
    }
}
