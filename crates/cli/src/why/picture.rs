//! The picture: all runs of an account, past and open, side by side in time.

use crate::print::Printer;
use crate::records;
use jiff::Timestamp;
use model::{Kind, Record};
use serde::Serialize;
use workflow::Program;

/// How many columns the time has.
const WIDTH: usize = 60;

/// One run, from its records.
#[derive(Debug, Serialize)]
pub(super) struct Passage<'r> {
    workflow: &'r str,
    subject: &'r str,
    run: &'r str,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    how: Option<&'r str>,
    records: Vec<&'r Record>,
}

/// The runs that records tell of, in the order in which they began.
pub(super) fn passages(records: &[Record]) -> Vec<Passage<'_>> {
    let mut passages: Vec<Passage<'_>> = Vec::new();
    for record in records {
        let Some(run) = record.run.as_ref() else {
            continue;
        };
        let at = records::instant(record);
        let found = passages.iter_mut().find(|known| known.run == run.as_str());
        let passage = match found {
            Some(passage) => passage,
            None => {
                passages.push(Passage {
                    workflow: record.workflow.as_deref().unwrap_or("-"),
                    subject: record.subject.as_deref().unwrap_or("-"),
                    run: run.as_str(),
                    started_at: at,
                    ended_at: None,
                    how: None,
                    records: Vec::new(),
                });
                let last = passages.len() - 1;
                &mut passages[last]
            }
        };
        if record.kind == Kind::End {
            passage.ended_at = Some(at);
            passage.how = record.how.as_deref();
        }
        passage.records.push(record);
    }
    passages
}

/// Draws them: a line of time each, then what each did.
pub(super) fn draw(
    program: &Program,
    records: &[Record],
    now: Timestamp,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let passages = passages(records);
    let Some(first) = passages.iter().map(|passage| passage.started_at).min() else {
        printer.line("No run began for this account yet.")?;
        let names: Vec<&str> = program.workflows.iter().map(|one| &*one.name).collect();
        printer.line(format!(
            "`sottaku why WORKFLOW ACCOUNT` says what keeps one from starting; there are {}",
            names.join(", ")
        ))?;
        return Ok(());
    };
    printer.line(format!("from {first} to {now}"))?;
    for passage in &passages {
        printer.line(format!(
            "{}  {}  {}: {}",
            bar(passage, first, now),
            passage.workflow,
            passage.subject,
            passage.how.unwrap_or("open")
        ))?;
    }
    for passage in &passages {
        printer.line(format!("\n{}  {}", passage.workflow, passage.subject))?;
        for record in &passage.records {
            printer.line(format!("  {}", records::line(record)))?;
        }
    }
    Ok(())
}

/// A run on the line of time: `>` begins, `*` acts, `|` ends.
fn bar(passage: &Passage<'_>, first: Timestamp, now: Timestamp) -> String {
    let span = now.as_second().saturating_sub(first.as_second()).max(1);
    let column = |at: Timestamp| {
        let passed = at
            .as_second()
            .saturating_sub(first.as_second())
            .clamp(0, span);
        let columns = i64::try_from(WIDTH - 1).unwrap_or(i64::MAX);
        usize::try_from(passed.saturating_mul(columns) / span).unwrap_or(0)
    };
    let (begins, ends) = (
        column(passage.started_at),
        column(passage.ended_at.unwrap_or(now)),
    );
    let mut line = vec![' '; WIDTH];
    for place in &mut line[begins..=ends.max(begins)] {
        *place = '-';
    }
    for record in &passage.records {
        let acts = match record.kind {
            Kind::Send | Kind::Alert | Kind::Task | Kind::Webhook | Kind::Set | Kind::Ask => true,
            Kind::Start
            | Kind::Skip
            | Kind::Hold
            | Kind::End
            | Kind::RiskOpened
            | Kind::RiskClosed
            | Kind::HealthChanged
            | Kind::StageChanged => false,
        };
        if acts {
            line[column(records::instant(record))] = '*';
        }
    }
    line[begins] = '>';
    if passage.ended_at.is_some() {
        line[ends] = '|';
    }
    line.into_iter().collect()
}
