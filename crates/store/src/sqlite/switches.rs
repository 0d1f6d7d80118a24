//! Switches.

use super::admission::PAUSED;
use super::rows::{Columns, nanos};
use super::tx::Ending;
use super::{Session, Sqlite};
use crate::{Failure, Switch};

impl Sqlite {
    pub(crate) async fn switch(&self, name: &str) -> Result<Option<Switch>, Failure> {
        let name: Box<str> = name.into();
        self.read(move |session| Box::pin(async move { find(session, &name).await }))
            .await
    }

    pub(crate) async fn set_switch(&self, switch: Switch) -> Result<(), Failure> {
        self.write(move |session| {
            Box::pin(async move {
                write(session, &switch).await?;
                if switch.is_on {
                    let query = sqlx::query(LET_GO)
                        .bind(nanos(switch.at))
                        .bind(format!("{PAUSED}{}", switch.name));
                    session.execute(query).await?;
                }
                Ok(Ending::Commit(()))
            })
        })
        .await
    }

    pub(crate) async fn switches(&self) -> Result<Vec<Switch>, Failure> {
        self.read(|session| {
            Box::pin(async move {
                let sql = "SELECT name, is_on, at, note FROM switch ORDER BY name";
                let rows = session.rows(sqlx::query(sql)).await?;
                rows.iter().map(read).collect()
            })
        })
        .await
    }
}

/// Sets a switch inside a transaction.
pub(crate) async fn write(session: &mut Session, switch: &Switch) -> Result<(), Failure> {
    let sql = "INSERT INTO switch (name, is_on, at, note) VALUES (?, ?, ?, ?) \
        ON CONFLICT (name) DO UPDATE SET is_on = excluded.is_on, at = excluded.at, note = excluded.note";
    let query = sqlx::query(sql)
        .bind(&*switch.name)
        .bind(i64::from(switch.is_on))
        .bind(nanos(switch.at))
        .bind(&*switch.note);
    session.execute(query).await?;
    Ok(())
}

/// Makes ready what a switch held back.
const LET_GO: &str = "UPDATE delivery SET ready_at = min(ready_at, ?) \
    WHERE state IN ('queued', 'deferred') AND detail = ?";

async fn find(session: &mut Session, name: &str) -> Result<Option<Switch>, Failure> {
    let sql = "SELECT name, is_on, at, note FROM switch WHERE name = ?";
    let row = session.row(sqlx::query(sql).bind(name)).await?;
    row.as_ref().map(read).transpose()
}

pub(crate) fn read(row: &impl Columns) -> Result<Switch, Failure> {
    Ok(Switch {
        name: row.text(0)?,
        is_on: row.long(1)? != 0,
        at: row.instant(2)?,
        note: row.text(3)?,
    })
}
