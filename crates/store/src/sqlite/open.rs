//! Opening the file: settings that keep what is acknowledged, tables up to date, what was fixed at first use.

use super::Tuning;
use super::rows::{Columns, signed};
use super::tx::{Connection, Ending, Pending, Session};
use crate::store::SHARDS_DEFAULT;
use crate::{ClockMode, Failure, Health, LogKind, Meta, OpenError, OpenOptions, Role, SHARDS_MAX};
use model::teeth;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Statements that stay prepared on each connection.
const STATEMENTS_MAX: usize = 200;

/// What opening gave.
pub(crate) struct Opened {
    pub(crate) meta: Meta,
    pub(crate) write: SqliteConnectOptions,
    pub(crate) read: SqliteConnectOptions,
}

/// Opens the file, one process at a time.
pub(crate) async fn open(path: &Path, options: OpenOptions) -> Result<Opened, OpenError> {
    if options.must_exist && !path.exists() {
        return Err(OpenError::Missing(path.display().to_string().into()));
    }
    if let Some(asked) = options.shards
        && !(1..=SHARDS_MAX).contains(&asked)
    {
        return Err(OpenError::ShardCount(asked));
    }
    let guard = lock(path.to_path_buf()).await?;
    let base = connect_options(path, &options.tuning);
    migrate(&base).await?;
    let write = write_options(&base, &options.tuning);
    let mut connection = Connection::new(write.clone(), options.tuning);
    let meta = connection
        .transact(move |session| Box::pin(settle_meta(session, options)))
        .await;
    connection.close().await;
    drop(guard);
    let meta = meta.map_err(Failure::from)??;
    differs(&meta, &options)?;
    Ok(Opened {
        meta,
        write,
        read: base.create_if_missing(false).pragma("query_only", "ON"),
    })
}

/// Reads the whole file.
pub(crate) fn check(session: &mut Session) -> Pending<'_, Result<Health, Failure>> {
    Box::pin(async move {
        let mut problems = Vec::new();
        for row in session.rows(sqlx::query("PRAGMA integrity_check")).await? {
            let line = row.text(0)?;
            if &*line != "ok" {
                problems.push(line);
            }
        }
        for row in session
            .rows(sqlx::query("PRAGMA foreign_key_check"))
            .await?
        {
            problems.push(format!("a row of {} points nowhere", row.text(0)?).into());
        }
        for sql in super::batches::UNSOUND {
            for row in session.rows(sqlx::query(sql)).await? {
                problems.push(row.text(0)?);
            }
        }
        let size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let bytes = session.row(sqlx::query(size)).await?;
        let bytes = bytes.map_or(Ok(0), |row| row.count(0))?;
        Ok(Health { problems, bytes })
    })
}

fn connect_options(path: &Path, tuning: &Tuning) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(tuning.busy_max)
        .pragma("wal_autocheckpoint", tuning.wal_pages_max.to_string())
        .pragma("cache_size", "-32768")
        .pragma("temp_store", "memory")
        .statement_cache_capacity(STATEMENTS_MAX)
        .thread_name(|n| format!("store-{n}"))
        .disable_statement_logging()
}

/// The writer waits by itself, in `tx`, so SQLite must not.
fn write_options(base: &SqliteConnectOptions, tuning: &Tuning) -> SqliteConnectOptions {
    let write = base.clone().pragma("busy_timeout", "0");
    match tuning.pages_max {
        Some(pages) => write.pragma("max_page_count", pages.to_string()),
        None => write,
    }
}

/// A lock beside the file: two processes that start at once would both make the tables.
async fn lock(path: PathBuf) -> Result<File, OpenError> {
    let shown: Box<str> = path.display().to_string().into();
    let locking = tokio::task::spawn_blocking(move || {
        let mut name = path.clone().into_os_string();
        name.push("-lock");
        let lock = private(Path::new(&name))?;
        lock.lock()?;
        // SQLite gives the files it puts beside this one the same rights.
        private(&path)?;
        Ok::<_, std::io::Error>(lock)
    });
    let why = match locking.await {
        Ok(Ok(lock)) => return Ok(lock),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    Err(OpenError::File {
        path: shown,
        why: why.into(),
    })
}

/// Opens a file, and makes it for its owner only: names and addresses of people lie in it.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Brings the tables up to date, on a thread of its own: what sqlx gives for this can't move between threads.
async fn migrate(base: &SqliteConnectOptions) -> Result<(), OpenError> {
    let (base, here) = (base.clone(), tokio::runtime::Handle::current());
    let migrating = tokio::task::spawn_blocking(move || here.block_on(migrate_here(&base)));
    let done = migrating.await;
    done.map_err(|why| OpenError::Migration(why.to_string().into()))?
}

/// A negative control: a message's id may stand in the outbox twice.
pub(crate) fn unkeyed() -> &'static [&'static str] {
    if !teeth::is_out("fence") && !teeth::is_out("key") {
        return &[];
    }
    &[
        "DROP INDEX IF EXISTS outbox_message",
        "CREATE INDEX IF NOT EXISTS outbox_message_again ON outbox (message)",
    ]
}

