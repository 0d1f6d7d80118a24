//! Tasks.

use super::rows::Columns;
use super::{Session, Sqlite};
use crate::{Failure, TaskFilter, TaskRow};
use model::TaskChange;

pub(crate) async fn write(
    session: &mut Session,
    shard: u32,
    tasks: &[TaskChange],
) -> Result<(), Failure> {
    for task in tasks {
        let change = serde_json::to_string(task)
            .map_err(|why| Failure::Database(format!("a task is no JSON: {why}").into()))?;
        let sql = "INSERT INTO task (task, shard, account, state, change) VALUES (?, ?, ?, ?, ?) \
            ON CONFLICT (task) DO UPDATE SET state = excluded.state, change = excluded.change";
        let query = sqlx::query(sql)
            .bind(&*task.task)
            .bind(i64::from(shard))
            .bind(task.account.as_str())
            .bind(task.state.as_str())
            .bind(change);
        session.execute(query).await?;
    }
    Ok(())
}

impl Sqlite {
    pub(crate) async fn tasks(&self, filter: TaskFilter) -> Result<Vec<TaskRow>, Failure> {
        self.read(move |session| {
            Box::pin(async move {
                let sql = "SELECT shard, change FROM task WHERE (?1 IS NULL OR account = ?1) \
                    AND (?2 IS NULL OR state = ?2) AND task > ?3 \
                    AND (?5 IS NULL OR change ->> 'csm' = ?5 OR change ->> 'assignee' = ?5) \
                    AND (?6 IS NULL OR CAST(strftime('%s', change ->> 'due_at') AS INTEGER) < ?6) \
                    ORDER BY task LIMIT ?4";
                let query = sqlx::query(sql)
                    .bind(filter.account.map(|account| account.to_string()))
                    .bind(filter.state.map(|state| state.as_str()))
                    .bind(filter.after.as_deref().unwrap_or_default())
                    .bind(filter.count_max)
                    .bind(filter.assignee.as_deref())
                    .bind(filter.due_before.map(|due| due.as_second()));
                let rows = session.rows(query).await?;
                rows.iter().map(task_row).collect()
            })
        })
        .await
    }

    pub(crate) async fn task(&self, task: &str) -> Result<Option<TaskRow>, Failure> {
        let task: Box<str> = task.into();
        self.read(move |session| {
            Box::pin(async move {
                let query = sqlx::query("SELECT shard, change FROM task WHERE task = ?");
                let row = session.row(query.bind(&*task)).await?;
                row.as_ref().map(task_row).transpose()
            })
        })
        .await
    }
}

pub(crate) fn task_row(row: &impl Columns) -> Result<TaskRow, Failure> {
    let task = serde_json::from_str(&row.text(1)?);
    Ok(TaskRow {
        shard: row.small(0)?,
        task: task.map_err(|why| Failure::unreadable("a task", why))?,
    })
}
