//! `sottaku task`: what people are asked to do or to approve, and their answers.

use crate::answer;
use crate::arguments::{Task, TaskAnswer, TaskCommand, TaskList};
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use anyhow::{Context, bail};
use model::{Decimal, TaskChange, TaskKind, TaskState};
use serde_json::{Map, Value, json};
use store::{Store, TaskFilter};
use workflow::program::FieldType;

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
    if !arguments.set.is_empty() {
        if wanted != TaskKind::Do {
            bail!("`--set` belongs to `sottaku task done`");
        }
        let patch = patch(&store, &arguments.set).await?;
        // Said first, so that whoever hears that it is done knows it already.
        answer::tell(&store, task.account.as_str(), "account.updated", patch).await?;
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

/// The fields of the account that a person may set, as a patch.
async fn patch(store: &Store, set: &[String]) -> anyhow::Result<Map<String, Value>> {
    let files = server::applied_files(store).await?;
    let program = files.and_then(|files| workflow::check(&files).program);
    let program = program.context("no workspace was applied yet; `sottaku apply` does it")?;
    let mut patch = Map::new();
    for one in set {
        let Some((name, text)) = one.split_once('=') else {
            bail!("`{one}` names no value; write for example `account.csm_sentiment=good`");
        };
        let field = name.strip_prefix("account.");
        let declared = field.and_then(|field| program.schema.account.fields.get(field));
        let (Some(field), Some(declared)) = (field, declared) else {
            bail!("there is no field `{name}` of an account");
        };
        if declared.is_written_by_workflows {
            bail!("`{name}` is written by workflows only");
        }
        patch.insert(field.to_owned(), value(name, &declared.kind, text)?);
    }
    Ok(patch)
}

/// A value of a field as facts carry it.
fn value(name: &str, kind: &FieldType, text: &str) -> anyhow::Result<Value> {
    let number = || {
        let number = text.parse::<Decimal>().ok();
        number.map(|number| model::Value::Number(number).to_json())
    };
    let read = match kind {
        FieldType::Number | FieldType::Money => number(),
        FieldType::Percent => percent(text),
        FieldType::Boolean => text.parse::<bool>().ok().map(Value::from),
        FieldType::Pick(list) => {
            let is_word = list.words.iter().any(|word| **word == *text);
            if !is_word {
                bail!(
                    "`{text}` is not one of the words of `{name}`: {}",
                    list.words.join(", ")
                );
            }
            Some(Value::from(text))
        }
        FieldType::Date => text
            .parse::<jiff::civil::Date>()
            .ok()
            .map(|_| Value::from(text)),
        FieldType::Time => text
            .parse::<jiff::Timestamp>()
            .ok()
            .map(|_| Value::from(text)),
        FieldType::Text
        | FieldType::Email
        | FieldType::Locale
        | FieldType::Timezone
        | FieldType::Contact
        | FieldType::Csm => Some(Value::from(text)),
    };
    read.with_context(|| format!("`{text}` does not fit `{name}`"))
}

/// `60%` as a share.
fn percent(text: &str) -> Option<Value> {
    let number: Decimal = text.strip_suffix('%')?.parse().ok()?;
    let share = number.div(Decimal::from_count(100))?;
    Some(model::Value::Percent(share).to_json())
}
