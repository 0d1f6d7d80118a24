//! Apache Kafka from its jars: one broker that is its own controller.

use crate::{free_port, guard::Guard};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// A broker of one's own, instead.
const OTHER: &str = "SOTTAKU_TEST_KAFKA";
/// How long it may take to come up on a busy machine.
const UP_MAX: Duration = Duration::from_secs(120);
/// The cluster's id: 16 bytes as Kafka writes them.
const CLUSTER: &str = "c290dGFrdS1zb3R0YWt1LQ";

/// How a broker is started, beyond what all have.
#[derive(Clone, Debug, Default)]
pub struct KafkaOptions {
    /// So many partitions has a topic that is made by who writes to it first; none: nobody makes one so.
    pub partitions: Option<u32>,
    /// A private key and its certificate, both in PEM: then it listens for TLS too, and for who signs in as
    /// [`Kafka::USER`].
    pub identity: Option<String>,
}

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
    control: u16,
    /// The ports for TLS, for who signs in, and for both.
    guarded: [u16; 3],
    options: KafkaOptions,
}

impl Kafka {
    /// Who may sign in, by PLAIN and by SCRAM-SHA-256, and with what.
    pub const USER: (&'static str, &'static str) = ("alice", "alice-secret");

    /// Starts a broker, or names the one that `SOTTAKU_TEST_KAFKA` does. It may not take clients yet: they try again.
    pub fn start() -> Self {
        if let Ok(address) = std::env::var(OTHER) {
            return Self { address, own: None };
        }
        Self::start_with(KafkaOptions::default())
    }

    /// Starts a broker of one's own.
    pub fn start_with(options: KafkaOptions) -> Self {
        let jars = format!("{}/*", libs().display());
        let folder = tempfile::tempdir().expect("a folder can be made");
        let (port, control) = (free_port(), free_port());
        let guarded = [free_port(), free_port(), free_port()];
        let address = format!("127.0.0.1:{port}");
        configure(&jars, folder.path(), (port, control, guarded), &options);
        let guard = run(&jars, folder.path());
        await_port(&address, folder.path());
        let own = Own {
            guard,
            folder,
            jars,
            control,
            guarded,
            options,
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

    fn own(&mut self) -> &mut Own {
        let own = self.own.as_mut();
        own.expect("only a broker of the test is asked so")
    }

    /// Where it listens for TLS, for who signs in without it, and for who signs in over it.
    pub fn guarded(&mut self) -> [String; 3] {
        self.own().guarded.map(|port| format!("127.0.0.1:{port}"))
    }

    /// Kills the broker and starts it again over the same files.
    pub fn kill_and_restart(&mut self) {
        self.kill();
        self.restart();
    }

    /// Kills the broker.
    pub fn kill(&mut self) {
        self.own().guard.end("KILL").expect("it ends");
    }

    /// Starts it again over the same files.
    pub fn restart(&mut self) {
        let own = self.own();
        own.guard = run(&own.jars, own.folder.path());
        let folder = own.folder.path().to_owned();
        await_port(&self.address, &folder);
    }

    /// Kills the broker and starts another one in its place, which knows no topic.
    pub fn begin_anew(&mut self, options: KafkaOptions) {
        self.kill();
        let port = self
            .address
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        let port: u16 = port.expect("it has a port");
        let own = self.own();
        std::fs::remove_dir_all(own.folder.path().join("logs")).expect("its files go");
        own.options = options;
        let ports = (port, own.control, own.guarded);
        configure(&own.jars, own.folder.path(), ports, &own.options);
        self.restart();
    }
}

/// Writes what a broker reads, and makes its files.
fn configure(jars: &str, folder: &Path, ports: (u16, u16, [u16; 3]), options: &KafkaOptions) {
    let properties = folder.join("server.properties");
    let written = std::fs::write(&properties, configuration(folder, ports, options));
    written.expect("a file can be written");
    let mut format = Command::new("java");
    format
        .args(["-cp", jars, "kafka.tools.StorageTool", "format"])
        .args(["-t", CLUSTER, "-c"])
        .arg(&properties);
    if options.identity.is_some() {
        let (name, password) = Kafka::USER;
        let user = format!("SCRAM-SHA-256=[name={name},password={password}]");
        format.args(["--add-scram", &user]);
    }
    let formatted = format.output().expect("java runs");
    assert!(formatted.status.success(), "{formatted:?}");
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

fn configuration(
    folder: &Path,
    (port, control, guarded): (u16, u16, [u16; 3]),
    options: &KafkaOptions,
) -> String {
    let logs = folder.join("logs");
    let (makes, partitions) = (
        options.partitions.is_some(),
        options.partitions.unwrap_or(1),
    );
    let (listeners, more) = match &options.identity {
        Some(identity) => guard(folder, guarded, identity),
        None => (String::new(), String::new()),
    };
    format!(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:{control}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}{listeners}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}{listeners}\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL\n\
         inter.broker.listener.name=PLAINTEXT\ncontroller.listener.names=CONTROLLER\n\
         log.dirs={}\noffsets.topic.replication.factor=1\ntransaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\nshare.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\nauto.create.topics.enable={makes}\nnum.partitions={partitions}\n{more}",
        logs.display()
    )
}

/// Listeners for TLS and for who signs in, and what they ask.
fn guard(folder: &Path, [tls, plain, both]: [u16; 3], identity: &str) -> (String, String) {
    let keys = folder.join("identity.pem");
    std::fs::write(&keys, identity).expect("a file can be written");
    let (name, password) = Kafka::USER;
    let listeners = format!(
        ",SSL://127.0.0.1:{tls},SASL_PLAINTEXT://127.0.0.1:{plain},SASL_SSL://127.0.0.1:{both}"
    );
    let security = "org.apache.kafka.common.security";
    let asks = ["sasl_plaintext", "sasl_ssl"].map(|listener| {
        format!(
            "listener.name.{listener}.plain.sasl.jaas.config={security}.plain.PlainLoginModule required user_{name}=\"{password}\";\n\
             listener.name.{listener}.scram-sha-256.sasl.jaas.config={security}.scram.ScramLoginModule required;\n"
        )
    });
    let more = format!(
        "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256\nssl.keystore.type=PEM\nssl.keystore.location={}\n{}",
        keys.display(),
        asks.concat()
    );
    (listeners, more)
}

/// Asked without a pause, it would take the processor from the broker that is to come up; a shell asks now and then.
fn await_port(address: &str, folder: &Path) {
    let port = address.rsplit(':').next().unwrap_or_default();
    let asked = "until (: </dev/tcp/127.0.0.1/$0) 2>/dev/null; do sleep 0.02; done";
    let up_max = UP_MAX.as_secs().to_string();
    let came = Command::new("timeout")
        .args([&*up_max, "bash", "-c", asked, port])
        .status();
    if !came.is_ok_and(|status| status.success()) {
        let log = std::fs::read_to_string(folder.join("log"));
        panic!("no broker came up: {log:?}");
    }
}
