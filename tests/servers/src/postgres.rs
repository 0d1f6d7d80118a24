//! A real Postgres of its own folder and port.
//!
//! It is started and stopped by a shell that reads from a pipe of ours: when this process ends, in whatever way, the pipe
//! closes, the shell stops the server and takes its files away.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What a server answers.
pub type Answer<T> = Result<T, Box<dyn std::error::Error>>;

/// Keeps a server as long as its standard input is open.
const KEEPER: &str = include_str!("../../postgres.sh");

/// A server of our own.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    told: Option<ChildStdin>,
    tells: BufReader<ChildStdout>,
    keeper: Child,
}

impl Postgres {
    /// Starts one.
    ///
    /// # Errors
    /// When it is not installed or does not come up.
    pub fn start() -> Answer<Self> {
        let bin = programs().ok_or("Postgres is not installed; tests/run installs it")?;
        let port = crate::free_port();
        let mut keeper = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        let mut keeper = keeper
            .args(["-c", KEEPER, "keeper"])
            .arg(bin)
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let told = keeper.stdin.take();
        let tells = keeper.stdout.take().ok_or("it has an output")?;
        let mut server = Self {
            port,
            told,
            tells: BufReader::new(tells),
            keeper,
        };
        server.hear()?;
        Ok(server)
    }

    /// Kills it and all its processes, as the loss of its machine would.
    ///
    /// # Errors
    /// When it is not there.
    pub fn crash(&mut self) -> Answer<()> {
        self.tell("crash")
    }

    /// Starts it again.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&mut self) -> Answer<()> {
        self.tell("start")
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of the database that every server has.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn tell(&mut self, word: &str) -> Answer<()> {
        let told = self.told.as_mut().ok_or("it has an input")?;
        writeln!(told, "{word}")?;
        told.flush()?;
        self.hear()
    }

    fn hear(&mut self) -> Answer<()> {
        let mut line = String::new();
        self.tells.read_line(&mut line)?;
        if line.trim() == "ok" {
            return Ok(());
        }
        // What follows is its log.
        while self.tells.read_line(&mut line)? > 0 && line.len() < 4000 {}
        Err(format!("Postgres: {line}").into())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Whoever reads from a closed pipe ends; the rest is done by the keeper.
        drop(self.told.take());
        drop(self.keeper.wait());
    }
}

/// Debian keeps several versions beside each other, none of them on the path.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").ok();
    let mut found: Vec<PathBuf> = debian
        .into_iter()
        .flatten()
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .collect();
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::split_paths(&path).collect::<Vec<_>>();
    let all = found.into_iter().rev().chain(path);
    all.into_iter().find(|bin| bin.join("initdb").is_file())
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}
