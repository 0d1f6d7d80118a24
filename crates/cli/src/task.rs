//! `sottaku task`: what people are asked to do or to approve, and their answers.

use crate::answer;
use crate::arguments::{Task, TaskAnswer, TaskCommand, TaskList};
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use anyhow::bail;
use model::{TaskChange, TaskKind, TaskState};
use serde_json::{Map, Value, json};
use store::TaskFilter;

/// How many rows are read at once.
const PAGE: u32 = 500;

/// Lists tasks, or answers one.
pub(crate) fn run(arguments: &Task) -> anyhow::Result<Exit> {
    match &arguments.command {
        TaskCommand::List(list) => wait(print(list)),
        TaskCommand::Approve(one) => wait(answer_one(one, "task.approved", TaskKind::Approve)),
        TaskCommand::Reject(one) => wait(answer_one(one, "task.rejected", TaskKind::Approve)),
        TaskCommand::Done(one) => wait(answer_one(one, "task.done", TaskKind::Do)),
    }
}

async fn print(arguments: &TaskList) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let mut filter = TaskFilter {
        account: arguments.account.clone().map(model::AccountId::new),
        state: (!arguments.all).then_some(TaskState::Open),
        after: None,
        count_max: PAGE,
    };
    let mut printer = Printer::new();
    loop {
        let page = store.tasks(filter.clone()).await?;
        let Some(last) = page.last() else { break };
        filter.after = Some(last.task.task.clone());
        for row in &page {
            match arguments.output {
                Output::Json => printer.json(&row.task)?,
                Output::Text => printer.line(line(&row.task))?,
            }
        }
    }
    printer.flush()?;
    Ok(Exit::Done)
}

fn line(task: &TaskChange) -> String {
    let kind = match task.kind {
        TaskKind::Do => "do",
        TaskKind::Approve => "approve",
    };
    let due = task
        .due_at
        .map_or(String::new(), |due| format!(", due {due}"));
    let state = task.state.as_str();
    format!(
        "{}  {state:8}  {kind:7}  {}  {}  for {}{due}",
        task.task, task.account, task.title, task.assignee
    )
}

async fn answer_one(arguments: &TaskAnswer, kind: &str, wanted: TaskKind) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let Some(row) = store.task(&arguments.task).await? else {
        bail!(
            "there is no task {}; `sottaku task list` shows them",
            arguments.task
        );
    };
    let task = row.task;
    if task.kind != wanted {
        let way = match task.kind {
            TaskKind::Do => "it is something to do: `sottaku task done`",
            TaskKind::Approve => "it is something to approve: `sottaku task approve` or `reject`",
        };
        bail!("{} can't be answered so; {way}", task.task);
    }
    if task.state != TaskState::Open {
        bail!("{} is {} already", task.task, task.state.as_str());
    }
    let mut data = Map::new();
    data.insert("task".to_owned(), json!(task.task));
    if let Some(outcome) = &arguments.outcome {
        data.insert("outcome".to_owned(), Value::String(outcome.clone()));
    }
    answer::tell(&store, task.account.as_str(), kind, data).await?;
    let mut printer = Printer::new();
    printer.line(format!(
        "{}: told; it is decided as soon as Sottaku runs",
        task.task
    ))?;
    printer.flush()?;
    Ok(Exit::Done)
}
