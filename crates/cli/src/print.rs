//! Printing: to a pipe or a terminal, and never a panic when the reader has gone.

use anyhow::Context;
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;

/// How a command prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs: JSON, or one JSON object a line where there are many.
    Json,
}

/// Where facts are written: this file, made anew, or standard output.
pub(crate) fn file_or_stdout(path: Option<&Path>) -> anyhow::Result<Box<dyn Write>> {
    Ok(match path {
        Some(path) => {
            let file = std::fs::File::create(path)
                .with_context(|| format!("writing {}", path.display()))?;
            Box::new(io::BufWriter::new(file))
        }
        None => Box::new(io::BufWriter::new(io::stdout())),
    })
}

/// Standard output, buffered; colours are stripped where nobody sees them.
pub(crate) struct Printer(io::BufWriter<anstream::AutoStream<io::Stdout>>);

impl Printer {
    /// Standard output.
    pub(crate) fn new() -> Self {
        Self(io::BufWriter::new(anstream::AutoStream::auto(io::stdout())))
    }

    /// Prints a line.
    pub(crate) fn line(&mut self, text: impl std::fmt::Display) -> io::Result<()> {
        writeln!(self.0, "{text}")
    }

    /// Prints text as it is.
    pub(crate) fn text(&mut self, text: impl std::fmt::Display) -> io::Result<()> {
        write!(self.0, "{text}")
    }

    /// Prints `value` as one line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        serde_json::to_writer(&mut self.0, value).map_err(io::Error::from)?;
        self.line("")?;
        Ok(())
    }

    /// Hands all over.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
