//! `sottaku source`: topics that are read, tried by hand, looked at, and taken up again.

use crate::arguments::{
    ResumeFrom, Source, SourceCommand, SourceList, SourceResume, SourceTry, TryFrom,
};
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use crate::{check, workspace};
use anyhow::{Context, bail};
use serde_json::{Value, json};
use server::sources::{From, Lag, Tried, TryError, Wanted, look, resume, try_source};
use store::SourceRow;

/// Tries, lists or resumes.
pub(crate) fn run(arguments: &Source) -> anyhow::Result<Exit> {
    match &arguments.command {
        SourceCommand::Try(tried) => wait(try_some(tried)),
        SourceCommand::List(list) => wait(print(list)),
        SourceCommand::Resume(resume) => wait(go_on(resume)),
    }
}

async fn try_some(arguments: &SourceTry) -> anyhow::Result<Exit> {
    let files = workspace::read(&arguments.dir)?;
    let checked = workflow::check(&files);
    let Some(program) = checked.program else {
        bail!("the workspace has mistakes; `sottaku check` shows them");
    };
    let wanted = arguments.name.as_deref();
    let names = program.sources.keys().map(|name| &**name);
    let names: Vec<&str> = names
        .filter(|name| wanted.is_none_or(|wanted| wanted == *name))
        .collect();
    if names.is_empty() {
        match &arguments.name {
            Some(name) => bail!("there is no source `{name}` under `sources:`"),
            None => bail!("the definitions have no `sources:`"),
        }
    }
    let config = arguments.place.settings()?;
    let wanted = Wanted {
        from: match arguments.from {
            TryFrom::Beginning => From::Beginning,
            TryFrom::End => From::End,
        },
        limit: arguments.limit as usize,
    };
    let mut printer = Printer::new();
    let mut exit = Exit::Done;
    for name in names {
        let source = &program.sources[name];
        let tried = try_source(&config, &program, (name, source), wanted).await;
        let tried = tried.with_context(|| format!("trying the source {name}"))?;
        if tried.iter().any(|tried| tried.refused.is_some()) {
            exit = Exit::Found;
        }
        match arguments.output {
            Output::Json => {
                for tried in &tried {
                    printer.json(&tried.to_json(name))?;
                }
            }
            Output::Text => show(&mut printer, name, &source.topic, &tried)?,
        }
    }
    printer.flush()?;
    Ok(exit)
}

fn show(printer: &mut Printer, name: &str, topic: &str, all: &[Tried]) -> anyhow::Result<()> {
    printer.line(format!(
        "{name}: {} of {topic}; nothing is kept",
        check::count(all.len(), "record")
    ))?;
    for tried in all {
        let record = &tried.record;
        let text = |bytes: &Option<Box<[u8]>>| match bytes {
            Some(bytes) => short(&String::from_utf8_lossy(bytes)),
            None => "-".to_owned(),
        };
        let (partition, offset) = (record.partition, record.offset);
        printer.line(format!(
            "  {partition}/{offset}  {}  {}  {}",
            record.at,
            text(&record.key),
            text(&record.value)
        ))?;
        if let Some(fact) = &tried.fact {
            printer.line(format!("      becomes  {fact}"))?;
        }
        if let Some(why) = tried.passed {
            printer.line(format!("      passed over: {why}"))?;
        }
        if let Some(why) = &tried.refused {
            printer.line(format!(
                "      refused: {}: {}",
                why.code.as_str(),
                why.message
            ))?;
        }
    }
    Ok(())
}

/// As much as a line can show, without what would move the cursor.
fn short(text: &str) -> String {
    const SHOWN_MAX: usize = 160;
    let mut shown: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(SHOWN_MAX)
        .collect();
    if text.chars().count() > SHOWN_MAX {
        shown.push('…');
    }
    shown
}

async fn print(arguments: &SourceList) -> anyhow::Result<Exit> {
    let config = arguments.place.settings()?;
    let store = arguments.place.existing().await?;
    let looked = look(&config, &store).await?;
    let mut printer = Printer::new();
    let mut exit = Exit::Done;
    for (row, lags) in &looked {
        if row.halted.is_some() || lags.is_err() {
            exit = Exit::Found;
        }
        match arguments.output {
            Output::Json => printer.json(&as_json(row, lags))?,
            Output::Text => tell(&mut printer, row, lags)?,
        }
    }
    if arguments.output == Output::Text && looked.is_empty() {
        printer.line("no source was read yet")?;
    }
    printer.flush()?;
    Ok(exit)
}

fn as_json(row: &SourceRow, lags: &Result<Vec<Lag>, TryError>) -> Value {
    let partitions = lags.as_deref().unwrap_or_default().iter().map(|lag| {
        json!({
            "partition": lag.partition, "next": lag.next, "low": lag.ends.map(|ends| ends.low),
            "high": lag.ends.map(|ends| ends.high),
        })
    });
    json!({
        "source": row.source.name, "topic": row.source.topic, "topic_id": row.source.topic_id, "since": row.since,
        "owner": row.owner, "epoch": row.epoch, "halted": row.halted, "behind": behind(lags),
        "partitions": partitions.collect::<Vec<_>>(), "unknown": lags.as_ref().err().map(ToString::to_string),
    })
}

/// How many records are still to be read.
fn behind(lags: &Result<Vec<Lag>, TryError>) -> Option<u64> {
    let lags = lags.as_ref().ok()?.iter();
    Some(
        lags.map(|lag| {
            lag.ends
                .map_or(0, |ends| ends.high.saturating_sub(lag.next))
        })
        .sum(),
    )
}

fn tell(
    printer: &mut Printer,
    row: &SourceRow,
    lags: &Result<Vec<Lag>, TryError>,
) -> anyhow::Result<()> {
    let behind = behind(lags).map_or_else(|| "?".to_owned(), |behind| behind.to_string());
    printer.line(format!(
        "{}  {}  {behind} behind  {}",
        row.source.name,
        row.source.topic,
        row.owner.as_deref().unwrap_or("nobody reads it")
    ))?;
    if let Err(why) = lags {
        printer.line(format!("    {why}"))?;
    }
    if let Some(why) = &row.halted {
        printer.line(format!("    halted: {why}"))?;
    }
    Ok(())
}

async fn go_on(arguments: &SourceResume) -> anyhow::Result<Exit> {
    let config = arguments.place.settings()?;
    let store = arguments.place.existing().await?;
    let from = match arguments.from {
        ResumeFrom::Beginning => From::Beginning,
        ResumeFrom::Kept => From::Kept,
        ResumeFrom::End => From::End,
    };
    let positions = resume(&config, &store, &arguments.name, from).await?;
    let mut printer = Printer::new();
    for position in &positions {
        printer.line(format!(
            "partition {} goes on at {}",
            position.partition, position.next
        ))?;
    }
    printer.flush()?;
    Ok(Exit::Done)
}
