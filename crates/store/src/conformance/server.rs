//! A real Postgres for the tests: one for all cases of the process, a database for each case.
//!
//! It is started and stopped by a shell that reads from a pipe of ours: when this process ends, in whatever way, the pipe
//! closes, the shell stops the server and takes its files away. `SOTTAKU_TEST_POSTGRES_URL` names a server of one's own
//! instead.

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

type Answer<T> = Result<T, Box<dyn std::error::Error>>;

/// Keeps a server as long as its standard input is open.
const KEEPER: &str = include_str!("../../../../tests/postgres.sh");

/// A server of our own.
pub(crate) struct Server {
    port: u16,
    told: Option<ChildStdin>,
    tells: BufReader<ChildStdout>,
    keeper: Child,
}

impl Server {
    /// Starts one.
    pub(crate) fn start() -> Answer<Self> {
        let bin = programs().ok_or("Postgres is not installed; tests/run installs it")?;
        let free = std::net::TcpListener::bind("127.0.0.1:0")?;
        let port = free.local_addr()?.port();
        drop(free);
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
    pub(crate) fn crash(&mut self) -> Answer<()> {
        self.tell("crash")
    }

    /// Starts it again.
    pub(crate) fn restart(&mut self) -> Answer<()> {
        self.tell("start")
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
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

impl Drop for Server {
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

/// Where databases are made: an address up to the database's name, and what follows it.
fn server() -> (String, String) {
    static SHARED: OnceLock<Mutex<Option<Server>>> = OnceLock::new();
    if let Ok(own) = std::env::var("SOTTAKU_TEST_POSTGRES_URL") {
        let (address, query) = own.split_once('?').unwrap_or((&own, ""));
        let (server, _) = address.rsplit_once('/').unwrap_or((address, ""));
        return (server.to_owned(), query.to_owned());
    }
    let shared = SHARED.get_or_init(Mutex::default);
    let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let server = match shared.take() {
        Some(server) => server,
        None => Server::start().expect("Postgres starts"),
    };
    let port = shared.insert(server).port();
    (
        format!("postgres://postgres@127.0.0.1:{port}"),
        String::new(),
    )
}

/// A database of one case, taken away with it.
pub(crate) struct Database {
    server: (String, String),
    name: String,
}

impl Database {
    /// Makes one.
    pub(crate) async fn make() -> Answer<Self> {
        Self::make_on(server()).await
    }

    /// Makes one on a server of the test's own.
    pub(crate) async fn make_at(port: u16) -> Answer<Self> {
        let server = format!("postgres://postgres@127.0.0.1:{port}");
        Self::make_on((server, String::new())).await
    }

    async fn make_on(server: (String, String)) -> Answer<Self> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let n = MADE.fetch_add(1, Ordering::SeqCst);
        let name = format!("sottaku_test_{}_{n}", std::process::id());
        let database = Self { server, name };
        let sql = format!("CREATE DATABASE {} TEMPLATE template0", database.name);
        database.administer(&sql).await?;
        Ok(database)
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        self.at(&self.name)
    }

    /// The address of a database that is not there.
    pub(crate) fn nowhere(&self) -> String {
        self.at("sottaku_test_none")
    }

    fn at(&self, name: &str) -> String {
        let (server, query) = &self.server;
        if query.is_empty() {
            format!("{server}/{name}")
        } else {
            format!("{server}/{name}?{query}")
        }
    }

    /// Runs a statement beside the database.
    pub(crate) async fn administer(&self, sql: &str) -> Answer<()> {
        let mut connection = PgConnection::connect(&self.at("postgres")).await?;
        let done = sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await;
        connection.close().await?;
        done?;
        Ok(())
    }

    /// The port of its server.
    pub(crate) fn port(&self) -> Answer<u16> {
        let address = &self.server.0;
        let port = address.rsplit(':').next().ok_or("it has a port")?;
        Ok(port.parse()?)
    }

    /// The database's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A drop can't wait for a future of the runtime that it runs in.
        std::thread::scope(|scope| {
            let dropping = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                if let Ok(runtime) = runtime
                    && let Err(why) = runtime.block_on(self.administer(&sql))
                {
                    println!("{} is left: {why}", self.name);
                }
            });
            drop(dropping.join());
        });
    }
}
