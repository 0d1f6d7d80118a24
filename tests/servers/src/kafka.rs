//! Apache Kafka from its jars: one broker that is its own controller.

use crate::{free_port, guard::Guard};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A broker of one's own, instead.
const OTHER: &str = "SOTTAKU_TEST_KAFKA";
/// How long it may take to come up on a busy machine.
const UP_MAX: Duration = Duration::from_secs(120);
/// The cluster's id: 16 bytes as Kafka writes them.
const CLUSTER: &str = "c290dGFrdS1zb3R0YWt1LQ";

/// A running broker.
#[derive(Debug)]
pub struct Kafka {
    address: String,
    own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    guard: Guard,
    folder: TempDir,
    jars: String,
}

impl Kafka {
    /// Starts a broker, or names the one that `SOTTAKU_TEST_KAFKA` does. It may not take clients yet: they try again.
    pub fn start() -> Self {
        if let Ok(address) = std::env::var(OTHER) {
            return Self { address, own: None };
        }
        let jars = format!("{}/*", libs().display());
        let folder = tempfile::tempdir().expect("a folder can be made");
        let (port, control) = (free_port(), free_port());
        let properties = folder.path().join("server.properties");
        let written = std::fs::write(&properties, configuration(folder.path(), port, control));
        written.expect("a file can be written");
        let formatted = Command::new("java")
            .args(["-cp", &jars, "kafka.tools.StorageTool", "format"])
            .args(["-t", CLUSTER, "-c"])
            .arg(&properties)
            .output()
            .expect("java runs");
        assert!(formatted.status.success(), "{formatted:?}");
        let address = format!("127.0.0.1:{port}");
        let guard = run(&jars, folder.path());
        await_port(&address, folder.path());
        let own = Own {
            guard,
            folder,
            jars,
        };
        Self {
            address,
            own: Some(own),
        }
    }

    /// `host:port`, for clients.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Kills the broker and starts it again over the same files.
    pub fn kill_and_restart(&mut self) {
        let own = self
            .own
            .as_mut()
            .expect("only a broker of the test is killed");
        own.guard.end("KILL").expect("it ends");
        own.guard = run(&own.jars, own.folder.path());
        await_port(&self.address, own.folder.path());
    }
}

fn run(jars: &str, folder: &Path) -> Guard {
    let properties = folder.join("server.properties").display().to_string();
    let command = [
        "java",
        "-Xms256m",
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        jars,
        "kafka.Kafka",
        &properties,
    ];
    Guard::start(&command, &folder.join("log")).expect("java runs")
}

/// Where the jars are: `tests/run` puts them beside the binaries.
fn libs() -> PathBuf {
    let test = std::env::current_exe().expect("this test is a file");
    // Tests lie two folders deep in it, benches one.
    let mut found = test.ancestors().map(|folder| folder.join("kafka"));
    let missing = "the broker's jars are missing: run tests/servers/kafka.sh";
    found
        .find(|libs| libs.is_dir())
        .unwrap_or_else(|| panic!("{missing}, or set {OTHER}=host:port ({})", test.display()))
}

fn configuration(folder: &Path, port: u16, control: u16) -> String {
    let logs = folder.join("logs");
    format!(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:{control}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         inter.broker.listener.name=PLAINTEXT\ncontroller.listener.names=CONTROLLER\n\
         log.dirs={}\noffsets.topic.replication.factor=1\ntransaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\nshare.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\nauto.create.topics.enable=false\n",
        logs.display()
    )
}

fn await_port(address: &str, folder: &Path) {
    let until = Instant::now() + UP_MAX;
    while TcpStream::connect(address).is_err() {
        let log = std::fs::read_to_string(folder.join("log"));
        assert!(Instant::now() < until, "no broker came up: {log:?}");
        std::thread::yield_now();
    }
}
