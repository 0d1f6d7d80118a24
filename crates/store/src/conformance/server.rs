//! A real Postgres for the tests: one for all cases of the process, a database for each case.
//! `SOTTAKU_TEST_POSTGRES_URL` names a server of one's own instead.

pub(crate) use servers::Postgres as Server;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

type Answer<T> = Result<T, Box<dyn std::error::Error>>;

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

    /// Sweeps its tables, as the server does by itself, and says how many bytes they take with their indexes.
    pub(crate) async fn swept_size(&self) -> Answer<u64> {
        let mut connection = PgConnection::connect(&self.url()).await?;
        sqlx::raw_sql("VACUUM").execute(&mut connection).await?;
        let sql = "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class \
            WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
        let row = sqlx::query(sql).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(row.try_get::<i64, _>(0)?.cast_unsigned())
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
