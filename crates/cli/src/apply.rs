//! `sottaku apply`: makes a checked workspace the one that decides.

use crate::arguments::Apply;
use crate::exit::Exit;
use crate::place::wait;
use crate::print::Printer;
use crate::{check, plan, workspace};
use anyhow::Context;
use jiff::Timestamp;
use server::Refused;
use std::io::{IsTerminal, Write};
use store::Store;
use workflow::Program;
use workflow::program::Status;

/// Between two looks at how far a new text is.
const LOOK: std::time::Duration = std::time::Duration::from_millis(300);

/// Checks, shows what would take effect, asks, and activates.
pub(crate) fn run(arguments: &Apply) -> anyhow::Result<Exit> {
    let files = workspace::read(&arguments.dir)?;
    let (_, program) = check::program(&files)?;
    wait(async {
        let store = arguments.place.existing_or_new().await?;
        let mut printer = Printer::new();
        let resting = arguments.resting.into();
        printer.text(outlook(&program))?;
        printer.text(plan::told(&plan::work_out(&store, &files, resting).await?))?;
        printer.flush()?;
        if !arguments.yes && !agreed("Apply it?")? {
            printer.line("Nothing was changed.")?;
            printer.flush()?;
            return Ok(Exit::Done);
        }
        let now = Timestamp::now();
        let activated = match server::activate_resting(&store, &files, now, resting).await {
            Ok(activated) => activated,
            Err(Refused::Mistakes(mistakes)) => {
                anyhow::bail!(
                    "the workspace has {}",
                    check::count(mistakes.len(), "mistake")
                )
            }
            Err(
                refused @ (Refused::Template(_)
                | Refused::Underway { .. }
                | Refused::Applied(_)
                | Refused::Failed(_)),
            ) => return Err(refused.into()),
        };
        let word = if activated.is_new {
            "applied"
        } else {
            "was applied already"
        };
        printer.line(format!("revision {} {word}", short(&activated.revision)))?;
        printer.flush()?;
        if !arguments.detach {
            follow(&store).await?;
        }
        Ok(Exit::Done)
    })
}

/// Shows how accounts are brought over, until all are; where nobody decides, says so and ends.
async fn follow(store: &Store) -> anyhow::Result<()> {
    let all = server::left(store).await?;
    let mut left = all;
    while left > 0 {
        if !server::is_decided_now(store, Timestamp::now()).await? {
            anstream::eprintln!(
                "nobody decides now: {left} accounts are brought over once `sottaku serve` runs"
            );
            return Ok(());
        }
        progress(&format!("{} of {all} accounts brought over", all - left))?;
        tokio::time::sleep(LOOK).await;
        left = server::left(store).await?;
    }
    if all > 0 {
        progress("")?;
        anstream::eprintln!("{all} accounts brought over");
    }
    Ok(())
}

/// One line that is written over and over; nothing where nobody watches.
pub(crate) fn progress(text: &str) -> anyhow::Result<()> {
    if std::io::stderr().is_terminal() {
        anstream::eprint!("\r\x1b[2K{text}");
        std::io::stderr().flush()?;
    }
    Ok(())
}

/// The workflows of a text and what each does.
fn outlook(program: &Program) -> String {
    let mut lines = vec![format!("revision {}", short(&program.revision))];
    for workflow in &program.workflows {
        let does = match workflow.status {
            Status::Draft => "draft: checked only",
            Status::Shadow => "shadow: decides, and keeps everything back",
            Status::Live => "live",
            Status::Paused => "paused",
            Status::Closing => "closing: no new runs",
            Status::Retired => "retired",
        };
        lines.push(format!("  {}  {does}", workflow.name));
    }
    lines.join("\n") + "\n"
}

/// The first letters of a hash, enough for people.
pub(crate) fn short(hash: &str) -> &str {
    &hash[..hash.len().min(12)]
}

/// Asks on the terminal; without one the answer is no, said with a way out.
pub(crate) fn agreed(question: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        anyhow::bail!("{question} Nobody is there to ask: say `--yes`");
    }
    anstream::eprint!("{question} [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .context("reading the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