async fn migrate_here(base: &SqliteConnectOptions) -> Result<(), OpenError> {
    let mut connection = base.connect().await.map_err(Failure::from)?;
    let done = super::tables::migrator().run(&mut connection).await;
    for sql in unkeyed() {
        let changed = sqlx::query(*sql).execute(&mut connection).await;
        changed.map_err(Failure::from)?;
    }
    sqlx::Connection::close(connection)
        .await
        .map_err(Failure::from)?;
    done.map_err(|error| OpenError::Migration(error.to_string().into()))
}

/// Reads what was fixed, or fixes it now.
async fn settle_meta(
    session: &mut Session,
    options: OpenOptions,
) -> Result<Ending<Result<Meta, OpenError>>, Failure> {
    if let Some(danger) = danger(session).await? {
        return Ok(Ending::Rollback(Err(OpenError::Unsafe(danger))));
    }
    if let Some(meta) = read_meta(session).await? {
        return Ok(Ending::Rollback(Ok(meta)));
    }
    let shards = options.shards.unwrap_or(SHARDS_DEFAULT);
    let clock = options.clock.unwrap_or(ClockMode::Live);
    let log = options.log.unwrap_or_default();
    let sql = "INSERT INTO meta (key, value) VALUES \
        ('incarnation', lower(hex(randomblob(16)))), ('shards', ?), ('clock', ?), ('log', ?)";
    let query = sqlx::query(sql)
        .bind(shards.to_string())
        .bind(clock.as_str())
        .bind(log.as_str());
    session.execute(query).await?;
    for shard in 0..shards {
        make_shard(session, shard).await?;
    }
    let made = read_meta(session).await?;
    let made = made.ok_or_else(|| Failure::unreadable("meta", "it was just written"))?;
    Ok(Ending::Commit(Ok(made)))
}

/// Whether the connection would lose what it acknowledges.
async fn danger(session: &mut Session) -> Result<Option<Box<str>>, Failure> {
    let sql = "SELECT (SELECT synchronous FROM pragma_synchronous), \
        (SELECT journal_mode FROM pragma_journal_mode), (SELECT foreign_keys FROM pragma_foreign_keys)";
    let Some(row) = session.row(sqlx::query(sql)).await? else {
        return Ok(Some("its settings can't be read".into()));
    };
    let (synchronous, journal, keys) = (row.long(0)?, row.text(1)?, row.long(2)?);
    if synchronous >= 2 && &*journal == "wal" && keys == 1 {
        return Ok(None);
    }
    Ok(Some(
        format!("synchronous={synchronous} journal_mode={journal} foreign_keys={keys}").into(),
    ))
}

async fn make_shard(session: &mut Session, shard: u32) -> Result<(), Failure> {
    let id = signed(u64::from(shard));
    for sql in [
        "INSERT INTO shard (id) VALUES (?)",
        "INSERT INTO log_end (shard) VALUES (?)",
    ] {
        session.execute(sqlx::query(sql).bind(id)).await?;
    }
    for role in Role::ALL {
        let sql = "INSERT INTO lease (shard, role) VALUES (?, ?)";
        let query = sqlx::query(sql).bind(id).bind(role.as_str());
        session.execute(query).await?;
    }
    Ok(())
}

async fn read_meta(session: &mut Session) -> Result<Option<Meta>, Failure> {
    let rows = session
        .rows(sqlx::query("SELECT key, value FROM meta"))
        .await?;
    let pairs: Result<Vec<_>, Failure> = rows
        .iter()
        .map(|row| Ok((row.text(0)?, row.text(1)?)))
        .collect();
    meta(pairs?)
}

/// What was fixed, from its words; none where nothing is.
pub(crate) fn meta(pairs: Vec<(Box<str>, Box<str>)>) -> Result<Option<Meta>, Failure> {
    if pairs.is_empty() {
        return Ok(None);
    }
    let mut meta = Meta {
        incarnation: "".into(),
        shards: 0,
        clock: ClockMode::Live,
        log: LogKind::Tables,
    };
    for (key, value) in pairs {
        match &*key {
            "incarnation" => meta.incarnation = value,
            "shards" => {
                let shards = value.parse();
                meta.shards = shards.map_err(|why| Failure::unreadable("meta", why))?;
            }
            "clock" => {
                let clock = ClockMode::parse(&value);
                meta.clock = clock.ok_or_else(|| Failure::unreadable("meta", &value))?;
            }
            "log" => {
                let log = LogKind::parse(&value);
                meta.log = log.ok_or_else(|| Failure::unreadable("meta", &value))?;
            }
            // A newer version may have written more.
            _ => {}
        }
    }
    Ok(Some(meta))
}

pub(crate) fn differs(meta: &Meta, options: &OpenOptions) -> Result<(), OpenError> {
    if let Some(asked) = options.shards
        && asked != meta.shards
    {
        return Err(OpenError::Shards {
            stored: meta.shards,
            asked,
        });
    }
    if let Some(asked) = options.log
        && asked != meta.log
    {
        return Err(OpenError::Log {
            stored: meta.log,
            asked,
        });
    }
    match options.clock {
        Some(asked) if asked != meta.clock => Err(OpenError::Clock {
            stored: meta.clock,
            asked,
        }),
        Some(_) | None => Ok(()),
    }
}
