//! `sottaku journal`: every decision that was kept, in the public form and order.

use crate::arguments::Journal;
use crate::exit::Exit;
use crate::place::wait;
use crate::print::{Output, Printer};
use crate::records::line;
use anyhow::Context;
use server::records::{self, RecordFilter};
use store::Verified;

/// Prints the journal, or checks its hash chains.
pub(crate) fn run(arguments: &Journal) -> anyhow::Result<Exit> {
    wait(print(arguments))
}

async fn print(arguments: &Journal) -> anyhow::Result<Exit> {
    let store = arguments.place.existing().await?;
    let mut printer = Printer::new();
    if arguments.verify {
        for shard in 0..store.shards() {
            printer.line(whole(shard, store.verify_journal(shard).await?))?;
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

/// What was verified of a shard's journal.
fn whole(shard: u32, verified: Verified) -> String {
    let Verified { removed, end } = verified;
    let rows = end - removed;
    let kept = format!("shard {shard}: {rows} rows, each as it was written");
    match removed {
        0 => kept,
        removed => format!(
            "{kept}, from place {} on; those before it were removed since they were kept long enough",
            removed + 1
        ),
    }
}

fn text(record: &str) -> anyhow::Result<String> {
    let record = serde_json::from_str(record).context("a record of the journal must read back")?;
    Ok(line(&record))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_from_where_a_journal_is_kept() {
        let told = |removed, end| whole(3, Verified { removed, end });
        assert_eq!(told(0, 7), "shard 3: 7 rows, each as it was written");
        assert_eq!(
            told(5, 7),
            "shard 3: 2 rows, each as it was written, from place 6 on; those before it were removed since they were kept \
             long enough"
        );
    }
}
