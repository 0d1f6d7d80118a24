//! Tasks.

use super::Postgres;
use super::rows::{number, word};
use super::session::Session;
use crate::sqlite::tasks::task_row;
use crate::{Failure, TaskFilter, TaskRow};
use model::TaskChange;
use std::collections::BTreeMap;

const ROWS: &str = "INSERT INTO task (task, shard, account, state, csm, assignee, due_second, change) \
    SELECT t.task, $1, t.account, t.state, t.csm, t.assignee, t.due_second, t.change \
    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[]) \
        t (task, account, state, csm, assignee, due_second, change) \
    ON CONFLICT (task) DO UPDATE SET state = excluded.state, csm = excluded.csm, \
        assignee = excluded.assignee, due_second = excluded.due_second, change = excluded.change";

/// One statement can't write a row twice: the last one stands.
pub(crate) async fn write(
    session: &mut Session,
    shard: u32,
    tasks: &[TaskChange],
) -> Result<(), Failure> {
    if tasks.is_empty() {
        return Ok(());
    }
    let last: BTreeMap<&str, &TaskChange> = tasks.iter().map(|task| (&*task.task, task)).collect();
    let (mut ids, mut accounts, mut states) = (Vec::new(), Vec::new(), Vec::new());
    let (mut csms, mut assignees) = (Vec::new(), Vec::new());
    let (mut dues, mut changes) = (Vec::new(), Vec::new());
    for (id, task) in last {
        let change = serde_json::to_string(task)
            .map_err(|why| Failure::Database(format!("a task is no JSON: {why}").into()))?;
        ids.push(word(id));
        accounts.push(word(task.account.as_str()));
        states.push(task.state.as_str());
        csms.push(task.csm.as_deref().map(word));
        assignees.push(word(&task.assignee));
        dues.push(task.due_at.map(|due| due.as_second()));
        changes.push(change);
    }
    let query = sqlx::query(ROWS)
        .bind(number(shard))
        .bind(ids)
        .bind(accounts)
        .bind(states)
        .bind(csms)
        .bind(assignees)
        .bind(dues)
        .bind(changes);
    session.execute(query).await?;
    Ok(())
}

impl Postgres {
    pub(crate) async fn tasks(&self, filter: TaskFilter) -> Result<Vec<TaskRow>, Failure> {
        self.read(filter, |session, filter| {
            Box::pin(async move {
                let sql = "SELECT shard, change FROM task WHERE ($1 IS NULL OR account = $1) \
                    AND ($2 IS NULL OR state = $2) AND task > $3 \
                    AND ($5 IS NULL OR csm = $5 OR assignee = $5) \
                    AND ($6 IS NULL OR due_second < $6) ORDER BY task LIMIT $4";
                let query = sqlx::query(sql)
                    .bind(filter.account.as_ref().map(|account| account.as_str()))
                    .bind(filter.state.map(|state| state.as_str()))
                    .bind(filter.after.as_deref().unwrap_or_default())
                    .bind(i64::from(filter.count_max))
                    .bind(filter.assignee.as_deref())
                    .bind(filter.due_before.map(|due| due.as_second()));
                let rows = session.rows(query).await?;
                rows.iter().map(task_row).collect()
            })
        })
        .await
    }

    pub(crate) async fn task(&self, task: &str) -> Result<Option<TaskRow>, Failure> {
        self.read(Box::<str>::from(task), |session, task| {
            Box::pin(async move {
                let query = sqlx::query("SELECT shard, change FROM task WHERE task = $1");
                let row = session.row(query.bind(&**task)).await?;
                row.as_ref().map(task_row).transpose()
            })
        })
        .await
    }
}
