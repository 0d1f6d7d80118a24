//! The sink as a process of its own, which outlives the kills of the product.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::sink::record;
use crate::{Failure, SinkOptions, Taken};

/// A sink in a child process. It ends when it is dropped, and also when this process dies.
#[derive(Debug)]
pub struct SinkProcess {
    child: Child,
    address: SocketAddr,
    record: PathBuf,
}

impl SinkProcess {
    /// Starts `binary`, which is `mail-sink` (in tests `env!("CARGO_BIN_EXE_mail-sink")`).
    ///
    /// # Errors
    /// When it cannot be run or does not say where it listens.
    pub fn start(binary: &Path, options: &SinkOptions) -> Result<SinkProcess, Failure> {
        let plan = options.record.with_extension("plan.json");
        let text =
            serde_json::to_string_pretty(&options.plan).map_err(|error| Failure::Unreadable {
                what: "the plan".to_owned(),
                reason: error.to_string(),
            })?;
        std::fs::write(&plan, text).map_err(Failure::io("writing the sink's plan"))?;
        let mut command = Command::new(binary);
        command
            .args(["--listen", &options.listen.to_string()])
            .arg("--record")
            .arg(&options.record)
            .arg("--plan")
            .arg(&plan)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(certificate) = &options.certificate {
            command
                .arg("--certificate")
                .arg(&certificate.server)
                .arg("--key")
                .arg(&certificate.key);
        }
        let mut child = command
            .spawn()
            .map_err(Failure::io(format!("starting {}", binary.display())))?;
        let address = listening(&mut child)?;
        Ok(SinkProcess {
            child,
            address,
            record: options.record.clone(),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The messages it took so far, in order.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn taken(&self) -> Result<Vec<Taken>, Failure> {
        record::read(&self.record)
    }
}

impl Drop for SinkProcess {
    fn drop(&mut self) {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        if let Err(error) = ended {
            eprintln!("the sink was not stopped cleanly: {error}");
        }
    }
}

/// The address in the first line that the child prints.
fn listening(child: &mut Child) -> Result<SocketAddr, Failure> {
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout)
            .read_line(&mut line)
            .map_err(Failure::io("reading where the sink listens"))?;
    }
    let address = line.trim().strip_prefix("listening on ");
    address
        .and_then(|address| address.parse().ok())
        .ok_or_else(|| Failure::Unreadable {
            what: "the first line of the sink".to_owned(),
            reason: format!("{:?} does not say where it listens", line.trim()),
        })
}
