//! `sottaku task`: what people are asked to do or to approve, and their answers.

use crate::arguments::{Task, TaskAnswer, TaskCommand, TaskHand, TaskList, TaskSnooze};
use crate::exit::Exit;
use crate::place::{Place, wait};
use crate::print::{Output, Printer};
use anyhow::{Context, bail};
use jiff::Timestamp;
use model::{TaskChange, TaskKind, TaskState};
use server::answer::{AnswerError, Reply, answer};
use store::TaskFilter;

/// How many rows are read at once.
const PAGE: u32 = 500;

/// Lists tasks, or answers one.
pub(crate) fn run(arguments: &Task) -> anyhow::Result<Exit> {
    match &arguments.command {
        TaskCommand::List(list) => wait(print(list)),
        TaskCommand::Approve(one) => wait(decide(one, Reply::Approve)),
        TaskCommand::Reject(one) => wait(decide(one, Reply::Reject)),
        TaskCommand::Done(one) => wait(done(one)),
        TaskCommand::Snooze(one) => wait(snooze(one)),
        TaskCommand::Reassign(one) => wait(reassign(one)),
    }
}

async fn print(arguments: &TaskList) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let now = Timestamp::now();
    let state = arguments.state.map_or(TaskState::Open, TaskState::from);
    let mut filter = TaskFilter {
        account: arguments.account.clone().map(model::AccountId::new),
        assignee: arguments.assignee.as_deref().map(Box::from),
        due_before: arguments.overdue.then_some(now),
        state: (!arguments.all).then_some(state),
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
                Output::Text => printer.line(line(&row.task, now))?,
            }
        }
    }
    printer.flush()?;
    Ok(Exit::Done)
}

fn line(task: &TaskChange, now: Timestamp) -> String {
    let kind = match task.kind {
        TaskKind::Do => "do",
        TaskKind::Approve => "approve",
    };
    let is_overdue = task.state == TaskState::Open && task.due_at.is_some_and(|due| due < now);
    let due = task.due_at.map_or(String::new(), |due| {
        format!(", due {due}{}", if is_overdue { ", overdue" } else { "" })
    });
    let csm = task
        .csm
        .as_ref()
        .map_or(String::new(), |csm| format!(" ({csm})"));
    let state = task.state.as_str();
    format!(
        "{}  {state:8}  {kind:7}  {}  {}  for {}{csm}{due}",
        task.task, task.account, task.title, task.assignee
    )
}

async fn decide(arguments: &TaskAnswer, reply: Reply) -> anyhow::Result<Exit> {
    if !arguments.set.is_empty() || arguments.outcome.is_some() {
        bail!("`--set` and `--outcome` belong to `sottaku task done`");
    }
    tell(&arguments.place, &arguments.task, &reply).await
}

async fn done(arguments: &TaskAnswer) -> anyhow::Result<Exit> {
    let pair = |one: &String| {
        let (name, value) = one.split_once('=').with_context(|| {
            format!("`{one}` names no value; write for example `account.csm_sentiment=good`")
        })?;
        Ok((name.into(), value.into()))
    };
    let set = arguments.set.iter().map(pair);
    let reply = Reply::Done {
        outcome: arguments.outcome.as_deref().map(Box::from),
        set: set.collect::<anyhow::Result<_>>()?,
    };
    tell(&arguments.place, &arguments.task, &reply).await
}

async fn snooze(arguments: &TaskSnooze) -> anyhow::Result<Exit> {
    let until = arguments.until;
    tell(&arguments.place, &arguments.task, &Reply::Snooze { until }).await
}

async fn reassign(arguments: &TaskHand) -> anyhow::Result<Exit> {
    let to = arguments.to.as_str().into();
    tell(&arguments.place, &arguments.task, &Reply::Reassign { to }).await
}

async fn tell(place: &Place, task: &str, reply: &Reply) -> anyhow::Result<Exit> {
    let store = place.existing().await?;
    let told = answer(&store, task, reply, None, Timestamp::now()).await;
    let row = told.map_err(|error| match error {
        AnswerError::Unknown(_) => anyhow::anyhow!("{error}; `sottaku task list` shows them"),
        AnswerError::OtherKind { .. }
        | AnswerError::NotOpen { .. }
        | AnswerError::Value(_)
        | AnswerError::Workspace(_)
        | AnswerError::Failed(_)
        | AnswerError::Log(_) => error.into(),
    })?;
    let mut printer = Printer::new();
    printer.line(format!(
        "{}: told; it is decided as soon as Sottaku runs",
        row.task.task
    ))?;
    printer.flush()?;
    Ok(Exit::Done)
}
