//! How the server stands: version, clock, the settings that decide what is kept, size.

use super::rows::Columns;
use super::session::Session;
use crate::{Condition, Failure};

/// The settings that are told.
const SETTINGS: [&str; 10] = [
    "fsync",
    "full_page_writes",
    "synchronous_commit",
    "synchronous_standby_names",
    "data_checksums",
    "default_transaction_isolation",
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "max_connections",
];

pub(crate) async fn read(session: &mut Session) -> Result<Condition, Failure> {
    let sql = "SELECT 'PostgreSQL ' || current_setting('server_version'), \
        (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint, pg_database_size(current_database())";
    let row = session.row(sqlx::query(sql)).await?;
    let row = row.ok_or_else(|| Failure::unreadable("the server's state", "no row"))?;
    let mut settings = Vec::new();
    for name in SETTINGS {
        let query = sqlx::query("SELECT current_setting($1, true)").bind(name);
        let value = session.row(query).await?;
        if let Some(value) = value.map(|row| row.maybe_text(0)).transpose()?.flatten() {
            settings.push((name.into(), value));
        }
    }
    Ok(Condition {
        product: row.text(0)?,
        time: Some(row.instant(1)?),
        settings,
        bytes: row.count(2)?,
    })
}
