//! Another try for a record that was put aside: by the mapping that is applied now.

use super::turn::{Outcome, turn};
use engine::source::Origin;
use ingest::NewFact;
use jiff::Timestamp;
use model::topic::RawRecord;
use serde::Deserialize;
use std::collections::BTreeMap;
use store::SourceRow;
use workflow::Program;

/// A record as it was put aside.
#[derive(Deserialize)]
struct Kept {
    source: Box<str>,
    topic: Box<str>,
    partition: u32,
    offset: u64,
    at: Timestamp,
    key: Option<String>,
    headers: BTreeMap<Box<str>, String>,
    value: Option<String>,
}

/// The fact that a parked record becomes by now; none if it is no record of a source, or still can't be used.
pub fn again(program: &Program, rows: &[SourceRow], parked: &str) -> Option<NewFact> {
    let kept: Kept = serde_json::from_str(parked).ok()?;
    let source = program.sources.get(&kept.source)?;
    let row = rows.iter().find(|row| row.source.name == kept.source)?;
    let bytes = |text: String| text.into_bytes().into_boxed_slice();
    let headers = kept.headers.into_iter();
    let raw = RawRecord {
        topic: kept.topic,
        partition: kept.partition,
        offset: kept.offset,
        at: kept.at,
        key: kept.key.map(bytes),
        value: kept.value.map(bytes),
        headers: headers.map(|(name, value)| (name, bytes(value))).collect(),
    };
    let origin = Origin {
        name: &kept.source,
        source,
        topic_id: &row.source.topic_id,
        since: row.since,
    };
    match turn(program, &origin, &raw) {
        Outcome::Fact(fact) => Some(fact),
        Outcome::Nothing(_) | Outcome::Refused(..) => None,
    }
}
