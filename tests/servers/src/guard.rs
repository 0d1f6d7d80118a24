//! A child that ends with this process, however this process ends.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The shell starts the server and waits for the end of a pipe that only this process holds open; a line on it
/// names the signal.
const SCRIPT: &str = r#""$@" </dev/null & server=$!; signal=KILL; read -r signal; kill -"${signal:-KILL}" $server; wait $server"#;

/// A server under guard.
#[derive(Debug)]
pub(crate) struct Guard {
    shell: Child,
}

impl Guard {
    /// Starts a command line, with what it says in a file.
    pub(crate) fn start(command: &[&str], log: &Path) -> std::io::Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        let shell = Command::new("sh")
            .args(["-c", SCRIPT, "guard"])
            .args(command)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Self { shell })
    }

    /// Sends the server a signal, `KILL` or `TERM`, and awaits its end.
    pub(crate) fn end(&mut self, signal: &str) -> std::io::Result<()> {
        if let Some(mut pipe) = self.shell.stdin.take() {
            writeln!(pipe, "{signal}")?;
        }
        self.shell.wait().map(|_| ())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Err(why) = self.end("KILL") {
            eprintln!("a server of the tests did not end: {why}");
        }
    }
}
