//! `sottaku simulate`: a whole log decided in memory, so that one sees what would happen before anything is sent.

use crate::arguments::Simulate;
use crate::exit::Exit;
use crate::print::{Output, Printer};
use crate::{check, records, workspace};
use anyhow::Context;
use engine::simulate::{Report, Simulation};
use ingest::{Lines, Rules};
use jiff::Timestamp;
use model::{Fact, Logged};
use std::io::{BufReader, Read};
use std::path::Path;

/// Decides the events of the file and prints what would happen.
pub(crate) fn run(arguments: &Simulate) -> anyhow::Result<Exit> {
    let files = workspace::read(&arguments.dir)?;
    let (_, program) = check::program(&files)?;
    let mut simulation = Simulation::new(&program);
    let refused = push_all(&arguments.events, &mut simulation)?;
    let (all, report) = simulation.finish(arguments.until);
    let mut printer = Printer::new();
    for record in &all {
        match arguments.output {
            Output::Json => printer.json(record)?,
            Output::Text => printer.line(records::line(record))?,
        }
    }
    printer.flush()?;
    anstream::eprintln!("{}", told(&report, all.len(), refused));
    Ok(if refused == 0 && report.parked.is_empty() {
        Exit::Done
    } else {
        Exit::Found
    })
}

/// Feeds every fact of the file; how many lines were refused.
fn push_all(path: &Path, simulation: &mut Simulation<'_>) -> anyhow::Result<usize> {
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).with_context(|| format!("reading {}", path.display()))?)
    };
    let rules = Rules {
        is_log_clock: true,
        marks_history: false,
    };
    let mut position = 0;
    let mut refused = 0;
    for line in Lines::new(BufReader::new(source), rules) {
        let line = line.with_context(|| format!("reading {}", path.display()))?;
        match line.fact {
            Ok(new) => {
                position += 1;
                let fact: Fact =
                    serde_json::from_str(&new.json).context("an own fact must read back")?;
                let arrived_at = fact.arrived_at.unwrap_or(Timestamp::UNIX_EPOCH);
                simulation.push(&Logged {
                    position,
                    arrived_at,
                    fact,
                });
            }
            Err(bad) => {
                refused += 1;
                let parked = &bad.parked;
                anstream::eprintln!(
                    "{}:{}:{}: {}: {}",
                    path.display(),
                    line.number,
                    bad.column,
                    parked.code.as_str(),
                    parked.message
                );
            }
        }
    }
    Ok(refused)
}

fn told(report: &Report, records: usize, refused: usize) -> String {
    let mut lines = vec![format!(
        "{} counted, {} seen before, {} parked, {} refused; {}, {}",
        check::count(usize::try_from(report.facts).unwrap_or(usize::MAX), "fact"),
        report.duplicates,
        report.parked.len(),
        refused,
        check::count(records, "record"),
        check::count(report.outbox.len(), "message"),
    )];
    lines.extend(report.parked.iter().take(20).map(|(position, parked)| {
        format!(
            "  parked: fact {position}: {}: {}",
            parked.code.as_str(),
            parked.message
        )
    }));
    lines.extend(
        report
            .rejected
            .iter()
            .take(50)
            .map(|((code, name), times)| format!("  {code}: {name} ({times} times)")),
    );
    lines.join("\n")
}
