//! How the file stands: version, the settings that decide what is kept, size.

use super::rows::Columns;
use super::tx::{Pending, Session};
use crate::{Condition, Failure};

pub(crate) fn read(session: &mut Session) -> Pending<'_, Result<Condition, Failure>> {
    Box::pin(async move {
        let sql = "SELECT 'SQLite ' || sqlite_version(), journal_mode, \
            CASE synchronous WHEN 0 THEN 'off' WHEN 1 THEN 'normal' WHEN 2 THEN 'full' ELSE 'extra' END, \
            page_count * page_size \
            FROM pragma_journal_mode, pragma_synchronous, pragma_page_count, pragma_page_size";
        let row = session.row(sqlx::query(sql)).await?;
        let row = row.ok_or_else(|| Failure::unreadable("the file's state", "no row"))?;
        Ok(Condition {
            product: row.text(0)?,
            time: None,
            settings: vec![
                ("journal_mode".into(), row.text(1)?),
                ("synchronous".into(), row.text(2)?),
            ],
            bytes: row.count(3)?,
        })
    })
}
