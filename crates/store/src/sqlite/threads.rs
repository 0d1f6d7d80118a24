//! Threads of runs in channels.

use super::Sqlite;
use super::rows::Columns;
use super::tx::Ending;
use crate::Failure;
use model::RunId;

impl Sqlite {
    pub(crate) async fn thread(
        &self,
        run: &RunId,
        channel: &str,
    ) -> Result<Option<Box<str>>, Failure> {
        let (run, channel): (String, String) = (run.as_str().into(), channel.into());
        self.read(move |session| {
            Box::pin(async move {
                let sql = "SELECT ts FROM thread WHERE run = ? AND channel = ?";
                let query = sqlx::query(sql).bind(run).bind(channel);
                let row = session.row(query).await?;
                row.map(|row| row.text(0)).transpose()
            })
        })
        .await
    }

    pub(crate) async fn keep_thread(
        &self,
        run: &RunId,
        channel: &str,
        ts: &str,
    ) -> Result<(), Failure> {
        let run: Box<str> = run.as_str().into();
        let (channel, ts): (Box<str>, Box<str>) = (channel.into(), ts.into());
        self.write(move |session| {
            Box::pin(async move {
                let sql =
                    "INSERT INTO thread (run, channel, ts) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
                let query = sqlx::query(sql).bind(&*run).bind(&*channel).bind(&*ts);
                session.execute(query).await?;
                Ok(Ending::Commit(()))
            })
        })
        .await
    }
}
