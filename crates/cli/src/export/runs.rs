//! Runs as rows: from the records of their starts and ends.

use super::PAGE;
use anyhow::Context;
use jiff::Timestamp;
use model::{AccountId, Kind, Record};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::{JournalFilter, Store};

pub(super) const COLUMNS: [&str; 9] = [
    "run",
    "account",
    "workflow",
    "subject",
    "revision",
    "started_at",
    "ended_at",
    "how",
    "sends",
];

/// One run.
pub(super) struct Run {
    id: Box<str>,
    account: AccountId,
    workflow: Option<Box<str>>,
    subject: Option<Box<str>>,
    revision: Box<str>,
    pub(super) started_at: Timestamp,
    ended: Option<(Timestamp, Option<Box<str>>)>,
    sends: u64,
}

impl Run {
    pub(super) fn cells(&self) -> [Value; 9] {
        let ended_at = self.ended.as_ref().map(|(at, _)| at);
        let how = self.ended.as_ref().and_then(|(_, how)| how.as_deref());
        [
            json!(self.id),
            json!(self.account),
            json!(self.workflow),
            json!(self.subject),
            json!(self.revision),
            json!(self.started_at),
            json!(ended_at),
            json!(how),
            json!(self.sends),
        ]
    }
}

/// The runs of a shard in the order in which they began.
pub(super) async fn of_shard(
    store: &Store,
    shard: u32,
    account: Option<&AccountId>,
) -> anyhow::Result<Vec<Run>> {
    let mut runs: Vec<Run> = Vec::new();
    let mut places: BTreeMap<Box<str>, usize> = BTreeMap::new();
    let mut after = 0;
    loop {
        let filter = JournalFilter {
            account: account.cloned(),
            after,
            count_max: PAGE,
            ..JournalFilter::default()
        };
        let page = store.journal(shard, filter).await?;
        let Some(last) = page.last() else {
            return Ok(runs);
        };
        after = last.place;
        for row in page {
            let record: Record = serde_json::from_str(&row.record)
                .context("a record of the journal must read back")?;
            let Some(id) = record.run.as_ref().map(|run| Box::from(run.as_str())) else {
                continue;
            };
            let known = places.get(&*id).and_then(|place| runs.get_mut(*place));
            match (record.kind, known) {
                (Kind::Start, None) => {
                    places.insert(Box::clone(&id), runs.len());
                    runs.push(Run {
                        id,
                        account: record.account,
                        workflow: record.workflow,
                        subject: record.subject,
                        revision: row.revision,
                        started_at: row.at,
                        ended: None,
                        sends: 0,
                    });
                }
                (Kind::Send, Some(run)) => run.sends += 1,
                (Kind::End, Some(run)) => run.ended = Some((row.at, record.how)),
                _ => {}
            }
        }
    }
}
