//! `sottaku check`: every mistake of a workspace at once.

use crate::arguments::Check;
use crate::exit::Exit;
use crate::print::{Output, Printer};
use crate::workspace;
use workflow::{Checked, Files, Severity};

/// Checks and prints what is wrong.
pub(crate) fn run(arguments: &Check) -> anyhow::Result<Exit> {
    let files = workspace::read(&arguments.dir)?;
    let checked = workflow::check(&files);
    let mut printer = Printer::new();
    match arguments.output {
        Output::Json => {
            printer.json(&workflow::diagnostic::to_json(&checked.diagnostics, &files))?
        }
        Output::Text => {
            printer.text(workflow::diagnostic::frames(
                &checked.diagnostics,
                &files,
                true,
            ))?;
            printer.line(summary(&checked, &files))?;
        }
    }
    printer.flush()?;
    Ok(if checked.program.is_some() {
        Exit::Done
    } else {
        Exit::Found
    })
}

/// The mistakes on standard error, when something else was asked for; the program, if there is one.
pub(crate) fn program(files: &Files) -> anyhow::Result<(Checked, workflow::Program)> {
    let mut checked = workflow::check(files);
    let errors: Vec<_> = checked
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .cloned()
        .collect();
    anstream::eprint!("{}", workflow::diagnostic::frames(&errors, files, true));
    let Some(program) = checked.program.take() else {
        anyhow::bail!(
            "the workspace has {}; nothing was done",
            count(errors.len(), "error")
        );
    };
    if !checked.not_yet.is_empty() {
        anstream::eprintln!(
            "set aside, since they use what is still to come: {}",
            checked.not_yet.join(", ")
        );
    }
    Ok((checked, program))
}

fn summary(checked: &Checked, files: &Files) -> String {
    let of = |severity| {
        checked
            .diagnostics
            .iter()
            .filter(|one| one.severity == severity)
            .count()
    };
    let mut parts = vec![
        count(of(Severity::Error), "error"),
        count(of(Severity::Warning), "warning"),
    ];
    if !checked.not_yet.is_empty() {
        parts.push(format!("set aside: {}", checked.not_yet.join(", ")));
    }
    format!(
        "{} checked: {}",
        count(files.len(), "file"),
        parts.join(", ")
    )
}

/// `1 error`, `2 errors`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
