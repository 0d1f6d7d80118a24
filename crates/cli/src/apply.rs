//! `sottaku apply`: makes a checked workspace the one that decides.

use crate::arguments::Apply;
use crate::exit::Exit;
use crate::place::wait;
use crate::print::Printer;
use crate::{check, workspace};
use anyhow::Context;
use jiff::Timestamp;
use server::Refused;
use std::io::{IsTerminal, Write};
use store::Store;
use workflow::Program;
use workflow::program::Status;

/// Checks, shows what would take effect, asks, and activates.
pub(crate) fn run(arguments: &Apply) -> anyhow::Result<Exit> {
    let files = workspace::read(&arguments.dir)?;
    let (_, program) = check::program(&files)?;
    wait(async {
        let store = arguments.place.existing_or_new().await?;
        let mut printer = Printer::new();
        printer.text(outlook(&store, &program).await?)?;
        printer.flush()?;
        if !arguments.yes && !agreed("Apply it?")? {
            printer.line("Nothing was changed.")?;
            printer.flush()?;
            return Ok(Exit::Done);
        }
        let activated = match server::activate(&store, &files, Timestamp::now()).await {
            Ok(activated) => activated,
            Err(Refused::Mistakes(mistakes)) => {
                anyhow::bail!(
                    "the workspace has {}",
                    check::count(mistakes.len(), "mistake")
                )
            }
            Err(
                refused @ (Refused::Template(_)
                | Refused::HasRuns { .. }
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
        Ok(Exit::Done)
    })
}

/// What applying `program` to `store` means, in words.
async fn outlook(store: &Store, program: &Program) -> anyhow::Result<String> {
    let mut facts = 0;
    for shard in 0..store.shards() {
        facts += store.log_end(shard).await?;
    }
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
    if store.applied().await?.is_none() && facts > 0 {
        lines.push(format!(
            "  {facts} facts came in before: they count as history, nothing starts from them but by `existing: include`"
        ));
    }
    Ok(lines.join("\n") + "\n")
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
