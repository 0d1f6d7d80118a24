//! A real broker for the tests: one for the whole process, with a topic of its own for each test.

use super::{Kafka, KafkaSettings};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A broker of one's own, instead.
const OTHER: &str = "SOTTAKU_TEST_KAFKA";

/// Starts the broker once, and says where it listens.
pub(super) fn brokers() -> &'static str {
    static BROKER: OnceLock<Broker> = OnceLock::new();
    &BROKER.get_or_init(Broker::start).address
}

/// A topic nobody else uses.
pub(super) fn settings() -> KafkaSettings {
    static TOPICS: AtomicU32 = AtomicU32::new(0);
    let number = TOPICS.fetch_add(1, Ordering::Relaxed);
    let topic = format!("facts-{}-{number}", std::process::id());
    let mut settings = KafkaSettings::new(brokers(), topic);
    settings.replicas = Some(1);
    settings
}

/// A log of two shards.
pub(super) async fn log(settings: &KafkaSettings) -> Kafka {
    let settings = settings.clone();
    Kafka::open(settings, 2).await.expect("the topic is made")
}

struct Broker {
    address: String,
    /// Ends with the pipe to it, so also when this process is killed.
    _guard: Option<Child>,
    _folder: Option<tempfile::TempDir>,
}

impl Broker {
    fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests are told by the environment which broker to use"
        )]
        if let Ok(address) = std::env::var(OTHER) {
            return Self {
                address,
                _guard: None,
                _folder: None,
            };
        }
        let libs = libs();
        let folder = tempfile::tempdir().expect("a folder can be made");
        let (port, control) = (free_port(), free_port());
        let properties = folder.path().join("server.properties");
        std::fs::write(&properties, configuration(folder.path(), port, control))
            .expect("a file can be written");
        let jars = format!("{}/*", libs.display());
        let id = "c290dGFrdS1zb3R0YWt1LQ";
        let format = ["kafka.tools.StorageTool", "format", "-t", id, "-c"];
        let formatted = Command::new("java")
            .args(["-cp", &jars])
            .args(format)
            .arg(&properties)
            .output()
            .expect("java runs");
        assert!(formatted.status.success(), "{formatted:?}");
        let guarded = "java -Xms256m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp \"$1\" kafka.Kafka \"$2\" \
            >\"$3\" 2>&1 </dev/null & broker=$!; cat >/dev/null; kill -9 $broker";
        let guard = Command::new("sh")
            .args(["-c", guarded, "guard", &jars])
            .arg(&properties)
            .arg(folder.path().join("log"))
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell runs");
        let address = format!("127.0.0.1:{port}");
        await_ready(&address, folder.path());
        Self {
            address,
            _guard: Some(guard),
            _folder: Some(folder),
        }
    }
}

/// Where the broker's jars are; `tests/run` puts them there.
fn libs() -> PathBuf {
    let test = std::env::current_exe().expect("this test is a file");
    let target = test.ancestors().nth(3).expect("it lies in a target folder");
    let libs = target.join("kafka");
    assert!(
        libs.is_dir(),
        "{} is missing: run tests/servers/kafka, or set {OTHER}=host:port",
        libs.display()
    );
    libs
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it is bound").port()
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

fn await_ready(address: &str, folder: &Path) {
    use rdkafka::consumer::{BaseConsumer, Consumer as _};
    let until = Instant::now() + Duration::from_secs(90);
    let mut settings = KafkaSettings::new(address, "none");
    settings.ask_max = Duration::from_secs(2);
    let asking: BaseConsumer = settings.consumer("ready").create().expect("a client");
    while asking.fetch_metadata(None, settings.ask_max).is_err() {
        let log = std::fs::read_to_string(folder.join("log"));
        assert!(Instant::now() < until, "no broker came up: {log:?}");
    }
}
