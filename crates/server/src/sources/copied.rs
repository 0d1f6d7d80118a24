//! What was copied: no wake-up is decided before what the sources held by then, as none is before the log's own end.

use crate::shared::Shared;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use store::{Failure, PartitionEnds, Polled, SourcePosition};
use workflow::Program;

/// For how long an answer of the store serves all shards of a process.
const KEPT: Duration = Duration::from_millis(250);

/// Whether a reader has all that its topic holds.
#[derive(Debug, Default)]
pub(super) struct Copied {
    /// Partitions whose end was met after their last record.
    ended: BTreeSet<u32>,
    /// Their ends as they were named last: marks of transactions may stand before them, which are no records.
    named: BTreeMap<u32, u64>,
}

impl Copied {
    /// What a poll brought.
    pub(super) fn saw(&mut self, polled: &Polled) {
        for record in &polled.records {
            self.ended.remove(&record.partition);
        }
        self.ended.extend(&polled.ends);
    }

    /// Whether everything that the brokers named is read, by where the reader is.
    pub(super) fn is_all(
        &mut self,
        positions: &[SourcePosition],
        layout: &[PartitionEnds],
    ) -> bool {
        let mut is_all = true;
        for ends in layout {
            let named = self.named.insert(ends.partition, ends.high);
            let position = positions.iter().find(|one| one.partition == ends.partition);
            let is_read = position.is_some_and(|position| position.next >= ends.high);
            let is_met = self.ended.contains(&ends.partition) && named == Some(ends.high);
            is_all &= is_read || is_met;
        }
        is_all
    }
}

/// What the store said last, for all shards of this process.
#[derive(Debug, Default)]
pub(crate) struct CopiedUntil(Mutex<Option<(Instant, Known)>>);

/// Until when each source is copied.
type Known = BTreeMap<Box<str>, Timestamp>;

/// Until when the text's sources are copied. Where nobody can read them here, nobody waits for them.
pub(crate) async fn copied_until(shared: &Shared, program: &Program) -> Result<Timestamp, Failure> {
    let is_read = cfg!(feature = "kafka") && shared.config.source("").is_some();
    if program.sources.is_empty() || !is_read {
        return Ok(Timestamp::MAX);
    }
    let known = {
        let kept = shared
            .copied
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        kept.as_ref()
            .filter(|(at, _)| at.elapsed() < KEPT)
            .map(|(_, known)| least(known, program))
    };
    if let Some(known) = known {
        return Ok(known);
    }
    let rows = shared.store.sources().await?.into_iter();
    let rows: Known = rows
        .map(|row| (row.source.name, row.copied_until))
        .collect();
    let until = least(&rows, program);
    let mut kept = shared
        .copied
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    *kept = Some((Instant::now(), rows));
    Ok(until)
}

/// The source that is behind most.
fn least(known: &Known, program: &Program) -> Timestamp {
    let all = program.sources.keys().map(|name| {
        let until = known.get(name).copied();
        until.unwrap_or(Timestamp::UNIX_EPOCH)
    });
    all.min().unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(high: u64) -> [PartitionEnds; 1] {
        [PartitionEnds {
            partition: 0,
            low: 0,
            high,
        }]
    }

    fn read(next: u64) -> [SourcePosition; 1] {
        [SourcePosition {
            partition: 0,
            next,
            mark: "".into(),
        }]
    }

    #[test]
    fn all_is_copied_when_the_end_is_reached_or_only_marks_stand_before_it() {
        let mut copied = Copied::default();
        assert!(copied.is_all(&read(5), &ends(5)));
        assert!(!copied.is_all(&read(5), &ends(7)));
        // The end was met, and it is the one that was named before.
        copied.saw(&Polled {
            ends: vec![0],
            ..Polled::default()
        });
        assert!(copied.is_all(&read(5), &ends(7)));
        assert!(!copied.is_all(&read(5), &ends(8)));
        assert!(!copied.is_all(&[], &ends(9)));
    }
}
