//! Tasks as they stand.

use crate::{Failure, Store, store::Tables};
use jiff::Timestamp;
use model::{AccountId, TaskChange, TaskState};

/// A task and the shard it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRow {
    /// The shard of its account.
    pub shard: u32,
    /// The task.
    pub task: TaskChange,
}

/// Which tasks to list.
#[derive(Clone, Debug, Default)]
pub struct TaskFilter {
    /// Only of this account.
    pub account: Option<AccountId>,
    /// Only those of this CSM, or of this route.
    pub assignee: Option<Box<str>>,
    /// Only those that were to be done before.
    pub due_before: Option<Timestamp>,
    /// Only those that stand here.
    pub state: Option<TaskState>,
    /// Only those behind this id.
    pub after: Option<Box<str>>,
    /// At most so many.
    pub count_max: u32,
}

impl Store {
    /// A page of tasks in order of their ids.
    pub async fn tasks(&self, filter: TaskFilter) -> Result<Vec<TaskRow>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.tasks(filter).await,
            Tables::Postgres(postgres) => postgres.tasks(filter).await,
        }
    }

    /// One task.
    pub async fn task(&self, task: &str) -> Result<Option<TaskRow>, Failure> {
        match &self.tables {
            Tables::Sqlite(sqlite) => sqlite.task(task).await,
            Tables::Postgres(postgres) => postgres.task(task).await,
        }
    }
}
