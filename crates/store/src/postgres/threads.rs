//! Threads of runs in channels.

use super::Postgres;
use super::rows::Columns;
use super::tx::Ending;
use crate::Failure;
use model::RunId;

impl Postgres {
    pub(crate) async fn thread(
        &self,
        run: &RunId,
        channel: &str,
    ) -> Result<Option<Box<str>>, Failure> {
        let input: (Box<str>, Box<str>) = (run.as_str().into(), channel.into());
        self.read(input, |session, (run, channel)| {
            Box::pin(async move {
                let sql = "SELECT ts FROM thread WHERE run = $1 AND channel = $2";
                let query = sqlx::query(sql).bind(&**run).bind(&**channel);
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
        let input: [Box<str>; 3] = [run.as_str().into(), channel.into(), ts.into()];
        self.write(input, |session, [run, channel, ts]| {
            Box::pin(async move {
                let sql = "INSERT INTO thread (run, channel, ts) VALUES ($1, $2, $3) \
                    ON CONFLICT DO NOTHING";
                let query = sqlx::query(sql).bind(&**run).bind(&**channel).bind(&**ts);
                session.execute(query).await?;
                Ok(Ending::Commit(()))
            })
        })
        .await
    }
}
