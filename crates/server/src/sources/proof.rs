//! Proof that a topic is the one that was read: as many partitions, the position within each, and the last record again.
//!
//! The client tells no id of a topic. So the last record that was read is known again by its hash; and facts are named
//! by an id that is drawn when a source is first read, and anew when a person takes another topic for it.

use model::topic::RawRecord;
use store::{PartitionEnds, SourcePosition, SourceRow, TopicError, TopicReader};

/// How far a source is behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lag {
    /// The partition.
    pub partition: u32,
    /// The offset of the record that comes next.
    pub next: u64,
    /// What the partition holds; none: it is not there.
    pub ends: Option<PartitionEnds>,
}

/// Why a source can't be read on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Doubt {
    /// It is not surely the same topic: only a person can say.
    #[error("{0}; nothing is skipped: `sottaku source resume` says how to go on")]
    Other(Box<str>),
    /// Nobody could be asked.
    #[error(transparent)]
    Failed(#[from] TopicError),
}

/// By what a record is known again.
pub(super) fn mark(record: &RawRecord) -> Box<str> {
    let mut hash = blake3::Hasher::new();
    hash.update(&record.at.as_millisecond().to_be_bytes());
    for part in [record.key.as_deref(), record.value.as_deref()] {
        let part = part.unwrap_or_default();
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let short = &hash.finalize().to_hex()[..32];
    format!("{}:{short}", record.offset).into()
}

/// How far each partition is, and what it holds.
pub(crate) fn lags(positions: &[SourcePosition], layout: &[PartitionEnds]) -> Vec<Lag> {
    let of = |partition: u32| layout.iter().find(|ends| ends.partition == partition);
    positions
        .iter()
        .map(|position| Lag {
            partition: position.partition,
            next: position.next,
            ends: of(position.partition).copied(),
        })
        .collect()
}

/// Where nothing was read yet, there is nothing to prove.
pub(crate) async fn prove(
    reader: &TopicReader,
    row: &SourceRow,
    layout: &[PartitionEnds],
) -> Result<(), Doubt> {
    if row.positions.is_empty() {
        return Ok(());
    }
    if let Some(why) = misfit(&row.positions, layout) {
        return Err(Doubt::Other(why));
    }
    for position in &row.positions {
        let Some((at, _)) = position.mark.split_once(':') else {
            continue;
        };
        let Ok(at) = at.parse() else { continue };
        let found = reader.record_at(position.partition, at).await?;
        // One that is no longer kept proves nothing, either way.
        if found.is_some_and(|found| mark(&found) != position.mark) {
            let why = format!(
                "partition {} holds another record at {at} than was read there: the topic was made anew",
                position.partition
            );
            return Err(Doubt::Other(why.into()));
        }
    }
    Ok(())
}

/// What does not fit between how far a source is and what its topic holds.
fn misfit(positions: &[SourcePosition], layout: &[PartitionEnds]) -> Option<Box<str>> {
    if positions.len() != layout.len() {
        let why = format!(
            "the topic has {} partitions and had {}: keys may lie in others now",
            layout.len(),
            positions.len()
        );
        return Some(why.into());
    }
    lags(positions, layout).into_iter().find_map(|lag| {
        let (low, high) = lag.ends.map_or((0, 0), |ends| (ends.low, ends.high));
        let is_within = (low..=high).contains(&lag.next);
        (!is_within).then(|| {
            let (partition, next) = (lag.partition, lag.next);
            format!("partition {partition} is read up to {next}, and holds {low} to {high}: records are gone, or the topic is another one").into()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn position(partition: u32, next: u64) -> SourcePosition {
        SourcePosition {
            partition,
            next,
            mark: "".into(),
        }
    }

    fn ends(partition: u32, low: u64, high: u64) -> PartitionEnds {
        PartitionEnds {
            partition,
            low,
            high,
        }
    }

    #[test]
    fn another_number_of_partitions_and_a_position_outside_are_told() {
        let layout = [ends(0, 3, 9), ends(1, 0, 5)];
        for (positions, says) in [
            (vec![position(0, 3), position(1, 5)], None),
            (vec![position(0, 9), position(1, 0)], None),
            (vec![position(0, 2), position(1, 0)], Some("holds 3 to 9")),
            (vec![position(0, 3), position(1, 6)], Some("holds 0 to 5")),
            (vec![position(0, 3)], Some("has 2 partitions and had 1")),
        ] {
            let told = misfit(&positions, &layout);
            match says {
                None => assert_eq!(told, None),
                Some(says) => assert!(told.is_some_and(|told| told.contains(says)), "{says}"),
            }
        }
    }

    #[test]
    fn a_record_is_known_again_by_all_that_it_says() {
        let record = |key: &str, value: &str, offset| RawRecord {
            topic: "t".into(),
            partition: 0,
            offset,
            at: Timestamp::UNIX_EPOCH,
            key: Some(key.as_bytes().into()),
            value: Some(value.as_bytes().into()),
            headers: Vec::new(),
        };
        assert_eq!(mark(&record("a", "b", 1)), mark(&record("a", "b", 1)));
        for other in [
            record("a", "b", 2),
            record("ab", "", 1),
            record("a", "c", 1),
        ] {
            assert_ne!(mark(&record("a", "b", 1)), mark(&other));
        }
    }
}
