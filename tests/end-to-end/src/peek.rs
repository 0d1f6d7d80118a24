//! Looks into a store while others work on it, and writes nothing: to aim a blow at the right moment and to
//! know when all is quiet. What is proved is proved by what stands outside of it.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{ConnectOptions, Connection, Row};

use torture::takeover::{Held, Look, Reached, pid};

use crate::Failure;

/// Who waits for the right to write longer than this waits for somebody who does not give it back.
const LOCK_TIME_MAX: Duration = Duration::from_secs(1);

/// How far the log of a shard goes, and how far it is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// What is decided.
    pub position: i64,
    /// The end of its log.
    pub end: i64,
}

/// An open store.
#[derive(Debug, Clone)]
pub struct Peek {
    pool: SqlitePool,
    writing: SqliteConnectOptions,
}

impl Peek {
    /// Opens a store that is there already.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open(store: &Path) -> Result<Peek, Failure> {
        let options = SqliteConnectOptions::new()
            .filename(store)
            .read_only(true)
            .busy_timeout(Duration::from_secs(30));
        let writing = options.clone().read_only(false).busy_timeout(LOCK_TIME_MAX);
        let pool = SqlitePoolOptions::new()
            .max_connections(2)
            .connect_with(options)
            .await
            .map_err(failed)?;
        Ok(Peek { pool, writing })
    }

    /// How far each shard's log goes.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn logs(&self) -> Result<Vec<Log>, Failure> {
        let sql = "SELECT s.position, e.position \
            FROM shard s JOIN log_end e ON e.shard = s.id ORDER BY s.id";
        let rows = self.rows(sql).await?;
        Ok(rows
            .iter()
            .map(|row| Log {
                position: row.get(0),
                end: row.get(1),
            })
            .collect())
    }

    /// How many accounts another text decided last than the one that decides now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn stale(&self) -> Result<i64, Failure> {
        let sql = "SELECT count(*) FROM account a JOIN shard s ON s.id = a.shard \
            WHERE a.revision IS NOT s.revision";
        let rows = self.rows(sql).await?;
        Ok(rows.first().map_or(0, |row| row.get(0)))
    }

    /// How many accounts each text decided last, with the number of the text.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn decided_by(&self) -> Result<Vec<(i64, i64)>, Failure> {
        let sql = "SELECT revision, count(*) FROM account GROUP BY revision ORDER BY revision";
        let rows = self.rows(sql).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// The processes with a claim for which no attempt was written yet, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn claimed_without_attempt(&self) -> Result<Vec<u32>, Failure> {
        self.senders(
            "NOT EXISTS (SELECT 1 FROM attempt a WHERE a.delivery = d.id AND a.claim = d.claim)",
        )
        .await
    }

    /// The processes with an attempt that has no end yet, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn attempts_open(&self) -> Result<Vec<u32>, Failure> {
        self.senders(
            "EXISTS (SELECT 1 FROM attempt a WHERE a.delivery = d.id AND a.claim = d.claim AND a.ended_at IS NULL)",
        )
        .await
    }

    /// Whether nobody keeps the right to write to himself: takes it for an instant, and writes nothing.
    pub async fn is_writable(&self) -> bool {
        let Ok(mut connection) = self.writing.connect().await else {
            return false;
        };
        let taken = sqlx::raw_sql("BEGIN IMMEDIATE; ROLLBACK").execute(&mut connection);
        let is_taken = taken.await.is_ok();
        is_taken && connection.close().await.is_ok()
    }

    /// From now on the database refuses every commit that has records.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn refuse_records(&self) -> Result<(), Failure> {
        let sql = "CREATE TRIGGER refusing BEFORE INSERT ON journal \
            BEGIN SELECT RAISE(ABORT, 'refused by a test'); END";
        self.write(sql).await
    }

    /// The database takes them again.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn take_records(&self) -> Result<(), Failure> {
        self.write("DROP TRIGGER refusing").await
    }

    async fn write(&self, sql: &'static str) -> Result<(), Failure> {
        let writing = self.writing.clone().busy_timeout(Duration::from_secs(30));
        let mut connection = writing.connect().await.map_err(failed)?;
        let written = sqlx::raw_sql(sql).execute(&mut connection).await;
        connection.close().await.map_err(failed)?;
        written.map(drop).map_err(failed)
    }

    async fn senders(&self, condition: &'static str) -> Result<Vec<u32>, Failure> {
        let sql = format!(
            "SELECT l.owner FROM delivery d JOIN lease l ON l.shard = d.shard AND l.role = 'send' \
             WHERE d.state = 'claimed' AND d.claim_epoch = l.epoch AND {condition} ORDER BY d.claimed_at"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&self.pool);
        let rows = rows.await.map_err(failed)?;
        Ok(rows
            .iter()
            .filter_map(|row| pid(row.get::<Option<&str>, _>(0)))
            .collect())
    }

    async fn rows(&self, sql: &'static str) -> Result<Vec<sqlx::sqlite::SqliteRow>, Failure> {
        sqlx::query(sql).fetch_all(&self.pool).await.map_err(failed)
    }
}

impl Look for Peek {
    async fn leases(&self) -> Result<Vec<Held>, Failure> {
        let rows = self
            .rows("SELECT shard, role, owner, epoch FROM lease ORDER BY shard, role")
            .await?;
        Ok(rows
            .iter()
            .map(|row| Held {
                shard: row.get(0),
                role: row.get(1),
                pid: pid(row.get::<Option<&str>, _>(2)),
                epoch: row.get(3),
            })
            .collect())
    }

    async fn reached(&self) -> Result<Vec<Reached>, Failure> {
        let sql = "SELECT position, commits, commit_epoch FROM shard ORDER BY id";
        let rows = self.rows(sql).await?;
        Ok(rows
            .iter()
            .map(|row| Reached {
                position: row.get(0),
                commits: row.get(1),
                epoch: row.get(2),
            })
            .collect())
    }

    async fn end(&self, shard: i64) -> Result<i64, Failure> {
        let logs = self.logs().await?;
        let log = usize::try_from(shard).ok().and_then(|at| logs.get(at));
        Ok(log.map_or(0, |log| log.end))
    }

    async fn unsettled(&self) -> Result<i64, Failure> {
        let sql = "SELECT count(*) FROM delivery WHERE state IN ('queued', 'claimed', 'deferred')";
        let rows = self.rows(sql).await?;
        Ok(rows.first().map_or(0, |row| row.get(0)))
    }

    async fn unattempted(&self) -> Result<Vec<u32>, Failure> {
        self.claimed_without_attempt().await
    }

    async fn problems(&self) -> Result<Vec<String>, Failure> {
        let rows = self.rows("PRAGMA integrity_check").await?;
        let told = rows.iter().map(|row| row.get::<String, _>(0));
        Ok(told.filter(|line| line != "ok").collect())
    }
}

fn failed(error: sqlx::Error) -> Failure {
    Failure::Unreadable {
        what: "the store".to_owned(),
        reason: error.to_string(),
    }
}
