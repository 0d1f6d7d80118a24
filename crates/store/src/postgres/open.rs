//! Opening the database: settings that keep what is acknowledged, tables up to date, what was fixed at first use.

use super::fault::Class;
use super::rows::{Columns, number};
use super::session::Session;
use super::setup::Setup;
use super::tx::{Connection, Ending};
use crate::sqlite::open::unkeyed;
use crate::store::SHARDS_DEFAULT;
use crate::{ClockMode, Failure, Health, Meta, OpenError, OpenOptions, SHARDS_MAX};
use sqlx::ConnectOptions as _;
use sqlx::migrate::MigrateError;

/// Guards the making of tables and of what is fixed, in every process; a number that nobody else is likely to take.
const MAKING: i64 = 0x736f_7474_616b_7501;

/// Opens the database, one process at a time.
pub(crate) async fn open(setup: &Setup, options: OpenOptions) -> Result<Meta, OpenError> {
    if let Some(asked) = options.shards
        && !(1..=SHARDS_MAX).contains(&asked)
    {
        return Err(OpenError::ShardCount(asked));
    }
    let mut session = Session::open(setup).await?;
    let looked = look(&mut session).await;
    session.cut().await;
    let (danger, is_there) = looked?;
    if let Some(danger) = danger {
        return Err(OpenError::Unsafe(danger));
    }
    if options.must_exist && !is_there {
        return Err(OpenError::Missing(setup.shown()));
    }
    migrate(setup).await?;
    let mut connection = Connection::new(setup.clone(), std::sync::Arc::default());
    let meta = connection
        .transact(&options, &|session, options: &OpenOptions| {
            Box::pin(settle_meta(session, *options))
        })
        .await;
    connection.close().await;
    let meta = meta?;
    crate::sqlite::open::differs(&meta, &options)?;
    Ok(meta)
}

/// What is dangerous about the server, and whether a store is there.
async fn look(session: &mut Session) -> Result<(Option<Box<str>>, bool), Failure> {
    let sql = "SELECT current_setting('fsync'), current_setting('full_page_writes'), \
        current_setting('synchronous_commit'), current_setting('server_version_num')::bigint, \
        (to_regclass('meta') IS NOT NULL)::int::bigint";
    let row = session.row(sqlx::query(sql)).await?;
    let row = row.ok_or_else(|| Failure::unreadable("the server's settings", "no row"))?;
    let told = [row.text(0)?, row.text(1)?, row.text(2)?];
    let names = ["fsync", "full_page_writes", "synchronous_commit"];
    Ok((danger(&names, &told, row.long(3)?), row.long(4)? == 1))
}

/// Whether the server would lose what it acknowledges.
fn danger(names: &[&str], told: &[Box<str>], version: i64) -> Option<Box<str>> {
    const VERSION_MIN: i64 = 130_000;
    let off = names.iter().zip(told).find(|(_, value)| &***value == "off");
    if let Some((name, _)) = off {
        return Some(format!("{name} is off; turn it on").into());
    }
    (version < VERSION_MIN)
        .then(|| format!("version {version} is too old; 13 is the oldest that is known").into())
}

/// Brings the tables up to date, on a thread of its own: what sqlx gives for this can't move between threads.
async fn migrate(setup: &Setup) -> Result<(), OpenError> {
    let (setup, here) = (setup.patient(), tokio::runtime::Handle::current());
    let migrating = tokio::task::spawn_blocking(move || here.block_on(migrate_here(&setup)));
    let done = migrating.await;
    done.map_err(|why| OpenError::Migration(why.to_string().into()))?
}

async fn migrate_here(setup: &Setup) -> Result<(), OpenError> {
    let connected = setup.options.connect().await;
    let mut connection = connected.map_err(|why| Class::of(&why).away(&why))?;
    let done = migrate_under_lock(&mut connection).await;
    let closed = sqlx::Connection::close_hard(connection).await;
    if let Err(error) = closed {
        tracing::warn!(%error, "A connection to the store did not close well.");
    }
    done.map_err(|why| {
        // A server that went away meanwhile is no fault of the tables.
        if let MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) = &why
            && Class::of(error) != Class::Other
        {
            return Class::of(error).failure(error).into();
        }
        OpenError::Migration(why.to_string().into())
    })
}

