//! The journal as people read it: the records of all shards in the public order.

use jiff::Timestamp;
use model::{AccountId, Record};
use store::{Failure, JournalFilter, Store};

/// The most records that one answer over HTTP holds.
pub const COUNT_MAX: usize = 100_000;
const PAGE: u32 = 1_000;

/// Which records to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// Only of this account.
    pub account: Option<AccountId>,
    /// Only of this workflow.
    pub workflow: Option<Box<str>>,
    /// Only from this instant on.
    pub since: Option<Timestamp>,
    /// At most so many, the earliest.
    pub count_max: usize,
}

/// What orders records: the instant, then names; what is equal stays in the order in which it was decided.
type Key = (
    Timestamp,
    Box<str>,
    Option<Box<str>>,
    Option<Box<str>>,
    Option<Box<str>>,
);

/// Reads records, ordered by (instant, account, workflow, subject, run, order of emission).
pub async fn read(store: &Store, filter: &RecordFilter) -> Result<Vec<Box<str>>, Failure> {
    let mut lines: Vec<(Key, Box<str>)> = Vec::new();
    for shard in store.shards_of(filter.account.as_ref().map(AccountId::as_str)) {
        read_shard(store, shard, filter, &mut lines).await?;
    }
    keep_earliest(&mut lines, filter);
    Ok(lines.into_iter().map(|(_, line)| line).collect())
}

async fn read_shard(
    store: &Store,
    shard: u32,
    filter: &RecordFilter,
    lines: &mut Vec<(Key, Box<str>)>,
) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        let page = JournalFilter {
            account: filter.account.clone(),
            workflow: filter.workflow.clone(),
            since: filter.since,
            after,
            count_max: PAGE,
        };
        let rows = store.journal(shard, page).await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = last.place;
        for row in rows {
            lines.push((key(row.at, &row.record), row.record));
        }
        // Never many more in memory than may be read, however long the journal is.
        if lines.len() > filter.count_max.saturating_mul(2) {
            keep_earliest(lines, filter);
        }
    }
}

fn keep_earliest(lines: &mut Vec<(Key, Box<str>)>, filter: &RecordFilter) {
    lines.sort_by(|a, b| a.0.cmp(&b.0));
    lines.truncate(filter.count_max);
}

fn key(at: Timestamp, record: &str) -> Key {
    match serde_json::from_str::<Record>(record) {
        Ok(record) => (
            at,
            record.account.as_str().into(),
            record.workflow,
            record.subject,
            record.run.map(|run| run.as_str().into()),
        ),
        Err(_) => (at, record.into(), None, None, None),
    }
}
