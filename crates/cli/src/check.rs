//! `sottaku check`: every mistake of a workspace at once.

use crate::arguments::{Check, CheckOutput};
use crate::exit::Exit;
use crate::print::Printer;
use crate::{mend, workspace};
use workflow::{Checked, Files, Severity, diagnostic};

/// Checks and prints what is wrong; mends first what it is asked to.
pub(crate) fn run(arguments: &Check) -> anyhow::Result<Exit> {
    let mut files = workspace::read(&arguments.dir)?;
    let mut checked = workflow::check(&files);
    let mut printer = Printer::new();
    let mut is_shown = false;
    if arguments.fix {
        let mended = workflow::mend(&files, &checked.diagnostics);
        is_shown = arguments.dry_run && arguments.output == CheckOutput::Text;
        if is_shown {
            printer.text(workflow::mend::diff(&files, &mended))?;
        } else if !arguments.dry_run {
            mend::write(&arguments.dir, &files, &mended)?;
            files.extend(mended.files.clone());
            checked = workflow::check(&files);
        }
        tell(&mended, arguments.dry_run);
    }
    if !is_shown {
        print(&mut printer, arguments.output, &checked, &files)?;
    }
    printer.flush()?;
    Ok(if checked.program.is_some() {
        Exit::Done
    } else {
        Exit::Found
    })
}

fn tell(mended: &workflow::mend::Mended, is_dry: bool) {
    let places = count(mended.edits.len(), "place");
    let files = count(mended.files.len(), "file");
    let word = if is_dry { "would mend" } else { "mended" };
    anstream::eprintln!("{word} {places} in {files}");
}

fn print(
    printer: &mut Printer,
    output: CheckOutput,
    checked: &Checked,
    files: &Files,
) -> anyhow::Result<()> {
    let list = &checked.diagnostics;
    match output {
        CheckOutput::Json => printer.json(&diagnostic::to_json(list, files)),
        CheckOutput::Sarif => {
            let version = env!("CARGO_PKG_VERSION");
            printer.json(&diagnostic::to_sarif(list, files, version))
        }
        CheckOutput::Text => {
            printer.text(diagnostic::frames(list, files, true))?;
            printer.line(summary(checked, files))?;
            Ok(())
        }
    }
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
