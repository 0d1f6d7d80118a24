//! What captured mode keeps.

use super::Postgres;
use super::rows::{nanos, signed, word};
use super::session::Session;
use super::tx::Ending;
use crate::sqlite::captured::captured_row;
use crate::{Captured, CapturedRow, Failure};
use model::MessageId;

pub(crate) async fn write(session: &mut Session, captured: &Captured) -> Result<(), Failure> {
    let sql = "INSERT INTO captured (message, at, channel, whom, subject, body) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (message) DO NOTHING";
    let query = sqlx::query(sql)
        .bind(captured.message.as_str())
        .bind(nanos(captured.at))
        .bind(&*captured.channel)
        .bind(word(&captured.to))
        .bind(word(&captured.subject))
        .bind(&*captured.body);
    session.execute(query).await?;
    Ok(())
}

impl Postgres {
    pub(crate) async fn capture(&self, captured: Captured) -> Result<(), Failure> {
        self.write(captured, |session, captured| {
            Box::pin(async move {
                write(session, captured).await?;
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
        self.read((after, count_max), |session, &(after, count_max)| {
            Box::pin(async move {
                let sql = "SELECT id, message, at, channel, whom, subject, body FROM captured \
                    WHERE id > $1 ORDER BY id LIMIT $2";
                let query = sqlx::query(sql)
                    .bind(signed(after))
                    .bind(i64::from(count_max));
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
        self.read(message.clone(), |session, message| {
            Box::pin(async move {
                let sql = "SELECT id, message, at, channel, whom, subject, body FROM captured \
                    WHERE message = $1";
                let row = session.row(sqlx::query(sql).bind(message.as_str())).await?;
                row.as_ref().map(captured_row).transpose()
            })
        })
        .await
    }
}
