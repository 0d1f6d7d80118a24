//! `sottaku parked`: facts that could not be used, and another try for them.

use crate::arguments::{Parked, ParkedCommand, ParkedPick};
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use crate::{arguments, check};
use anyhow::bail;
use ingest::{Rules, decode_one};
use jiff::Timestamp;
use serde_json::json;
use server::sources::again;
use store::{ClockMode, NewFact, ParkedRow, Store};

/// How many rows are read at once.
const PAGE: u32 = 500;

/// Lists, replays or drops.
pub(crate) fn run(arguments: &Parked) -> anyhow::Result<Exit> {
    match &arguments.command {
        ParkedCommand::List(list) => wait(print(list)),
        ParkedCommand::Replay(pick) => wait(replay(pick)),
        ParkedCommand::Drop(pick) => wait(drop_some(pick)),
    }
}

async fn print(arguments: &arguments::ParkedList) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let mut printer = Printer::new();
    let rows = all(&store).await?;
    for row in &rows {
        let (number, parked) = (row.number, &row.parked);
        match arguments.output {
            Output::Json => printer.json(&json!({
                "number": number, "at": parked.at, "account": parked.account, "code": parked.parked.code.as_str(),
                "message": parked.parked.message, "field": parked.parked.field, "fact": parked.json,
            }))?,
            Output::Text => printer.line(format!(
                "{number}  {}  {}  {}: {}",
                parked.at,
                parked.account.as_ref().map_or("-", |account| account.as_str()),
                parked.parked.code.as_str(),
                parked.parked.message
            ))?,
        }
    }
    if arguments.output == Output::Text {
        printer.line(format!(
            "{} parked; `sottaku parked replay NUMBER …` tries again",
            check::count(rows.len(), "fact")
        ))?;
    }
    printer.flush()?;
    Ok(Exit::Done)
}

async fn all(store: &Store) -> anyhow::Result<Vec<ParkedRow>> {
    let mut rows: Vec<ParkedRow> = Vec::new();
    loop {
        let after = rows.last().map_or(0, |row| row.number);
        let page = store.parked(after, PAGE).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

async fn chosen(store: &Store, pick: &ParkedPick) -> anyhow::Result<Vec<ParkedRow>> {
    if pick.numbers.is_empty() && !pick.all {
        bail!("name the numbers that `sottaku parked list` shows, or say --all");
    }
    let rows = all(store).await?;
    Ok(rows
        .into_iter()
        .filter(|row| pick.all || pick.numbers.contains(&row.number))
        .collect())
}

async fn replay(pick: &ParkedPick) -> anyhow::Result<Exit> {
    let store = pick.place.existing().await?;
    let rules = Rules {
        is_log_clock: store.clock() == ClockMode::Log,
        marks_history: false,
    };
    let (mut facts, mut still) = (Vec::new(), 0);
    // Records of sources are mapped anew, by the text that is applied now.
    let applied = server::applied_files(&store).await?;
    let program = applied.and_then(|files| workflow::check(&files).program);
    let sources = store.sources().await?;
    for row in chosen(&store, pick).await? {
        let json = &row.parked.json;
        let mapped = || again(program.as_ref()?, &sources, json);
        let read = decode_one(json, rules).ok().and_then(Result::ok);
        let Some(new) = read.or_else(mapped) else {
            still += 1;
            continue;
        };
        let Some(account) = &new.account else {
            continue;
        };
        let shard = store.shard_of(account.as_str());
        facts.push((
            row.number,
            NewFact {
                shard,
                arrived_at: Timestamp::now(),
                json: new.json,
            },
        ));
    }
    let taken = store.replay_parked(facts).await?;
    let mut printer = Printer::new();
    printer.line(format!("{taken} told again, {still} still can't be read"))?;
    printer.flush()?;
    Ok(if still == 0 { Exit::Done } else { Exit::Found })
}

async fn drop_some(pick: &ParkedPick) -> anyhow::Result<Exit> {
    let store = pick.place.existing().await?;
    let numbers = chosen(&store, pick)
        .await?
        .iter()
        .map(|row| row.number)
        .collect();
    let gone = store.remove_parked(numbers).await?;
    let mut printer = Printer::new();
    printer.line(format!("{gone} forgotten"))?;
    printer.flush()?;
    Ok(Exit::Done)
}
