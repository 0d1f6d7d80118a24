//! What captured mode keeps.

use super::rows::{Columns, nanos, signed};
use super::tx::Ending;
use super::{Session, Sqlite};
use crate::{Captured, CapturedRow, Failure};
use model::MessageId;

pub(crate) async fn write(session: &mut Session, captured: &Captured) -> Result<(), Failure> {
    let sql = "INSERT INTO captured (message, at, channel, whom, subject, body) \
        VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (message) DO NOTHING";
    let query = sqlx::query(sql)
        .bind(captured.message.as_str())
        .bind(nanos(captured.at))
        .bind(&*captured.channel)
        .bind(&*captured.to)
        .bind(&*captured.subject)
        .bind(&*captured.body);
    session.execute(query).await?;
    Ok(())
}

impl Sqlite {
    pub(crate) async fn capture(&self, captured: Captured) -> Result<(), Failure> {
        self.write(move |session| {
            Box::pin(async move {
                write(session, &captured).await?;
                Ok(Ending::Commit(()))
            })
        })
        .await
    }

    pub(crate) async fn captured(
        &self,
        after: u64,
        count_max: u32,
    ) -> Result<Vec<CapturedRow>, Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let sql = "SELECT id, message, at, channel, whom, subject, body FROM captured \
                    WHERE id > ? ORDER BY id LIMIT ?";
                let query = sqlx::query(sql).bind(signed(after)).bind(count_max);
                let rows = session.rows(query).await?;
                rows.iter().map(captured_row).collect()
            })
        })
        .await
    }

    pub(crate) async fn captured_message(
        &self,
        message: &MessageId,
    ) -> Result<Option<CapturedRow>, Failure> {
        let message = message.clone();
        self.read(move |session| {
            Box::pin(async move {
                let sql = "SELECT id, message, at, channel, whom, subject, body FROM captured \
                    WHERE message = ?";
                let row = session.row(sqlx::query(sql).bind(message.as_str())).await?;
                row.as_ref().map(captured_row).transpose()
            })
        })
        .await
    }
}

pub(crate) fn captured_row(row: &impl Columns) -> Result<CapturedRow, Failure> {
    Ok(CapturedRow {
        number: row.count(0)?,
        captured: Captured {
            message: MessageId::new(row.text(1)?),
            at: row.instant(2)?,
            channel: row.text(3)?,
            to: row.text(4)?,
            subject: row.text(5)?,
            body: row.bytes(6)?,
        },
    })
}
