//! Threads: what is said of a run in a channel hangs on its first post there.

use crate::{Failure, Store, store::Tables};
use model::RunId;

impl Store {
    /// The time stamp of a run's first post in a channel.
    pub async fn thread(&self, run: &RunId, channel: &str) -> Result<Option<Box<str>>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.thread(run, channel).await,
            Tables::Postgres(postgres) => postgres.thread(run, channel).await,
        }
    }

    /// Keeps the time stamp of a run's first post in a channel; one that is kept already stays.
    pub async fn keep_thread(&self, run: &RunId, channel: &str, ts: &str) -> Result<(), Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.keep_thread(run, channel, ts).await,
            Tables::Postgres(postgres) => postgres.keep_thread(run, channel, ts).await,
        }
    }
}
