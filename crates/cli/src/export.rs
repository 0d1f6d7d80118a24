//! `sottaku export`: messages, runs and tasks as tables, for spreadsheets and warehouses.

mod runs;
mod sheet;

use crate::arguments::{Export, ExportCommand, ExportFormat, Exported};
use crate::exit::Exit;
use crate::place::wait;
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use model::message::Content;
use model::{AccountId, Channel, Outgoing, TaskKind};
use serde_json::{Value, json};
use sheet::Sheet;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use store::{Delivery, DeliveryFilter, TaskFilter};

/// How many rows are read at once.
const PAGE: u32 = 1_000;

const MESSAGES: [&str; 18] = [
    "message",
    "account",
    "workflow",
    "subject",
    "run",
    "step",
    "channel",
    "contact",
    "to",
    "says",
    "locale",
    "topic",
    "state",
    "attempts",
    "detail",
    "is_shadow",
    "decided_at",
    "updated_at",
];
const TASKS: [&str; 13] = [
    "task",
    "account",
    "workflow",
    "subject",
    "run",
    "step",
    "kind",
    "title",
    "assignee",
    "csm",
    "opened_at",
    "due_at",
    "state",
];

/// Exports.
pub(crate) fn run(arguments: &Export) -> anyhow::Result<Exit> {
    match &arguments.command {
        ExportCommand::Messages(wanted) => wait(messages(wanted)),
        ExportCommand::Runs(wanted) => wait(all_runs(wanted)),
        ExportCommand::Tasks(wanted) => wait(tasks(wanted)),
    }
}

async fn messages(wanted: &Exported) -> anyhow::Result<Exit> {
    let store = wanted.place.existing().await?;
    let counts = store.delivery_counts().await?;
    let bar = bar(counts.iter().map(|(_, count)| count).sum());
    let mut sheet = sheet(wanted, &MESSAGES)?;
    let mut filter = DeliveryFilter {
        account: account(wanted),
        state: None,
        after: 0,
        count_max: PAGE,
    };
    loop {
        let page = store.deliveries(filter.clone()).await?;
        let Some(last) = page.last() else { break };
        filter.after = last.number;
        bar.inc(page.len() as u64);
        for delivery in page.iter().filter(|one| is_wanted(wanted, one.decided_at)) {
            sheet.row(&message(delivery))?;
        }
    }
    end(sheet, &bar)
}

fn message(delivery: &Delivery) -> [Value; 18] {
    let outgoing = &delivery.outgoing;
    let (channel, contact, to) = match &outgoing.channel {
        Channel::Email { to, contact, .. } => ("email", json!(contact), json!(to.address)),
        Channel::Route { route, .. } => ("route", Value::Null, json!(route)),
        Channel::Webhook { name } => ("webhook", Value::Null, json!(name)),
    };
    let (says, locale) = says(outgoing);
    [
        json!(outgoing.message),
        json!(outgoing.account),
        json!(outgoing.workflow),
        json!(outgoing.subject),
        json!(outgoing.run),
        json!(outgoing.step),
        json!(channel),
        contact,
        to,
        says,
        locale,
        json!(outgoing.topic),
        json!(delivery.state.as_str()),
        json!(delivery.attempts),
        json!(delivery.detail),
        json!(outgoing.is_shadow),
        json!(delivery.decided_at),
        json!(delivery.updated_at),
    ]
}

/// The template or the kind of text, and its locale.
fn says(outgoing: &Outgoing) -> (Value, Value) {
    match &outgoing.content {
        Content::Template { name, locale, .. } | Content::Ask { name, locale, .. } => {
            (json!(name), json!(locale))
        }
        Content::Text(_) => (json!("text"), Value::Null),
        Content::Nobody { .. } => (json!("nobody"), Value::Null),
        Content::Task { .. } => (json!("task"), Value::Null),
        Content::Complained { .. } => (json!("complained"), Value::Null),
        Content::Webhook => (json!("webhook"), Value::Null),
    }
}

async fn all_runs(wanted: &Exported) -> anyhow::Result<Exit> {
    let store = wanted.place.existing().await?;
    let account = account(wanted);
    let shards = store.shards_of(account.as_ref().map(AccountId::as_str));
    let bar = bar(u64::from(store.shards()));
    let mut sheet = sheet(wanted, &runs::COLUMNS)?;
    for shard in shards {
        for run in runs::of_shard(&store, shard, account.as_ref()).await? {
            if is_wanted(wanted, run.started_at) {
                sheet.row(&run.cells())?;
            }
        }
        bar.inc(1);
    }
    end(sheet, &bar)
}

async fn tasks(wanted: &Exported) -> anyhow::Result<Exit> {
    let store = wanted.place.existing().await?;
    let bar = ProgressBar::new_spinner();
    let mut sheet = sheet(wanted, &TASKS)?;
    let mut filter = TaskFilter {
        account: account(wanted),
        count_max: PAGE,
        ..TaskFilter::default()
    };
    loop {
        let page = store.tasks(filter.clone()).await?;
        let Some(last) = page.last() else { break };
        filter.after = Some(last.task.task.clone());
        bar.inc(page.len() as u64);
        for row in page
            .iter()
            .filter(|row| is_wanted(wanted, row.task.opened_at))
        {
            let task = &row.task;
            let kind = match task.kind {
                TaskKind::Do => "do",
                TaskKind::Approve => "approve",
            };
            sheet.row(&[
                json!(task.task),
                json!(task.account),
                json!(task.workflow),
                json!(task.subject),
                json!(task.run),
                json!(task.step),
                json!(kind),
                json!(task.title),
                json!(task.assignee),
                json!(task.csm),
                json!(task.opened_at),
                json!(task.due_at),
                json!(task.state.as_str()),
            ])?;
        }
    }
    end(sheet, &bar)
}

fn account(wanted: &Exported) -> Option<AccountId> {
    wanted.account.clone().map(AccountId::new)
}

fn is_wanted(wanted: &Exported, at: Timestamp) -> bool {
    wanted.since.is_none_or(|since| at >= since)
}

fn sheet(wanted: &Exported, columns: &'static [&'static str]) -> anyhow::Result<Sheet> {
    let out = out(wanted.out.as_deref())?;
    let is_csv = wanted.format == ExportFormat::Csv;
    Ok(Sheet::begin(out, columns, is_csv, wanted.bom)?)
}

/// A file made anew, for its owner only since addresses lie in it; or standard output.
fn out(path: Option<&Path>) -> anyhow::Result<Box<dyn Write>> {
    let Some(path) = path else {
        return Ok(Box::new(BufWriter::new(io::stdout())));
    };
    let mut options = std::fs::File::options();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path);
    let file = file.with_context(|| format!("writing {}", path.display()))?;
    Ok(Box::new(BufWriter::new(file)))
}

fn end(sheet: Sheet, bar: &ProgressBar) -> anyhow::Result<Exit> {
    sheet.end()?;
    bar.finish_and_clear();
    Ok(Exit::Done)
}

fn bar(count: u64) -> ProgressBar {
    let bar = ProgressBar::new(count);
    if let Ok(style) = ProgressStyle::with_template("[{bar:40}] {pos}/{len} {eta}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}
