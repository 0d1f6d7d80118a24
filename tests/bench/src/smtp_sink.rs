//! Postfix's own mail server for tests, as it is installed: it takes everything, and its work is not counted either.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::pace;

/// Where Debian puts it.
const SMTP_SINK: &str = "/usr/sbin/smtp-sink";
/// So many clients may wait to be let in.
const BACKLOG: &str = "1000";
/// It has to listen by then.
const START_MAX: Duration = Duration::from_secs(10);

/// A running one; it ends with the value.
pub(crate) struct SmtpSink {
    child: Child,
    address: SocketAddr,
}

impl SmtpSink {
    pub(crate) fn is_there() -> bool {
        Path::new(SMTP_SINK).exists()
    }

    pub(crate) fn start() -> anyhow::Result<SmtpSink> {
        // It can't be told to choose a port, so one is chosen that was free a moment ago.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new(SMTP_SINK);
        if is_root() {
            // It wants to be somebody else.
            command.args(["-u", "nobody"]);
        }
        let child = command.args([&address.to_string(), BACKLOG]).spawn()?;
        let sink = SmtpSink { child, address };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if began.elapsed() > START_MAX {
                bail!("smtp-sink does not listen at {address}");
            }
            pace::pass(Duration::from_millis(10));
        }
        Ok(sink)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut ids = status.lines().filter_map(|line| line.strip_prefix("Uid:"));
    ids.next()
        .and_then(|ids| ids.split_whitespace().nth(1))
        .is_some_and(|id| id == "0")
}
