//! The product, as its users have it: a binary, a folder with its settings, a command line.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::Failure;

/// What a command that ended printed.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Its exit code; none if it was killed.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// The output's lines, each as JSON.
    ///
    /// # Errors
    /// When a line is none.
    pub fn json_lines(&self) -> Result<Vec<serde_json::Value>, Failure> {
        self.out
            .lines()
            .map(|line| {
                serde_json::from_str(line).map_err(|error| Failure::Unreadable {
                    what: format!("the line {line:?}"),
                    reason: error.to_string(),
                })
            })
            .collect()
    }
}

/// A binary and the folder it is run in.
#[derive(Debug, Clone)]
pub struct Product {
    binary: PathBuf,
    folder: PathBuf,
    variables: Vec<(String, String)>,
}

impl Product {
    /// The product that was built beside `other`, a binary of the tests (`env!("CARGO_BIN_EXE_mail-sink")`).
    pub fn beside(other: &str, folder: &Path) -> Product {
        Product::of(&Path::new(other).with_file_name("sottaku"), folder)
    }

    /// This binary, run in `folder`.
    pub fn of(binary: &Path, folder: &Path) -> Product {
        Product {
            binary: binary.to_owned(),
            folder: folder.to_owned(),
            // Colours are for people.
            variables: vec![("NO_COLOR".to_owned(), "1".to_owned())],
        }
    }

    /// With a variable of the environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Product {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Where it is run.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The command with these arguments, not yet started. It is killed when it is dropped.
    pub fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .current_dir(&self.folder)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn run(&self, arguments: &[impl AsRef<OsStr>]) -> Result<Ran, Failure> {
        let doing = format!("starting {}; build it first", self.binary.display());
        let output = self.command(arguments).output().await;
        let output = output.map_err(Failure::io(doing))?;
        Ok(Ran {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs a command that must succeed.
    ///
    /// # Errors
    /// When it ends with another code than 0.
    pub async fn done(&self, arguments: &[&str]) -> Result<Ran, Failure> {
        let ran = self.run(arguments).await?;
        if ran.code == Some(0) {
            return Ok(ran);
        }
        Err(Failure::Program {
            program: format!("sottaku {}", arguments.join(" ")),
            said: format!("{:?}: {}{}", ran.code, ran.out, ran.err),
        })
    }
}
