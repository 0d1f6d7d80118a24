//! What was refused of a file, kept beside it, to be mended and imported.

use anyhow::Context;
use ingest::csv::Encoding;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Refused lines or rows.
pub(super) struct Rejects {
    path: PathBuf,
    goes_on: bool,
    header: Option<Box<str>>,
    encoding: Encoding,
    out: Option<BufWriter<File>>,
}

impl Rejects {
    /// `FILE.rejects.EXTENSION`; made when something is refused, or gone on with.
    pub(super) fn beside(path: &Path, extension: &str, goes_on: bool) -> Self {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".rejects.{extension}"));
        Self {
            path: name.into(),
            goes_on,
            header: None,
            encoding: Encoding::Utf8,
            out: None,
        }
    }

    /// Of a table: with a first line that names the columns, in the encoding that the table has.
    pub(super) fn of_table(self, header: &str, encoding: Encoding) -> Self {
        Self {
            header: Some(header.into()),
            encoding,
            ..self
        }
    }

    pub(super) fn keep(&mut self, raw: &str) -> anyhow::Result<()> {
        let out = match &mut self.out {
            Some(out) => out,
            None => {
                let mut options = File::options();
                options.create(true).write(true);
                let options = if self.goes_on {
                    options.append(true)
                } else {
                    options.truncate(true)
                };
                // Names and addresses of people lie in it.
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
                let file = options.open(&self.path);
                let file = file.with_context(|| format!("writing {}", self.path.display()))?;
                let out = self.out.insert(BufWriter::new(file));
                if let Some(header) = &self.header {
                    out.write_all(&self.encoding.bytes(header))?;
                    out.write_all(b"\n")?;
                }
                out
            }
        };
        out.write_all(&self.encoding.bytes(raw))?;
        out.write_all(b"\n")?;
        Ok(())
    }

    pub(super) fn end(self) -> anyhow::Result<()> {
        if let Some(mut out) = self.out {
            out.flush()?;
            anstream::eprintln!("what was refused is in {}", self.path.display());
        }
        Ok(())
    }
}
