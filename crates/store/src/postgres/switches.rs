//! Switches.

use super::Postgres;
use super::rows::{nanos, word};
use super::session::Session;
use super::tx::Ending;
use crate::sqlite::admission::PAUSED;
use crate::sqlite::switches::read;
use crate::{Failure, Switch};

/// Makes ready what a switch held back.
const LET_GO: &str = "UPDATE delivery SET ready_at = least(ready_at, $1) \
    WHERE state IN ('queued', 'deferred') AND detail = $2";

impl Postgres {
    pub(crate) async fn switch(&self, name: &str) -> Result<Option<Switch>, Failure> {
        self.read(Box::<str>::from(name), |session, name| {
            Box::pin(find(session, name))
        })
        .await
    }

    pub(crate) async fn set_switch(&self, switch: Switch) -> Result<(), Failure> {
        self.write(switch, |session, switch| {
            Box::pin(async move {
                write(session, switch).await?;
                if switch.is_on {
                    let query = sqlx::query(LET_GO)
                        .bind(nanos(switch.at))
                        .bind(format!("{PAUSED}{}", word(&switch.name)));
                    session.execute(query).await?;
                }
                Ok(Ending::Commit(()))
            })
        })
        .await
    }

    pub(crate) async fn switches(&self) -> Result<Vec<Switch>, Failure> {
        self.read((), |session, ()| {
            Box::pin(async move {
                let sql = "SELECT name, is_on::int::bigint, at, note FROM switch ORDER BY name";
                let rows = session.rows(sqlx::query(sql)).await?;
                rows.iter().map(read).collect()
            })
        })
        .await
    }
}

/// Sets a switch inside a transaction.
pub(crate) async fn write(session: &mut Session, switch: &Switch) -> Result<(), Failure> {
    let sql = "INSERT INTO switch (name, is_on, at, note) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (name) DO UPDATE SET is_on = excluded.is_on, at = excluded.at, note = excluded.note";
    let query = sqlx::query(sql)
        .bind(word(&switch.name))
        .bind(switch.is_on)
        .bind(nanos(switch.at))
        .bind(word(&switch.note));
    session.execute(query).await?;
    Ok(())
}

async fn find(session: &mut Session, name: &str) -> Result<Option<Switch>, Failure> {
    let sql = "SELECT name, is_on::int::bigint, at, note FROM switch WHERE name = $1";
    let row = session.row(sqlx::query(sql).bind(name)).await?;
    row.as_ref().map(read).transpose()
}

/// Whether a switch is on, inside the transaction that depends on it.
pub(crate) async fn is_on(session: &mut Session, name: &str) -> Result<bool, Failure> {
    Ok(find(session, name).await?.is_none_or(|switch| switch.is_on))
}
