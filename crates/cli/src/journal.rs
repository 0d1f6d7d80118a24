//! `sottaku journal`: every decision that was kept, in the public form and order.

use crate::arguments::Journal;
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use crate::records::line;
use anyhow::Context;
use server::records::{self, RecordFilter};

/// Prints the journal, or checks its hash chains.
pub(crate) fn run(arguments: &Journal) -> anyhow::Result<Exit> {
    wait(print(arguments))
}

async fn print(arguments: &Journal) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let mut printer = Printer::new();
    if arguments.verify {
        for shard in 0..store.shards() {
            let rows = store.verify_journal(shard).await?;
            printer.line(format!(
                "shard {shard}: {rows} rows, each as it was written"
            ))?;
        }
    } else {
        let filter = RecordFilter {
            account: arguments.account.clone().map(model::AccountId::new),
            workflow: arguments.workflow.as_deref().map(Box::from),
            since: arguments.since,
            count_max: usize::MAX,
        };
        for record in records::read(&store, &filter).await? {
            match arguments.output {
                Output::Json => printer.line(record)?,
                Output::Text => printer.line(text(&record)?)?,
            }
        }
    }
    printer.flush()?;
    Ok(Exit::Done)
}

fn text(record: &str) -> anyhow::Result<String> {
    let record = serde_json::from_str(record).context("a record of the journal must read back")?;
    Ok(line(&record))
}
