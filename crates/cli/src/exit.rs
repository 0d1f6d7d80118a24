//! Exit codes, the same for every command.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, nothing to complain of.
    Done,
    /// Done, and it found something wrong: mistakes, failed tests, refused rows.
    Found,
    /// It could not be done now: the caller, a mail server, brings the same again.
    Later,
}

/// The code by which mail servers know that they should try again (EX_TEMPFAIL).
const LATER: u8 = 75;

/// The process's exit code: 0 done, 1 found something wrong, 2 wrong usage (clap's own), 3 could not do it, 75 later.
pub(crate) fn code(outcome: anyhow::Result<Exit>) -> ExitCode {
    match outcome {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::Found) => ExitCode::from(1),
        Ok(Exit::Later) => ExitCode::from(LATER),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("sottaku: {error:#}");
            ExitCode::from(3)
        }
    }
}

/// Whoever read our output has read enough: that is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let closed = anyhow::Error::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe))
            .context("writing");
        assert!(is_closed_pipe(&closed));
        assert!(!is_closed_pipe(&anyhow::anyhow!("disk on fire")));
    }
}