/// The lock is the connection's: it goes with it, whatever happens.
async fn migrate_under_lock(connection: &mut sqlx::PgConnection) -> Result<(), MigrateError> {
    let lock = sqlx::query("SELECT pg_advisory_lock($1)").bind(MAKING);
    lock.execute(&mut *connection).await?;
    let mut migrator = super::tables::migrator();
    migrator.set_locking(false);
    migrator.run(&mut *connection).await?;
    for sql in unkeyed() {
        sqlx::query(*sql).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Reads what was fixed, or fixes it now.
fn settle_meta(
    session: &mut Session,
    options: OpenOptions,
) -> super::session::Pending<'_, Result<Ending<Meta>, Failure>> {
    Box::pin(async move {
        let query = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MAKING);
        session.execute(query).await?;
        if let Some(meta) = read_meta(session).await? {
            return Ok(Ending::Rollback(meta));
        }
        let shards = options.shards.unwrap_or(SHARDS_DEFAULT);
        let clock = options.clock.unwrap_or(ClockMode::Live);
        let sql = "INSERT INTO meta (key, value) VALUES \
            ('incarnation', replace(gen_random_uuid()::text, '-', '')), ('shards', $1), ('clock', $2), ('log', $3)";
        let query = sqlx::query(sql)
            .bind(shards.to_string())
            .bind(clock.as_str())
            .bind(options.log.unwrap_or_default().as_str());
        session.execute(query).await?;
        for sql in [
            "INSERT INTO shard (id) SELECT generate_series(0, $1 - 1)",
            "INSERT INTO log_end (shard) SELECT generate_series(0, $1 - 1)",
            "INSERT INTO lease (shard, role) SELECT shard, role \
                FROM generate_series(0, $1 - 1) shard, (VALUES ('decide'), ('send')) roles (role)",
        ] {
            session
                .execute(sqlx::query(sql).bind(number(shards)))
                .await?;
        }
        let made = read_meta(session).await?;
        let made = made.ok_or_else(|| Failure::unreadable("meta", "it was just written"))?;
        Ok(Ending::Commit(made))
    })
}

async fn read_meta(session: &mut Session) -> Result<Option<Meta>, Failure> {
    let rows = session
        .rows(sqlx::query("SELECT key, value FROM meta"))
        .await?;
    let pairs: Result<Vec<_>, Failure> = rows
        .iter()
        .map(|row| Ok((row.text(0)?, row.text(1)?)))
        .collect();
    crate::sqlite::open::meta(pairs?)
}

/// Looks whether the tables agree with each other.
pub(crate) async fn check(session: &mut Session) -> Result<Health, Failure> {
    let mut problems = Vec::new();
    for sql in [
        "SELECT 'the log of shard ' || e.shard || ' has no fact ' || e.position FROM log_end e \
            WHERE NOT EXISTS (SELECT 1 FROM meta WHERE key = 'log' AND value = 'kafka') AND e.position > 0 AND NOT EXISTS \
            (SELECT 1 FROM fact f WHERE f.place = (e.shard << 40) + e.position)",
        "SELECT 'the log of shard ' || e.shard || ' has facts behind its end' FROM log_end e \
            WHERE EXISTS (SELECT 1 FROM fact f WHERE f.place > (e.shard << 40) + e.position \
            AND f.place < (e.shard + 1) << 40)",
        "SELECT 'the journal of shard ' || s.id || ' has no record ' || s.journal_end FROM shard s \
            WHERE s.journal_end > 0 AND NOT EXISTS \
            (SELECT 1 FROM journal j WHERE j.place = (s.id << 40) + s.journal_end)",
        "SELECT 'shard ' || s.id || ' is decided behind the end of its log' FROM shard s \
            JOIN log_end e ON e.shard = s.id WHERE s.position > e.position \
            AND NOT EXISTS (SELECT 1 FROM meta WHERE key = 'log' AND value = 'kafka')",
        "SELECT 'message ' || o.message || ' stands nowhere' FROM outbox o \
            WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.id = o.id) LIMIT 100",
        "SELECT 'the database has pages that do not read well' FROM pg_stat_database \
            WHERE datname = current_database() AND checksum_failures > 0",
        crate::sqlite::batches::UNSOUND[0],
        crate::sqlite::batches::UNSOUND[1],
    ] {
        for row in session.rows(sqlx::query(sql)).await? {
            problems.push(row.text(0)?);
        }
    }
    let size = "SELECT pg_database_size(current_database())";
    let bytes = session.row(sqlx::query(size)).await?;
    let bytes = bytes.map_or(Ok(0), |row| row.count(0))?;
    Ok(Health { problems, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_loses_what_it_acknowledged_is_refused() {
        let names = ["fsync", "full_page_writes", "synchronous_commit"];
        let told = |values: [&str; 3]| values.map(Into::into);
        assert_eq!(danger(&names, &told(["on", "on", "on"]), 150_000), None);
        assert_eq!(danger(&names, &told(["on", "on", "local"]), 150_000), None);
        for (values, version) in [
            (["off", "on", "on"], 150_000),
            (["on", "off", "on"], 150_000),
            (["on", "on", "off"], 150_000),
            (["on", "on", "on"], 120_000),
        ] {
            assert!(danger(&names, &told(values), version).is_some());
        }
    }
}
