//! `sottaku journal`: every decision that was kept, in the public form and order.

use crate::arguments::Journal;
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use crate::records;
use anyhow::Context;
use jiff::Timestamp;
use model::Record;
use store::{JournalFilter, Store};

/// How many rows are read at once.
const PAGE: u32 = 2_000;

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
        for (_, record) in collect(&store, arguments).await? {
            match arguments.output {
                Output::Json => printer.json(&record)?,
                Output::Text => printer.line(records::line(&record))?,
            }
        }
    }
    printer.flush()?;
    Ok(Exit::Done)
}

/// All records asked for, in the public order: by instant, account, workflow, subject, run, then as they were decided.
async fn collect(store: &Store, arguments: &Journal) -> anyhow::Result<Vec<(Timestamp, Record)>> {
    let mut all = Vec::new();
    for shard in 0..store.shards() {
        let mut filter = JournalFilter {
            account: arguments.account.clone().map(model::AccountId::new),
            workflow: arguments.workflow.as_deref().map(Box::from),
            since: arguments.since,
            after: 0,
            count_max: PAGE,
        };
        loop {
            let page = store.journal(shard, filter.clone()).await?;
            let Some(last) = page.last() else { break };
            filter.after = last.place;
            for row in &page {
                let record = serde_json::from_str(&row.record)
                    .context("a record of the journal must read back")?;
                all.push((row.at, record));
            }
        }
    }
    all.sort_by(|one, two| key(one).cmp(&key(two)));
    Ok(all)
}

fn key(row: &(Timestamp, Record)) -> (Timestamp, &str, Option<&str>, Option<&str>, Option<&str>) {
    let (at, record) = row;
    (
        *at,
        record.account.as_str(),
        record.workflow.as_deref(),
        record.subject.as_deref(),
        record.run.as_ref().map(AsRef::as_ref),
    )
}
